#include <algorithm>
#include <vector>

#include "geometry/certificates/least_distance.hpp"
#include "geometry/linear_program.hpp"

namespace normalign {
namespace {

// A row of zeros fails when its offset is below minus this.
constexpr double zero_row_rounding = 1e-11;
// The set is empty when its nearest point would be further away than the furthest row over this.
constexpr double least_share = 1e-6;

// CLP's mark of a row that is basic.
constexpr std::uint8_t basic_row = 1;

// A row by its distance from x, positive where it is violated; an equality has two sides.
struct BallSide {
  Index row = 0;
  double sign = 1, distance = 0;
};

// maximise tau over slope w >= (what is missing / furthest) tau in every row and |w| <= 1, with w before tau.
LinearProgram largest_share(const HalfSpaces& set, const std::vector<BallSide>& sides, double furthest) {
  const auto count = static_cast<Index>(sides.size());
  const Index d = set.slopes.cols();
  Matrix<double> rows(count, d + 1), low(1, d + 1), high(1, d + 1);
  for (Index i = 0; i < count; ++i) {
    const auto& [row, sign, distance] = sides[static_cast<std::size_t>(i)];
    for (Index k = 0; k < d; ++k) rows(i, k) = -sign * set.slopes(row, k);
    rows(i, d) = dual_length(set.slopes.row(row), Norm::linf) * distance / furthest;
  }
  std::ranges::fill(low.span(), -1);
  std::ranges::fill(high.span(), 1);
  low(0, d) = 0;
  return LinearProgram(rows, Matrix<double>(1, count), low, high);
}

// Of a basis of all rows that of the rows in the program, or the other way round: the others are basic.
std::vector<std::uint8_t> chosen(std::span<const std::uint8_t> whole, const std::vector<BallSide>& sides,
                                 Index columns) {
  std::vector<std::uint8_t> result(whole.begin(), whole.begin() + columns);
  for (const BallSide& side : sides) result.push_back(whole[static_cast<std::size_t>(columns + side.row)]);
  return result;
}

std::vector<std::uint8_t> spread(std::span<const std::uint8_t> part, const std::vector<BallSide>& sides, Index columns,
                                 Index rows) {
  std::vector<std::uint8_t> result(static_cast<std::size_t>(columns + rows), basic_row);
  std::copy_n(part.begin(), columns, result.begin());
  for (std::size_t i = 0; i < sides.size(); ++i)
    result[static_cast<std::size_t>(columns + sides[i].row)] = part[static_cast<std::size_t>(columns) + i];
  return result;
}

}  // namespace

std::vector<std::uint8_t> detail::with_row(std::vector<std::uint8_t> basis, Index inputs, Index row) {
  if (!basis.empty()) basis.insert(basis.begin() + inputs + 1 + row, basic_row);
  return basis;
}

NearestPoint least_linf_distance(const HalfSpaces& set, ConstView<double> x, double limit, double seconds,
                                 std::span<const std::uint8_t> start, const StopPoll& stop) {
  detail::check(set, x, limit);
  const auto m = static_cast<std::size_t>(set.slopes.rows());
  const auto multipliers_of = [&](const BallSide& side) {
    std::vector<double> result(m);
    result[static_cast<std::size_t>(side.row)] = side.sign;
    return result;
  };
  // Rows that nothing within the limit can violate are left out.
  std::vector<BallSide> sides;
  BallSide furthest;
  for (Index i = 0; i < set.slopes.rows(); ++i) {
    const double size = dual_length(set.slopes.row(i), Norm::linf);
    const double value = dot(set.slopes.row(i), x.span()) + set.offsets(0, i);
    for (const double sign : {1.0, -1.0}) {
      if (sign < 0 && i >= set.equalities) continue;
      if (size == 0 && sign * value < -zero_row_rounding)
        return {.status = NearestStatus::empty, .multipliers = multipliers_of({i, sign, 0})};
      if (size == 0 || sign * value >= limit * size) continue;
      sides.push_back({i, sign, -sign * value / size});
      if (sides.back().distance > furthest.distance) furthest = sides.back();
    }
  }
  if (furthest.distance == 0) return {.point = Matrix<double>(x)};
  // The furthest row alone proves its distance.
  NearestPoint result{.status = NearestStatus::beyond, .multipliers = multipliers_of(furthest)};
  if (furthest.distance > limit) return result;
  // The nearest z = x + rho w, |w| <= 1, has the largest tau = furthest / rho, which is at most 1: rows become
  // slope w >= (what is missing / furthest) tau, all through the origin.
  const Index d = set.slopes.cols();
  LinearProgram program = largest_share(set, sides, furthest.distance);
  program.limit_seconds(seconds);
  program.end_by(stop);
  if (!start.empty() && set.equalities == 0) program.start_from(chosen(start, sides, d + 1));
  Matrix<double> objective(1, d + 1);
  objective(0, d) = 1;
  LinearSolution found;
  try {
    found = program.maximise(objective);
  } catch (const RunError&) {
    stop.check();
    result.status = NearestStatus::failed;
    return result;
  }
  if (set.equalities == 0) result.basis = spread(program.basis(), sides, d + 1, set.slopes.rows());
  // Where tau ends at 1 the furthest row is all that counts.
  if (found.value < 1 - 1e-12) {
    std::ranges::fill(result.multipliers, 0);
    for (std::size_t i = 0; i < sides.size(); ++i)
      result.multipliers[static_cast<std::size_t>(sides[i].row)] += sides[i].sign * found.multipliers[i];
  }
  result.distance = furthest.distance / found.value;
  result.status = found.value <= least_share ? NearestStatus::empty
                  : result.distance > limit  ? NearestStatus::beyond
                                             : NearestStatus::found;
  if (result.status != NearestStatus::found) return result;
  result.point = Matrix<double>(x);
  for (Index k = 0; k < set.slopes.cols(); ++k) result.point(0, k) += result.distance * found.point(0, k);
  return result;
}

}  // namespace normalign

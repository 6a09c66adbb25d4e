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

}  // namespace

NearestPoint least_linf_distance(const HalfSpaces& set, ConstView<double> x, double limit) {
  detail::check(set, x, limit);
  const Index m = set.slopes.rows(), d = set.slopes.cols();
  // Each row by its distance from x, positive where it is violated; rows that nothing within the limit can violate are
  // left out, equalities come twice.
  struct Side {
    Index row;
    double sign, distance;
  };
  std::vector<Side> sides;
  double furthest = 0;
  for (Index i = 0; i < m; ++i) {
    const double size = dual_length(set.slopes.row(i), Norm::linf);
    const double value = dot(set.slopes.row(i), x.span()) + set.offsets(0, i);
    for (const double sign : {1.0, -1.0}) {
      if (sign < 0 && i >= set.equalities) continue;
      if (size == 0 && sign * value < -zero_row_rounding) return {.status = NearestStatus::empty};
      if (size == 0 || sign * value >= limit * size) continue;
      sides.push_back({i, sign, -sign * value / size});
      furthest = std::max(furthest, sides.back().distance);
    }
  }
  if (furthest == 0) return {.point = Matrix<double>(x)};
  if (furthest > limit) return {.status = NearestStatus::beyond};
  // The nearest z = x + rho w, |w| <= 1, has the largest tau = furthest / rho, which is at most 1: rows become
  // slope w >= (what is missing / furthest) tau, all through the origin.
  const auto count = static_cast<Index>(sides.size());
  Matrix<double> rows(count, d + 1), low(1, d + 1), high(1, d + 1), objective(1, d + 1);
  for (Index i = 0; i < count; ++i) {
    const auto& [row, sign, distance] = sides[static_cast<std::size_t>(i)];
    for (Index k = 0; k < d; ++k) rows(i, k) = -sign * set.slopes(row, k);
    rows(i, d) = dual_length(set.slopes.row(row), Norm::linf) * distance / furthest;
  }
  std::ranges::fill(low.span(), -1);
  std::ranges::fill(high.span(), 1);
  low(0, d) = 0;
  objective(0, d) = 1;
  const LinearSolution found = LinearProgram(rows, Matrix<double>(1, count), low, high).maximise(objective);
  if (found.value <= least_share) return {.status = NearestStatus::empty};
  NearestPoint result{.distance = furthest / found.value, .point = Matrix<double>(x)};
  if (result.distance > limit) return {.status = NearestStatus::beyond};
  for (Index k = 0; k < d; ++k) result.point(0, k) += result.distance * found.point(0, k);
  return result;
}

}  // namespace normalign

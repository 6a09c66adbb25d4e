#include "geometry/polytope.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "geometry/affine_map.hpp"
#include "geometry/linear_program.hpp"
#include "geometry/region_rows.hpp"
#include "linalg/blas.hpp"

namespace normalign {
namespace {
// How far a wall must reach into the polytope of the others to be a facet.
constexpr double least_cut = 1e-7;

void check_point(const char* caller, const Polytope& polytope, ConstView<double> x) {
  if (x.shape() != Shape{1, polytope.slopes.cols()})
    throw InputError(text(caller, ": the point is ", x.shape(), "; it must be 1x", polytope.slopes.cols()));
}

void check_box(const char* caller, double box) {
  if (!(box > 0)) throw InputError(text(caller, ": box is ", box, "; it must be above 0"));
}

// The walls at unit length, of equal ones only the first, as seen from a point.
struct UnitWalls {
  std::vector<Index> walls;
  Matrix<double> slopes;   // one row for each of them
  Matrix<double> offsets;  // 1 x m
  Matrix<double> slacks;   // 1 x m: their distances from the point
  Matrix<double> cosines;  // m x m
};

UnitWalls distinct_walls(const Polytope& polytope, ConstView<double> x) {
  Matrix<double> slopes = polytope.slopes, offsets = polytope.offsets;
  const Index m = slopes.rows(), d = slopes.cols();
  for (Index i = 0; i < m; ++i) {
    const double length = norm_length(slopes.row(i), Norm::l2);
    for (double& value : slopes.row(i)) value /= length;
    offsets(0, i) /= length;
  }
  Matrix<double> cosines(m, m);
  gemm<double>(slopes, slopes, cosines, {.b = true});
  const auto equal = [&](Index i, Index j) {
    constexpr double rounding = 1e-10;
    if (cosines(i, j) < 0.999 || std::abs(offsets(0, i) - offsets(0, j)) > rounding * (1 + std::abs(offsets(0, i))))
      return false;
    return std::ranges::equal(slopes.row(i), slopes.row(j),
                              [](double a, double b) { return std::abs(a - b) <= rounding; });
  };
  UnitWalls result;
  for (Index i = 0; i < m; ++i)
    if (std::ranges::none_of(result.walls, [&](Index earlier) { return equal(earlier, i); })) result.walls.push_back(i);
  const auto count = static_cast<Index>(result.walls.size());
  result.slopes = Matrix<double>(count, d);
  result.offsets = result.slacks = Matrix<double>(1, count);
  result.cosines = Matrix<double>(count, count);
  for (Index i = 0; i < count; ++i) {
    const Index wall = result.walls[static_cast<std::size_t>(i)];
    std::ranges::copy(slopes.row(wall), result.slopes.row(i).begin());
    result.offsets(0, i) = offsets(0, wall);
    result.slacks(0, i) = dot<double>(result.slopes.row(i), x.span()) + offsets(0, wall);
    for (Index j = 0; j < count; ++j) result.cosines(i, j) = cosines(wall, result.walls[static_cast<std::size_t>(j)]);
  }
  return result;
}

// The wall that the ray from the point along minus the normal of wall i meets before everything else, by a margin;
// nothing when two meet it together, or the box comes first.
std::optional<Index> met_first(const UnitWalls& walls, Index i, ConstView<double> x, double box) {
  Index first = -1;
  double nearest = infinity, second = infinity;
  for (Index j = 0; j < walls.slopes.rows(); ++j) {
    if (walls.cosines(i, j) <= 0) continue;
    const double at = walls.slacks(0, j) / walls.cosines(i, j);
    if (at < nearest) first = j;
    second = std::min(second, std::max(nearest, at));
    nearest = std::min(nearest, at);
  }
  for (Index k = 0; k < x.cols(); ++k) {
    const double speed = walls.slopes(i, k);
    if (speed != 0) second = std::min(second, (box + (speed > 0 ? x(0, k) : -x(0, k))) / std::abs(speed));
  }
  if (first < 0 || !(walls.cosines(i, first) * (second - nearest) > least_cut)) return std::nullopt;
  return first;
}

}  // namespace

Polytope region(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code) {
  const AffineMap all = unit_maps(network, code);
  Polytope result;
  std::vector<Index> kept;
  const std::vector<double> zero = detail::zero_slope_lengths(network);
  for (Index l = 0; l < network.hidden_layers(); ++l)
    for (Index k = 0; k < network.units(l); ++k)
      if (norm_length(all.slope.row(network.first_unit(l) + k), Norm::l2) > zero[static_cast<std::size_t>(l)]) {
        kept.push_back(network.first_unit(l) + k);
        result.units.push_back({l, k});
      }
  const auto m = static_cast<Index>(kept.size());
  result.slopes = Matrix<double>(m, network.inputs());
  result.offsets = Matrix<double>(1, m);
  for (Index i = 0; i < m; ++i) {
    const Index u = kept[static_cast<std::size_t>(i)];
    const double sign = code[static_cast<std::size_t>(u)] ? 1 : -1;
    std::ranges::transform(all.slope.row(u), result.slopes.row(i).begin(), [&](double value) { return sign * value; });
    result.offsets(0, i) = sign * all.offset(0, u);
  }
  return result;
}

std::optional<NearestWall> nearest_wall(const Polytope& polytope, ConstView<double> x, Norm norm) {
  check_point("nearest_wall", polytope, x);
  std::optional<NearestWall> nearest;
  for (Index i = 0; i < polytope.slopes.rows(); ++i) {
    const auto slope = polytope.slopes.row(i);
    const double distance = std::abs(dot(slope, x.span()) + polytope.offsets(0, i)) / dual_length(slope, norm);
    if (!nearest || distance < nearest->distance)
      nearest = {.unit = polytope.units[static_cast<std::size_t>(i)], .distance = distance};
  }
  return nearest;
}

std::vector<Index> facets(const Polytope& polytope, ConstView<double> inside, double box) {
  check_point("facets", polytope, inside);
  check_box("facets", box);
  const UnitWalls walls = distinct_walls(polytope, inside);
  const Index m = walls.slopes.rows(), d = walls.slopes.cols();
  double least = infinity;
  for (const double slack : walls.slacks.span()) least = std::min(least, slack);
  for (const double value : inside.span()) least = std::min(least, box - std::abs(value));
  if (!(least >= -1e-9)) throw InputError(text("facets: the point is ", -least, " outside the polytope"));

  std::vector<bool> is_facet(static_cast<std::size_t>(m));
  for (Index i = 0; i < m; ++i)
    if (const auto first = met_first(walls, i, inside, box)) is_facet[static_cast<std::size_t>(*first)] = true;

  // Of every other wall: how far the polytope would reach behind it, were it one further out.
  Matrix<double> low(1, d), high(1, d), outward(m, d);
  std::ranges::fill(low.span(), -box);
  std::ranges::fill(high.span(), box);
  std::ranges::transform(walls.slopes.span(), outward.data(), [](double value) { return -value; });
  LinearProgram program(outward, walls.offsets, low, high);
  std::vector<Index> result;
  for (Index i = 0; i < m; ++i) {
    if (!is_facet[static_cast<std::size_t>(i)]) {
      program.set_limit(i, walls.offsets(0, i) + 1);
      const LinearSolution furthest = program.maximise(outward.view().row_block(i, 1));
      program.set_limit(i, walls.offsets(0, i));
      if (!(furthest.value > walls.offsets(0, i) + least_cut)) continue;
    }
    result.push_back(walls.walls[static_cast<std::size_t>(i)]);
  }
  return result;
}

std::optional<Ball> largest_ball(const Polytope& polytope, double box) {
  check_box("largest_ball", box);
  // Over (z, r): the largest r with a distance of at least r to every wall and side of the box.
  const Index m = polytope.slopes.rows(), d = polytope.slopes.cols(), sides = std::isfinite(box) ? 2 * d : 0;
  Matrix<double> rows(m + sides, d + 1), limits(1, m + sides), low(1, d + 1), high(1, d + 1), objective(1, d + 1);
  for (Index i = 0; i < m; ++i) {
    std::ranges::transform(polytope.slopes.row(i), rows.row(i).begin(), [](double value) { return -value; });
    rows(i, d) = norm_length(polytope.slopes.row(i), Norm::l2);
    limits(0, i) = polytope.offsets(0, i);
  }
  for (Index side = 0; side < sides; ++side) {
    rows(m + side, side / 2) = side % 2 == 0 ? 1 : -1;
    rows(m + side, d) = 1;
    limits(0, m + side) = box;
  }
  std::ranges::fill(low.span(), -infinity);
  std::ranges::fill(high.span(), infinity);
  low(0, d) = 0;
  objective(0, d) = 1;
  const LinearSolution found = LinearProgram(rows, limits, low, high).maximise(objective);
  if (found.status == LinearStatus::infeasible) throw InputError("largest_ball: the polytope is empty");
  if (found.status == LinearStatus::unbounded) return std::nullopt;
  return Ball{.centre = Matrix<double>(ConstView<double>(found.point.data(), 1, d)), .radius = found.value};
}

}  // namespace normalign

#include "geometry/complex/space_polygon.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

SpacePoint between(const SpacePoint& a, const SpacePoint& b, double share) {
  return {a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])};
}

}  // namespace

double dot(const SpacePoint& a, const SpacePoint& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

SpacePoint cross(const SpacePoint& a, const SpacePoint& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double length(const SpacePoint& a) { return std::hypot(a[0], a[1], a[2]); }

double side_of(const SpacePlane& plane, const SpacePoint& x, double rounding) {
  const double value = dot(plane.normal, x) + plane.offset;
  return std::abs(value) <= rounding * (length(plane.normal) * length(x) + std::abs(plane.offset)) ? 0 : value;
}

std::pair<SpacePolygon, SpacePolygon> cut(const SpacePolygon& polygon, const SpacePlane& plane, double rounding) {
  std::pair<SpacePolygon, SpacePolygon> result;
  auto& [lower, upper] = result;
  std::vector<double> sides;
  for (const SpacePoint& corner : polygon) sides.push_back(side_of(plane, corner, rounding));
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const std::size_t next = (i + 1) % polygon.size();
    if (sides[i] <= 0) lower.push_back(polygon[i]);
    if (sides[i] >= 0) upper.push_back(polygon[i]);
    if (!(sides[i] < 0 && sides[next] > 0) && !(sides[i] > 0 && sides[next] < 0)) continue;
    const SpacePoint crossing = between(polygon[i], polygon[next], sides[i] / (sides[i] - sides[next]));
    lower.push_back(crossing);
    upper.push_back(crossing);
  }
  for (SpacePolygon* part : {&lower, &upper})
    if (part->size() < 3) part->clear();
  return result;
}

SpacePolygon clipped(const SpacePolygon& polygon, const SpacePlane& half_space) {
  return cut(polygon, half_space).second;
}

SpacePolygon plane_in_box(const SpacePlane& plane, double box) {
  const auto size = [&](std::size_t axis) { return std::abs(plane.normal[axis]); };
  // The coordinate that the plane tells best from the other two.
  std::size_t axis = 0;
  for (const std::size_t other : {std::size_t{1}, std::size_t{2}})
    if (size(other) > size(axis)) axis = other;
  if (size(axis) == 0) return {};
  const std::size_t u = (axis + 1) % 3, v = (axis + 2) % 3;
  SpacePolygon result;
  for (const auto& [s, t] : {std::pair{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}) {
    SpacePoint corner = {};
    corner[u] = s * box;
    corner[v] = t * box;
    corner[axis] = -(plane.normal[u] * corner[u] + plane.normal[v] * corner[v] + plane.offset) / plane.normal[axis];
    result.push_back(corner);
  }
  SpacePlane border{.offset = box};
  for (const double side : {-1.0, 1.0}) {
    border.normal[axis] = side;
    result = clipped(result, border);
  }
  return result;
}

SpacePoint area_vector(const SpacePolygon& polygon) {
  SpacePoint result = {};
  for (std::size_t i = 1; i + 1 < polygon.size(); ++i) {
    const auto edge = [&](std::size_t corner) {
      return SpacePoint{polygon[corner][0] - polygon[0][0], polygon[corner][1] - polygon[0][1],
                        polygon[corner][2] - polygon[0][2]};
    };
    const SpacePoint twice = cross(edge(i), edge(i + 1));
    for (std::size_t j = 0; j < 3; ++j) result[j] += twice[j] / 2;
  }
  return result;
}

}  // namespace normalign

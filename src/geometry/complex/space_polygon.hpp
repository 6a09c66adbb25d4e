// Flat convex polygons in three dimensions, and cutting them by planes.
#pragma once

#include <array>
#include <utility>
#include <vector>

namespace normalign {

/// A point or a vector.
using SpacePoint = std::array<double, 3>;

/// The corners of a flat convex polygon, in order around it. One of fewer than three corners is empty.
using SpacePolygon = std::vector<SpacePoint>;

/// The plane normal x + offset = 0, and the half-space normal x + offset >= 0.
struct SpacePlane {
  SpacePoint normal = {};
  double offset = 0;

  /// The plane with its half-space on the other side.
  SpacePlane operator-() const { return {{-normal[0], -normal[1], -normal[2]}, -offset}; }
};

/// Inner and outer product, and length.
double dot(const SpacePoint& a, const SpacePoint& b);
SpacePoint cross(const SpacePoint& a, const SpacePoint& b);
double length(const SpacePoint& a);

/// On which side of the plane x is: normal x + offset, or 0 where that is at most `rounding` times |normal| |x| +
/// |offset|.
double side_of(const SpacePlane& plane, const SpacePoint& x, double rounding = 1e-12);

/// The parts of a polygon where the plane's function is at most and at least 0, as `side_of` has it. A polygon in the
/// plane is in both.
std::pair<SpacePolygon, SpacePolygon> cut(const SpacePolygon& polygon, const SpacePlane& plane,
                                          double rounding = 1e-12);

/// The part of a polygon in a half-space.
SpacePolygon clipped(const SpacePolygon& polygon, const SpacePlane& half_space);

/// The part of a plane within |x_i| <= box; empty where the normal is 0 or the plane misses the box.
SpacePolygon plane_in_box(const SpacePlane& plane, double box);

/// The polygon's area times a unit vector normal to it, which sees the corners run counterclockwise.
SpacePoint area_vector(const SpacePolygon& polygon);

}  // namespace normalign

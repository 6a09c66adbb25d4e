// Planes in input space, and points on them.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// A point of a plane, in the plane's coordinates.
struct Point {
  double x = 0;
  double y = 0;
  bool operator==(const Point&) const = default;
};

/// The point at a share of the way from p to q.
inline Point between(const Point& p, const Point& q, double share) {
  return {p.x + share * (q.x - p.x), p.y + share * (q.y - p.y)};
}

/// The plane t -> origin + t.x u + t.y v in d dimensions. With u and v orthonormal, lengths and areas of t are those of
/// the ambient space.
struct Plane {
  Matrix<double> origin;  ///< 1 x d
  Matrix<double> u;       ///< 1 x d
  Matrix<double> v;       ///< 1 x d
};

/// The plane of the first two coordinates in two dimensions: t is the input itself.
Plane input_plane();

/// The plane through three points, the rows of a 3 x d matrix: its origin is their mean, u points from the first to the
/// second, v is orthonormal to it, towards the third. Throws InputError when they are not three or lie on one line.
Plane plane_through(ConstView<double> points);

/// The plane through `origin` along two coordinate axes, from 0. Throws InputError when the axes are the same or not
/// among the d.
Plane axis_plane(ConstView<double> origin, Index first, Index second);

/// Where t lies in input space, one row per point: n x d.
Matrix<double> points_on(const Plane& plane, const std::vector<Point>& t);

/// A point's orthogonal projection to a plane with orthonormal u and v, and how far it lies from there.
struct Projection {
  Point t;
  double distance = 0;
};

/// The projection of x, 1 x d. Throws InputError when x has another length.
Projection projection(const Plane& plane, ConstView<double> x);

/// The area of a simple polygon, positive when its vertices run counter-clockwise.
double signed_area(const std::vector<Point>& polygon);

/// The square [-r, r]^2, counter-clockwise.
std::vector<Point> square(double half_width);

}  // namespace normalign

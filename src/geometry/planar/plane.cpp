#include "geometry/planar/plane.hpp"

#include <cmath>

#include "linalg/reduce.hpp"

namespace normalign {
namespace {

// a - b for single rows.
Matrix<double> difference(ConstView<double> a, ConstView<double> b) {
  Matrix<double> result(a);
  for (Index j = 0; j < a.cols(); ++j) result(0, j) -= b(0, j);
  return result;
}

double product(ConstView<double> a, ConstView<double> b) { return dot(a.span(), b.span()); }

void scale(MatrixView<double> a, double factor) {
  for (double& value : a.span()) value *= factor;
}

}  // namespace

Plane input_plane() { return {.origin = Matrix<double>(1, 2), .u = {{1, 0}}, .v = {{0, 1}}}; }

Plane plane_through(ConstView<double> points) {
  if (points.rows() != 3)
    throw InputError(text("plane_through: points are ", points.shape(), "; there must be 3 rows"));
  const auto row = [&](Index i) { return points.row_block(i, 1); };
  Plane plane{
      .origin = Matrix<double>(1, points.cols()), .u = difference(row(1), row(0)), .v = difference(row(2), row(0))};
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < points.cols(); ++j) plane.origin(0, j) += points(i, j) / 3;
  const double along = std::sqrt(product(plane.u, plane.u)), reach = std::sqrt(product(plane.v, plane.v));
  if (along > 0) scale(plane.u, 1 / along);
  // Twice is enough: what rounding leaves of u in v after the first time is gone after the second.
  for (int pass = 0; pass < 2; ++pass) {
    const double overlap = product(plane.u, plane.v);
    for (Index j = 0; j < points.cols(); ++j) plane.v(0, j) -= overlap * plane.u(0, j);
  }
  const double height = std::sqrt(product(plane.v, plane.v));
  if (!(along > 0) || !(height > 1e-10 * reach))
    throw InputError("plane_through: the three points lie on one line; they must not");
  scale(plane.v, 1 / height);
  return plane;
}

Plane axis_plane(ConstView<double> origin, Index first, Index second) {
  const Index d = origin.cols();
  if (first < 0 || second < 0 || first >= d || second >= d || first == second)
    throw InputError(
        text("axis_plane: axes are ", first, " and ", second, "; they must be two different ones from 0 to ", d - 1));
  Plane plane{.origin = Matrix<double>(origin), .u = Matrix<double>(1, d), .v = Matrix<double>(1, d)};
  plane.u(0, first) = plane.v(0, second) = 1;
  return plane;
}

Matrix<double> points_on(const Plane& plane, const std::vector<Point>& t) {
  Matrix<double> x(static_cast<Index>(t.size()), plane.origin.cols());
  for (Index i = 0; i < x.rows(); ++i) {
    const auto [a, b] = t[static_cast<std::size_t>(i)];
    for (Index j = 0; j < x.cols(); ++j) x(i, j) = plane.origin(0, j) + a * plane.u(0, j) + b * plane.v(0, j);
  }
  return x;
}

Projection projection(const Plane& plane, ConstView<double> x) {
  if (x.shape() != plane.origin.shape())
    throw InputError(text("projection: x is ", x.shape(), "; it must be ", plane.origin.shape()));
  Matrix<double> rest = difference(x, plane.origin);
  const Point t{product(rest, plane.u), product(rest, plane.v)};
  for (Index j = 0; j < rest.cols(); ++j) rest(0, j) -= t.x * plane.u(0, j) + t.y * plane.v(0, j);
  return {.t = t, .distance = std::sqrt(product(rest, rest))};
}

double signed_area(const std::vector<Point>& polygon) {
  double twice = 0;
  // Relative to the first vertex, so that a small polygon far from the origin loses nothing.
  for (std::size_t i = 1; i + 1 < polygon.size(); ++i) {
    const Point &o = polygon[0], &a = polygon[i], &b = polygon[i + 1];
    twice += (a.x - o.x) * (b.y - o.y) - (b.x - o.x) * (a.y - o.y);
  }
  return twice / 2;
}

std::vector<Point> square(double half_width) {
  const double r = half_width;
  return {{-r, -r}, {r, -r}, {r, r}, {-r, r}};
}

}  // namespace normalign

#include "geometry/planar/plane.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("the plane through three points holds them, with orthonormal axes") {
  for (const Index d : {2, 3, 50}) {
    const M points = random_matrix({3, d}, static_cast<std::uint64_t>(d), -5, 5);
    const Plane plane = plane_through(points);
    CHECK_THAT(inner_product(plane.u, plane.u), WithinAbs(1, 1e-14));
    CHECK_THAT(inner_product(plane.v, plane.v), WithinAbs(1, 1e-14));
    CHECK_THAT(inner_product(plane.u, plane.v), WithinAbs(0, 1e-15));
    std::vector<Point> t;
    for (Index i = 0; i < 3; ++i) {
      const Projection found = projection(plane, points.view().row_block(i, 1));
      CHECK(found.distance < 1e-13);
      t.push_back(found.t);
    }
    CHECK(relative_error(points_on(plane, t), points) < 1e-14);
    CHECK_THAT(t[0].x + t[1].x + t[2].x, WithinAbs(0, 1e-13));
    CHECK(t[1].x > t[0].x);
    CHECK(signed_area(t) > 0);
  }
}

TEST_CASE("nearly dependent points still give orthonormal axes") {
  const M points{{0, 0, 0}, {1, 1, 1}, {2, 2, 2 + 1e-6}};
  const Plane plane = plane_through(points);
  CHECK_THAT(inner_product(plane.u, plane.v), WithinAbs(0, 1e-15));
}

TEST_CASE("a point off the plane is projected at its distance") {
  const Plane plane = axis_plane(M{{1, 2, 3, 4}}, 3, 1);
  const auto [t, distance] = projection(plane, M{{4, 5, 7, 8}});
  CHECK(t == Point{4, 3});
  CHECK(distance == 5);
  CHECK(points_on(plane, {t}) == M{{1, 5, 3, 8}});
}

TEST_CASE("areas have a sign, and small polygons far away keep theirs") {
  CHECK(signed_area(square(1.5)) == 9);
  CHECK(signed_area({{0, 0}, {0, 1}, {1, 0}}) == -0.5);
  const double x = 1 << 20, e = 1.0 / (1 << 20);
  CHECK(signed_area({{x, x}, {x + e, x}, {x + e, x + e}, {x, x + e}}) == e * e);
}

TEST_CASE("what is no plane is refused") {
  CHECK(message_of<InputError>([] { plane_through(M(2, 5)); }) ==
        "plane_through: points are 2x5; there must be 3 rows");
  CHECK(message_of<InputError>([] {
          plane_through(M{{0, 0}, {1, 1}, {2, 2}});
        }) == "plane_through: the three points lie on one line; they must not");
  CHECK(message_of<InputError>([] {
          plane_through(M{{1, 1}, {1, 1}, {2, 2}});
        }) == "plane_through: the three points lie on one line; they must not");
  CHECK(message_of<InputError>([] { axis_plane(M(1, 4), 2, 4); }) ==
        "axis_plane: axes are 2 and 4; they must be two different ones from 0 to 3");
  CHECK(message_of<InputError>([] { projection(input_plane(), M(1, 3)); }) == "projection: x is 1x3; it must be 1x2");
}

}  // namespace
}  // namespace normalign::tests

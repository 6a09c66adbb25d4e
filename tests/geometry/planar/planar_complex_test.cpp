#include "geometry/planar/planar_complex.hpp"

#include "support/catch.hpp"
#include "support/complexes.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a window is a complex of one cell, with its border around") {
  const std::vector<Point> corners = {{0, 0}, {3, 0}, {4, 2}, {1, 2}};
  const PlanarComplex complex = one_cell(corners);
  check_complex(complex, 6);
  CHECK(complex.cells() == 1);
  CHECK(complex.polygon(0) == corners);
  CHECK(complex.area(0) == 6);
  for (const Side side : complex.sides_of(0)) {
    CHECK(complex.across(side) == no_cell);
    CHECK(complex.edge_of(side).layer == -1);
  }
  CHECK(contains(complex, 0, {2, 1}));
  CHECK_FALSE(contains(complex, 0, {0.5, 1.5}));
}

TEST_CASE("a side is an edge walked one way or the other") {
  const Side forth(7, false), back(7, true);
  CHECK(forth.edge() == 7);
  CHECK(back.edge() == 7);
  CHECK_FALSE(forth.back());
  CHECK(back.back());
  PlanarComplex complex;
  complex.edges.resize(8);
  complex.edges[7] = {.from = 3, .to = 5, .left = 1, .right = 2};
  CHECK(complex.start(forth) == 3);
  CHECK(complex.start(back) == 5);
  CHECK(complex.across(forth) == 2);
  CHECK(complex.across(back) == 1);
}

TEST_CASE("a window that is not convex, or flat, is refused") {
  const auto message = [](const std::vector<Point>& corners) {
    return message_of<InputError>([&] { one_cell(corners); });
  };
  CHECK(contains(message({{0, 0}, {1, 0}}), "2 corners"));
  CHECK(contains(message({{0, 0}, {1, 0}, {2, 0}}), "corner 1"));
  CHECK(contains(message({{0, 0}, {2, 0}, {2, 2}, {1, 0.5}}), "does not turn left"));
}

}  // namespace
}  // namespace normalign::tests

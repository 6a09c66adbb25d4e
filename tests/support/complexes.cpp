#include "support/complexes.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

// Twice the area of the triangle a, b, c; positive when it runs counter-clockwise.
double turn(Point a, Point b, Point c) { return (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y); }

}  // namespace

void check_complex(const PlanarComplex& complex, double area) {
  double sum = 0, smallest = area, worst_turn = 0;
  std::vector<int> left(complex.edges.size()), right(complex.edges.size());
  bool closed = true, beside = true;
  for (Index c = 0; c < complex.cells(); ++c) {
    const double own = complex.area(c);
    sum += own;
    smallest = std::min(smallest, own);
    const auto sides = complex.sides_of(c);
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const Side side = sides[i], next = sides[(i + 1) % sides.size()], after = sides[(i + 2) % sides.size()];
      const PlanarEdge& edge = complex.edge_of(side);
      closed = closed && complex.start(next) == (side.back() ? edge.from : edge.to);
      beside = beside && (side.back() ? edge.right : edge.left) == c;
      ++(side.back() ? right : left)[static_cast<std::size_t>(side.edge())];
      worst_turn = std::min(worst_turn, turn(complex.point(complex.start(side)), complex.point(complex.start(next)),
                                             complex.point(complex.start(after))));
    }
  }
  CHECK(closed);
  CHECK(beside);
  CHECK(std::abs(sum - area) <= 1e-12 * area);
  CHECK(smallest > 0);
  CHECK(worst_turn >= -1e-13 * area);
  bool twice = true;
  for (std::size_t e = 0; e < complex.edges.size(); ++e) {
    const PlanarEdge& edge = complex.edges[e];
    const bool border = edge.layer < 0;
    twice = twice && left[e] == (edge.left == no_cell ? 0 : 1) && right[e] == (edge.right == no_cell ? 0 : 1) &&
            left[e] + right[e] == (border ? 1 : 2) && edge.from != edge.to;
  }
  CHECK(twice);
  CHECK(static_cast<Index>(complex.vertices.size()) - static_cast<Index>(complex.edges.size()) + complex.cells() == 1);
}

bool contains(const PlanarComplex& complex, Index c, Point t, double margin) {
  for (const Side side : complex.sides_of(c)) {
    const PlanarEdge& edge = complex.edge_of(side);
    const Point a = complex.point(side.back() ? edge.to : edge.from),
                b = complex.point(side.back() ? edge.from : edge.to);
    if (turn(a, b, t) <= margin * std::hypot(b.x - a.x, b.y - a.y)) return false;
  }
  return true;
}

}  // namespace normalign::tests

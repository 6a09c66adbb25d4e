#include "geometry/planar/planar_complex.hpp"

#include <cmath>

namespace normalign {

std::vector<Point> PlanarComplex::polygon(Index c) const {
  std::vector<Point> corners;
  for (const Side side : sides_of(c)) corners.push_back(point(start(side)));
  return corners;
}

double PlanarComplex::area(Index c) const { return signed_area(polygon(c)); }

PlanarComplex one_cell(const std::vector<Point>& corners) {
  const std::size_t n = corners.size();
  if (n < 3) throw InputError(text("one_cell: the window has ", n, " corners; it must have at least 3"));
  double turned = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const Point &a = corners[i], &b = corners[(i + 1) % n], &c = corners[(i + 2) % n];
    const double turn = (b.x - a.x) * (c.y - b.y) - (c.x - b.x) * (b.y - a.y);
    if (!(turn > 0))
      throw InputError(text("one_cell: the window does not turn left at corner ", (i + 1) % n,
                            "; it must be convex, counter-clockwise and finite"));
    turned += std::atan2(turn, (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y));
  }
  // A pentagram turns left everywhere too, but twice around.
  if (turned > 7) throw InputError("one_cell: the window goes around more than once; it must be convex");

  PlanarComplex complex;
  complex.vertices = corners;
  for (std::size_t i = 0; i < n; ++i) {
    const auto here = static_cast<std::int32_t>(i);
    complex.edges.push_back({.from = here, .to = static_cast<std::int32_t>((i + 1) % n), .left = 0});
    complex.sides.emplace_back(here, false);
  }
  complex.first.push_back(static_cast<std::int32_t>(n));
  return complex;
}

}  // namespace normalign

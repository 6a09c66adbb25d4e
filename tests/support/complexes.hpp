// What must hold of every planar complex, whatever it was cut by.
#pragma once

#include "geometry/planar/planar_complex.hpp"

namespace normalign::tests {

/// Checks that the complex fills the window: areas are positive and sum to `area` up to 1e-12 of it, V - E + F = 1,
/// every edge has the cells beside it that list it, border edges one and inner edges two, and all cells are convex up
/// to rounding.
void check_complex(const PlanarComplex& complex, double area);

/// Whether t lies in cell c, by more than `margin` from its sides.
bool contains(const PlanarComplex& complex, Index c, Point t, double margin = 0);

}  // namespace normalign::tests

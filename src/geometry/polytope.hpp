// The region of a piecewise-affine network around a point as a polytope: its walls, how far they are, which of them are
// facets, and the largest ball inside.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "geometry/piecewise_affine.hpp"
#include "linalg/norm.hpp"

namespace normalign {

/// A hidden unit: its layer and its number in the layer, both from 0.
struct HiddenUnit {
  Index layer = 0;
  Index unit = 0;
  bool operator==(const HiddenUnit&) const = default;
};

/// {z : slopes z + offsets >= 0}. Row i is the wall of units[i]: its pre-activation on the region, negated where it is
/// off.
struct Polytope {
  Matrix<double> slopes;          ///< m x d, no row of zeros
  Matrix<double> offsets;         ///< 1 x m
  std::vector<HiddenUnit> units;  ///< m
};

/// The region of that code, units in the order of the code. A unit whose pre-activation is constant there, up to
/// rounding, has no wall and is left out. Throws InputError when the code does not fit.
Polytope region(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code);

/// A wall and how far it is.
struct NearestWall {
  HiddenUnit unit;
  double distance = 0;
};

/// The wall next to x (1 x d), a point of the polytope, by the distance to its hyperplane: |slope x + offset| over the
/// length of the slope in the dual norm. The nearest hyperplane is a facet, so this is the distance to another region.
/// Returns the first of walls that are equally near, and nothing when there is no wall. Throws InputError when x does
/// not fit.
std::optional<NearestWall> nearest_wall(const Polytope& polytope, ConstView<double> x, Norm norm);

/// The numbers of the walls that are facets of the polytope, cut with the box |z_i| <= box where that is finite:
/// without a facet the polytope would be larger. Of walls that coincide only the first counts. `inside` (1 x d) is any
/// point of it; interior points need fewer linear programs. The polytope must have an interior; a wall is a facet when
/// it cuts off more than 1e-7. Throws InputError when `inside` does not fit or lies more than 1e-9 outside, RunError
/// when a linear program fails.
std::vector<Index> facets(const Polytope& polytope, ConstView<double> inside, double box);

/// All points within `radius` of the centre.
struct Ball {
  Matrix<double> centre;  ///< 1 x d
  double radius = 0;
};

/// The largest Euclidean ball in the polytope, cut with the box |z_i| <= box where that is finite; nothing when balls
/// of any size fit. A radius of 0 is a polytope without interior. Throws InputError when the polytope is empty,
/// RunError when the linear program fails.
std::optional<Ball> largest_ball(const Polytope& polytope, double box);

}  // namespace normalign

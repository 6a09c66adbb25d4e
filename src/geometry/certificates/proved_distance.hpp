// The one place where a lower bound of a distance is evaluated.
#pragma once

#include <span>
#include <vector>

#include "geometry/certificates/least_distance.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {

/// What multipliers prove about half-spaces: every point z of them with |z| <= the radius has |z| >= distance, and in
/// l2 z·direction >= along.
struct ProvedDistance {
  double distance = 0;                 ///< infinite where no point is within the radius
  std::vector<double> direction = {};  ///< of length one up to rounding; empty where the distance is 0 or not finite
  double along = 0;
};

/// For whatever multipliers y (m of them, a negative one counts as 0): with y'(slopes z + offsets) >= 0 all z have
/// |z| >= -(y'offsets) / |slopes'y|, in the dual norm, and that is evaluated here with every rounding against it. So
/// multipliers may come from any solver, and need no trust. There must be no equalities.
///
/// Source: Neumaier and Shcherbina, "Safe bounds in linear and mixed-integer linear programming", Mathematical
/// Programming 99, 2004.
ProvedDistance proved_distance(const HalfSpaces& set, std::span<const double> multipliers, Norm norm, double radius);

}  // namespace normalign::detail

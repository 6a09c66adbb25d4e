// How steep a network can be near a point.
#pragma once

#include <vector>

#include "geometry/polytope.hpp"

namespace normalign {

/// For each output a Lipschitz constant on the ball of that radius around x (1 x d), in the norm: |f_j(y) - f_j(z)| is
/// no more than it times |y - z|. Units that can not change their sign within the ball count as they are, the gains of
/// others as anything between their two slopes; intervals of gains are propagated from the outputs backwards, and the
/// constants of earlier layers tell which units can change. Throws InputError when x does not fit.
std::vector<double> steepness(const PiecewiseAffineNetwork& network, ConstView<double> x, double radius, Norm norm);

}  // namespace normalign

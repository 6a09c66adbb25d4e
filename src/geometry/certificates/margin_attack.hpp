// A search for steps that lead beyond the decision boundary, in networks of any size.
#pragma once

#include <functional>
#include <optional>

#include "geometry/piecewise_affine.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {

/// A step of at most the radius, 1 x d, at which a margin is >= 0 up to rounding, looked for by APGD on the margins
/// that are the likeliest to be, each from `starts` random points; none where it finds none, or `is_late` says so
/// first. `margins` is a network of the step. The random points are the same at every call.
std::optional<Matrix<double>> adversarial_step(const PiecewiseAffineNetwork& margins, Norm norm, double radius,
                                               int starts, int steps, const std::function<bool()>& is_late);

}  // namespace normalign::detail

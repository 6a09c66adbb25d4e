// The empirical neural tangent kernel of a network.
#pragma once

#include "nn/mlp.hpp"

namespace normalign {

/// The kernel between output `output` at a point x and all k outputs at n points: entry (i, j) is the inner product of
/// the gradients of f_output(x) and of f_j(points_i) in all parameters. x is 1 x d, points n x d, the result n x k.
/// Costs one backward sweep at x and a pushforward for each parameter matrix at the points; no gradient of a single
/// point is ever formed. At kinks each operation's documented convention holds. Throws InputError when the shapes do
/// not fit or there is no such output. See Jacot, Gabriel, Hongler, "Neural tangent kernel", 2018.
template <class T>
Matrix<T> ntk(const Mlp<T>& mlp, ConstView<T> x, ConstView<T> points, Index output = 0);

}  // namespace normalign

// Kernel ridge regression without the kernel matrix as a whole.
#pragma once

#include <optional>

#include "rfm/ridge.hpp"

namespace normalign {

/// The solution of (K + regularisation I) a = y, K the kernel matrix of n points, y n x c, by conjugate gradients for
/// all columns at once, preconditioned by FᵀF + mu I of a randomly pivoted Cholesky approximation FᵀF of K
/// (`pivoted_cholesky`); mu is the regularisation, or more where that would be rounding. It starts from 0 and ends
/// where each column's |(K + regularisation I) a - y| is at most tolerance |y|, or after `most_iterations`: the report
/// says which.
///
/// An iteration takes one product with K, whose lower triangle is worked out again each time as far as `memory` does
/// not hold it: F has up to a quarter of the memory, values of K the rest. They are kept as floats where the rounding
/// of all of them together (norm about 1e-8 sqrt(n)) is below a hundredth of the regularisation, else as T; all else is
/// in double. Some 25 n c doubles come on top. The same bits at any number of threads, though not with other memory.
/// Throws InputError as `ridge` does.
template <class T>
RidgeSolution<T> ridge_by_conjugate_gradients(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                              const RidgeOptions& options = {});

/// The same solution by a Cholesky factorisation in float, n³/3 flops at float's rate, that preconditions conjugate
/// gradients in double, which end at a residual of 1e-11 |y| per column. It takes 8 n² bytes, half of them for K in
/// double, of which one triangle alone is made. The same bits at any number of threads. Returns nothing where the
/// factorisation fails or 40 iterations do not suffice. The options `tolerance`, `memory` and those of the
/// preconditioner are not looked at. Throws InputError as `ridge` does.
std::optional<RidgeSolution<double>> ridge_by_refinement(const Kernel& kernel, const MahalanobisPoints<double>& points,
                                                         ConstView<double> y, const RidgeOptions& options,
                                                         RidgeWorkspace<double>& workspace);

}  // namespace normalign

// Kernel ridge regression without the kernel matrix as a whole.
#pragma once

#include <optional>

#include "rfm/ridge.hpp"

namespace normalign {

/// The solution of (K + regularisation I) a = y, K the kernel matrix of n points, y n x c, by conjugate gradients
/// preconditioned by `FactorisedNystrom`, with one search space for all columns. It starts from 0 and ends where each
/// column's |(K + regularisation I) a - y| is at most tolerance |y|, or after `most_iterations`: the report says which.
///
/// An iteration takes one product with K, whose lower triangle is worked out again each time as far as `memory` does
/// not hold it: the preconditioner has up to a quarter of the memory, values of K the rest. They are kept as floats
/// where the rounding of all of them together (norm about 1e-8 sqrt(n)) is below a hundredth of the regularisation,
/// else as T; the iteration is in double. Some 25 n c doubles come on top. The same bits at any number of threads,
/// though not with other memory. Throws InputError and Stopped as `ridge`
/// does.
template <class T>
RidgeSolution<T> ridge_by_conjugate_gradients(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                              const RidgeOptions& options = {});

/// How many iterations with n points and c columns take as long as a Cholesky factorisation in float.
Index iterations_worth_it(Index n, Index c);

/// The same solution to a residual of 1e-11 |y| per column, with all of K kept in double: 4 n² bytes. Returns nothing
/// where that takes more than `iterations_worth_it`, as soon as it is to be foreseen. The options `tolerance`, `memory`
/// and `most_iterations` are not looked at. Throws InputError as `ridge` does.
std::optional<RidgeSolution<double>> ridge_by_few_iterations(const Kernel& kernel,
                                                             const MahalanobisPoints<double>& points,
                                                             ConstView<double> y, const RidgeOptions& options,
                                                             RidgeWorkspace<double>& workspace);

/// The same solution by a Cholesky factorisation in float, n³/3 flops at float's rate, that preconditions conjugate
/// gradients in double, which end at a residual of 1e-11 |y| per column. It takes 8 n² bytes, half of them for K in
/// double, of which one triangle alone is made. The same bits at any number of threads. Returns nothing where the
/// factorisation fails or 40 iterations do not suffice. The options `tolerance`, `memory` and those of the
/// preconditioner are not looked at. Throws InputError as `ridge` does.
std::optional<RidgeSolution<double>> ridge_by_refinement(const Kernel& kernel, const MahalanobisPoints<double>& points,
                                                         ConstView<double> y, const RidgeOptions& options,
                                                         RidgeWorkspace<double>& workspace);

}  // namespace normalign

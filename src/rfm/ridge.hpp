// Kernel ridge regression: the coefficients of a kernel machine from data.
#pragma once

#include <cstdint>
#include <functional>

#include "base/infinity.hpp"
#include "base/stop.hpp"
#include "rfm/kernel_matrix.hpp"

namespace normalign {

/// How (K + regularisation I) a = y is solved.
struct RidgeOptions {
  double regularisation = 1e-3;  ///< not negative
  /// Bytes that K, or what takes its place, may have; where K does not fit as a whole, the system is solved by
  /// preconditioned conjugate gradients.
  double memory = infinity;
  int threads = 1;

  double tolerance = 1e-4;          ///< of conjugate gradients: the norm of the residual over that of y, per column
  Index most_iterations = 500;      ///< of conjugate gradients
  Index preconditioner_rank = 800;  ///< landmarks: at most, and as far as a quarter of the memory goes
  std::uint64_t seed = 0;           ///< of the points' order in the preconditioner
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Throws InputError naming the first option out of range.
void check(const RidgeOptions& options);

/// How a solution was found.
enum class RidgeMethod { cholesky, refined_cholesky, conjugate_gradients };

/// What a solution took.
struct RidgeReport {
  RidgeMethod method = RidgeMethod::cholesky;
  bool in_double = false;  ///< a float factorisation failed, and the one in double took its place

  Index rank = 0;         ///< landmarks of the preconditioner of conjugate gradients
  Index iterations = 0;   ///< of conjugate gradients, or of the refinement
  double residual = 0;    ///< at the end, of the worst column, as `tolerance` measures it
  bool converged = true;  ///< whether the residual is within the tolerance
};

/// Coefficients a, n x c, and what they took.
template <class T>
struct RidgeSolution {
  Matrix<T> coefficients;
  RidgeReport report;
};

/// Memory of one solution, for the next to use again: what is in it before and after does not matter.
template <class T>
struct RidgeWorkspace {
  Matrix<T> matrix;           ///< n x n, of a factorisation in T
  Matrix<float> factor;       ///< n x n, of a refinement
  LargeVector<double> tiles;  ///< of K, of a refinement
};

/// A factorisation in float is refined from so many points on, and so many for each column of y: there a factorisation
/// in double takes longer than the iterations.
inline constexpr Index refined_points = 2048, refined_points_per_column = 80;

/// Conjugate gradients take the place of a factorisation where so many iterations are no longer than it is.
inline constexpr Index fewest_iterations = 20;

/// The solution of (K + regularisation I) a = y, K the kernel matrix of n points, y n x c, by Cholesky where n² values
/// of type T fit into the memory: n³/3 + 2 n² c flops. In double and from `refined_points` on, the factorisation is one
/// in float, refined to a solution in double (`ridge_by_refinement`), in half the time; and where `fewest_iterations`
/// of conjugate gradients take no longer than that, they are tried first (`ridge_by_few_iterations`). A float
/// factorisation that fails, or cannot be refined, is done again in double; for floats that takes twice the memory.
/// What does not fit is left to `ridge_by_conjugate_gradients` (preconditioned_cg.hpp).
///
/// Throws InputError on a misfit, an option out of range or a matrix that `memory` allows and the machine has no room
/// for, RunError where the matrix is not positive definite up to rounding, even in double, Stopped when stopped.
template <class T>
RidgeSolution<T> ridge(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                       const RidgeOptions& options = {});
/// The same for a caller in a loop, who keeps its memory.
template <class T>
RidgeSolution<T> ridge(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                       const RidgeOptions& options, RidgeWorkspace<T>& workspace);

}  // namespace normalign

// Kernel ridge regression: the coefficients of a kernel machine from data.
#pragma once

#include <limits>

#include "rfm/kernel_matrix.hpp"

namespace normalign {

/// How (K + regularisation I) a = y is solved.
struct RidgeOptions {
  double regularisation = 1e-3;  ///< not negative
  /// Bytes that K may take as a whole; where it does not fit, the system is solved by conjugate gradients.
  double memory = std::numeric_limits<double>::infinity();
  int threads = 1;
};

/// What a solution took.
struct RidgeReport {
  bool in_double = false;  ///< a float factorisation failed, and the one in double took its place
};

/// Coefficients a, n x c, and what they took.
template <class T>
struct RidgeSolution {
  Matrix<T> coefficients;
  RidgeReport report;
};

/// The solution of (K + regularisation I) a = y, K the kernel matrix of n points, y n x c, by Cholesky: n² values of
/// memory and n³/3 + 2 n² c flops. A float factorisation that fails is done again in double, with twice the memory.
/// Throws InputError on a misfit or an option out of range, RunError where the matrix is not positive definite even in
/// double, up to rounding.
template <class T>
RidgeSolution<T> ridge(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                       const RidgeOptions& options = {});

}  // namespace normalign

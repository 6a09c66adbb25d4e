// Low-rank approximations of kernel matrices from a few of their rows.
#pragma once

#include <cstdint>

#include "rfm/kernel_matrix.hpp"

namespace normalign {

/// When an approximation is good enough.
struct PivotedCholeskyOptions {
  Index rank = 1000;          ///< at most so many rows
  double residual_trace = 0;  ///< no more rows once trace(K - FᵀF) is at most this, or rounding
  std::uint64_t seed = 0;     ///< of Stream::pivots
  int threads = 1;
};

/// K ~ FᵀF from below: K - FᵀF is positive semi-definite up to rounding.
struct LowRank {
  Matrix<double> factor;      ///< F, rank x n
  double residual_trace = 0;  ///< of K - FᵀF
};

/// The approximation of the kernel matrix of n points by randomly pivoted Cholesky: each pivot is a row drawn with
/// probability proportional to the diagonal of what is left (Chen, Epperly, Tropp, Webber, "Randomly pivoted Cholesky",
/// 2023). Pivots are proposed in batches, of which each is accepted with the probability that makes the result the same
/// in law (Epperly, Tropp, Webber, "Embrace rejection", 2024), so that nearly all work is matrix products.
///
/// rank n kernel values and rank² n flops, memory for rank n doubles. The same bits at any number of threads. Throws
/// InputError on a negative rank or fewer than one thread.
template <class T>
LowRank pivoted_cholesky(const Kernel& kernel, const MahalanobisPoints<T>& points,
                         const PivotedCholeskyOptions& options = {});

}  // namespace normalign

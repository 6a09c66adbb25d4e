// A preconditioner of regularised kernel matrices: landmarks for what all points have in common, neighbours for the
// rest.
#pragma once

#include <cstdint>
#include <vector>

#include "rfm/kernel_matrix.hpp"

namespace normalign {

/// Of what a preconditioner is made.
struct FactorisedNystromOptions {
  Index landmarks = 800;   ///< at most so many of the points
  Index neighbours = 32;   ///< of each other point, at most so many
  std::uint64_t seed = 0;  ///< of Stream::landmarks, which draws the points' order
  int threads = 1;
  StopPoll stop = {};  ///< ends the making by what it throws
};

/// An approximation of (K + regularisation I)⁻¹, K the kernel matrix of n points: symmetric, positive definite, and
/// such that conjugate gradients with it take some tens of iterations whatever the regularisation. The points are put
/// into a random order, the first k of them are the landmarks, and
///
///   K + regularisation I = [L 0] [I 0] [Lᵀ Wᵀ]
///                          [W I] [0 S] [0  I ],   S = K_22 + regularisation I - W Wᵀ.
///
/// S⁻¹ is approximated by GᵀG, G lower triangular and sparse: row i is the last row of the inverse Cholesky factor of
/// S at point i and at the nearest of the points before it. Without what the landmarks explain, a point depends on few
/// others. (Adaptive factorised Nyström: Zhao, Xu, Huang, Chow, Xi, SIAM J. Sci. Comput. 46, 2024; rows of G:
/// Kolotilina, Yeremin, SIAM J. Matrix Anal. Appl. 14, 1993. Here landmarks are drawn, not spread.)
///
/// Making it takes n²/2 distances and, with m neighbours, n k² + 2 n m² k flops in float; it holds n (k + 4 m) floats.
class FactorisedNystrom {
 public:
  /// Where float's rounding makes K at the landmarks, with the regularisation, indefinite, a larger one takes its place
  /// here; at a point whose row cannot be found for the same reason, G has the diagonal alone. Throws InputError on
  /// negative extents, a negative regularisation or fewer than one thread, RunError where K is not finite.
  template <class T>
  FactorisedNystrom(const Kernel& kernel, const MahalanobisPoints<T>& points, double regularisation,
                    const FactorisedNystromOptions& options = {});

  /// z <- the approximation times r, both n x c, by 4 n (k + m) c flops in float, with the same bits at any number of
  /// threads. Throws InputError on a misfit.
  void solve(ConstView<double> r, MatrixView<double> z);

  /// k
  Index landmarks() const { return factor_.rows(); }

 private:
  // A sparse matrix by rows: row i has the entries from first[i] to first[i + 1].
  struct SparseRows {
    std::vector<std::size_t> first;
    std::vector<std::int32_t> columns;
    std::vector<float> values;
  };
  static SparseRows transposed(const SparseRows& matrix);
  // out <- the matrix times x: n x n, n x c, c a multiple of `product_cols`.
  static void multiply(const SparseRows& matrix, ConstView<float> x, MatrixView<float> out, int threads);

  // G of the points that are no landmarks.
  template <class T>
  SparseRows inverse_factor(const Kernel& kernel, const MahalanobisPoints<T>& rest, double regularisation,
                            const FactorisedNystromOptions& options) const;

  int threads_;
  std::vector<Index> order_;                 // the points' numbers, landmarks first
  Matrix<float> factor_;                     // L, k x k
  Matrix<float> weights_;                    // W, (n - k) x k
  SparseRows inverse_, inverse_transposed_;  // G and Gᵀ, (n - k) x (n - k)
  Matrix<float> ordered_, product_;          // working memory of `solve`
};

}  // namespace normalign

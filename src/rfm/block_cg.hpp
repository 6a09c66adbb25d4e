// Conjugate gradients for several right-hand sides in one search space.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/lapack.hpp"

namespace normalign {

/// The lengths of the columns of a.
inline std::vector<double> column_lengths(ConstView<double> a) {
  std::vector<double> lengths(static_cast<std::size_t>(a.cols()));
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) lengths[static_cast<std::size_t>(j)] += a(i, j) * a(i, j);
  for (double& length : lengths) length = std::sqrt(length);
  return lengths;
}

/// Preconditioned conjugate gradients for (K + shift I) a = y, K symmetric and positive semi-definite (n x n), y n x c,
/// with one search space for all columns: half as many iterations as with one for each are usual (block conjugate
/// gradients: O'Leary, Linear Algebra Appl. 29, 1980). The residuals are R = Q C with orthonormal columns in Q, of
/// which there are fewer where residuals depend on each other, or come to do so (BCGrQ: Dubrulle, Electron. Trans.
/// Numer. Anal. 12, 2001). A new direction is made conjugate to the last ones by its own product with K, so that a
/// preconditioner may round.
///
/// `Operator` has multiply(p, shift, out), out <- (K + shift I) p; `Preconditioner` has solve(r, z), z <- M r with M
/// symmetric and positive definite. p, r, out and z are n x k with k up to c.
template <class Operator, class Preconditioner>
class BlockConjugateGradients {
 public:
  /// Starts from a = 0. Columns of zeros in y have coefficients 0.
  BlockConjugateGradients(Operator& matrix, double shift, Preconditioner& preconditioner, ConstView<double> y)
      : matrix_(matrix), shift_(shift), preconditioner_(preconditioner), solution_(y.rows(), y.cols()) {
    const std::vector<double> lengths = column_lengths(y);
    const auto nonzero = static_cast<Index>(std::ranges::count_if(lengths, [](double length) { return length > 0; }));
    q_ = Matrix<double>(y.rows(), nonzero);
    c_ = Matrix<double>(nonzero, y.cols());
    Index at = 0;
    for (Index j = 0; j < y.cols(); ++j) {
      const double length = lengths[static_cast<std::size_t>(j)];
      if (!(length > 0)) continue;
      for (Index i = 0; i < y.rows(); ++i) q_(i, at) = y(i, j) / length;
      c_(at++, j) = length;
    }
    orthonormalise();
    p_.resize(q_.rows(), q_.cols());
    preconditioner_.solve(q_, p_);
  }

  /// a, n x c.
  const Matrix<double>& solution() const { return solution_; }
  /// |(K + shift I) a - y| of each column, as the iteration carries it along.
  std::vector<double> residual_lengths() const { return column_lengths(c_); }

  /// One iteration: a product with K, and some 10 n c² flops. False where no direction is left, or K + shift I is not
  /// positive definite along one up to rounding; then nothing has changed.
  bool step() {
    const Index n = p_.rows(), c = p_.cols();
    if (c == 0) return false;
    w_.resize(n, c);
    matrix_.multiply(p_, shift_, w_);
    Matrix<double> curvature(c, c), step(c, c), solution_step(c, c_.cols());
    // (n x c)ᵀ, n x c
    gemm<double>(p_, w_, curvature, {.a = true});
    if (!cholesky<double>(curvature)) return false;
    gemm<double>(p_, q_, step, {.a = true});
    cholesky_solve<double>(curvature, step);
    // c x c, c x columns; n x c, c x columns; n x c, c x c
    gemm<double>(step, c_, solution_step);
    gemm<double>(p_, solution_step, solution_, {}, 1, 1);
    gemm<double>(w_, step, q_, {}, -1, 1);
    orthonormalise();
    // The preconditioned residuals, made conjugate to P.
    room_.resize(n, q_.cols());
    preconditioner_.solve(q_, room_);
    Matrix<double> along(c, q_.cols());
    // (n x c)ᵀ, n x kept; n x c, c x kept
    gemm<double>(w_, room_, along, {.a = true});
    cholesky_solve<double>(curvature, along);
    gemm<double>(p_, along, room_, {}, -1, 1);
    std::swap(p_, room_);
    return true;
  }

 private:
  // Q <- orthonormal columns that span those of Q but for what is rounding; C <- C in terms of them. The eigenvectors
  // of QᵀQ turn columns into orthogonal ones up to the rounding of the products: of the kept ones the shortest to 1e-3.
  void orthonormalise() {
    constexpr double rounding = 1e-13;
    const Index n = q_.rows(), c = q_.cols();
    Matrix<double> products(c, c);
    syrk<double>(q_, products);
    const Matrix<double> directions = symmetric_eigen<double>(products).vectors;
    room_.resize(n, c);
    // n x c, (c x c)ᵀ
    gemm<double>(q_, directions, room_, {.b = true});
    const std::vector<double> lengths = column_lengths(room_);
    std::vector<Index> kept;
    for (Index j = 0; j < c; ++j)
      if (lengths[static_cast<std::size_t>(j)] > rounding * std::ranges::max(lengths)) kept.push_back(j);
    const auto count = static_cast<Index>(kept.size());
    Matrix<double> in_new(count, c), turned(count, c_.cols());
    q_.resize(n, count);
    for (Index k = 0; k < count; ++k) {
      const Index j = kept[static_cast<std::size_t>(k)];
      const double length = lengths[static_cast<std::size_t>(j)];
      for (Index i = 0; i < c; ++i) in_new(k, i) = length * directions(j, i);
      for (Index i = 0; i < n; ++i) q_(i, k) = room_(i, j) / length;
    }
    // count x c, c x columns
    gemm<double>(in_new, c_, turned);
    c_ = std::move(turned);
  }

  Operator& matrix_;
  double shift_;
  Preconditioner& preconditioner_;
  Matrix<double> solution_;
  Matrix<double> q_, c_, p_, w_;  // W = (K + shift I) P
  Matrix<double> room_;
};

}  // namespace normalign

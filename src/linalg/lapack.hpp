// Decompositions through LAPACK, on one thread like the products in blas.hpp.
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// The thin singular value decomposition a = left diag(values) right of an m x n matrix, r = min(m, n).
template <class T>
struct Svd {
  std::vector<T> values;  ///< r, largest first
  Matrix<T> left;         ///< m x r, orthonormal columns
  Matrix<T> right;        ///< r x n, orthonormal rows: the right singular vectors
};

/// The decomposition of a; without values when a has no rows or columns. Signs of the vectors are LAPACK's. Throws
/// InputError when a value is not finite, RunError when the iteration does not converge.
template <class T>
Svd<T> svd(ConstView<T> a);

/// L of a = L Q, Q's rows orthonormal: m x r and zero above the diagonal for a of m x n, r = min(m, n). What depends on
/// a through a aᵀ alone (lengths and angles of rows and of sums of rows, singular values, left singular vectors) is the
/// same for L, with errors of rounding times |a|, and costs far less where m is much smaller than n. Throws InputError
/// when a value is not finite.
template <class T>
Matrix<T> triangular_factor(ConstView<T> a);

/// The thin decomposition a = lower rows of an m x n matrix, r = min(m, n).
template <class T>
struct Lq {
  Matrix<T> lower;  ///< m x r, zero above the diagonal: what `triangular_factor` gives
  Matrix<T> rows;   ///< r x n, orthonormal rows, also where those of a depend on each other
};

/// The decomposition of a by Householder's reflections. Throws InputError when a value is not finite.
template <class T>
Lq<T> lq(ConstView<T> a);

/// The eigenvalues and eigenvectors of a symmetric d x d matrix.
template <class T>
struct SymmetricEigen {
  std::vector<T> values;  ///< d, smallest first
  Matrix<T> vectors;      ///< d x d: row i is the unit eigenvector of values[i]
};

/// The decomposition of a, of which only the lower triangle is read: a = vectorsᵀ diag(values) vectors. Signs of the
/// vectors are LAPACK's. Throws InputError unless a is square and finite, RunError when the iteration does not
/// converge.
template <class T>
SymmetricEigen<T> symmetric_eigen(ConstView<T> a);

/// The eigenvalues of a symmetric d x d matrix, and the eigenvector of the largest.
struct LeadingEigen {
  std::vector<double> values;  ///< d, smallest first
  std::vector<double> vector;  ///< d, of length 1
};

/// The eigenvalues of a, of which only the lower triangle is read, and the vector of the largest, for a fraction of
/// what all vectors cost. LAPACK chooses the sign of the vector and, where the largest value is a multiple one, which
/// of its vectors it is. Throws InputError unless a is square and finite and d at least 1, RunError when an iteration
/// does not converge.
LeadingEigen leading_eigen(ConstView<double> a);

}  // namespace normalign

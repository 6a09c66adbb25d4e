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

}  // namespace normalign

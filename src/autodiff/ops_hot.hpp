// Products with multi-hot rows: inputs that are 1 in a few known columns and 0 elsewhere, such as one-hot pairs. A
// product with such a matrix is a gather, its gradient a scatter; neither looks at the zeros.
//
// `hot` is a constant n x c matrix of whole numbers: row i of the n x d multi-hot matrix is 1 at the columns hot_i1,
// ..., hot_ic, which must be distinct. Each operation throws InputError on a number that is no column and on a misfit.
#pragma once

#include <vector>

#include "autodiff/shape_rules.hpp"

namespace normalign {

/// The primitives of this file, with their rules in ops_hot.cpp.
template <class T>
struct HotOps {
  static const Primitive<T> hot_linear_op, hot_sum_op, hot_outer_op;
  /// All of them.
  static std::vector<const Primitive<T>*> all() { return {&hot_linear_op, &hot_sum_op, &hot_outer_op}; }
};
extern template struct HotOps<float>;
extern template struct HotOps<double>;

/// x wᵀ for a multi-hot x: x n x d, w m x d, hot n x c, to n x m. x must be what `hot` says, since only its shape is
/// looked at; derivatives in x are those of the dense product.
template <class T>
Var<T> hot_linear(Var<T> x, Var<T> w, Var<T> hot) {
  return apply(HotOps<T>::hot_linear_op, {&x, &w, &hot});
}
/// The same without x: y_ij = sum_c w_{j,hot_ic}.
template <class T>
Var<T> hot_sum(Var<T> w, Var<T> hot) {
  return apply(HotOps<T>::hot_sum_op, {&w, &hot});
}
/// gᵀ x for a multi-hot x with `cols` columns: g n x m, to m x cols; the transpose of hot_sum.
template <class T>
Var<T> hot_outer(Var<T> g, Var<T> hot, Index cols) {
  return apply(HotOps<T>::hot_outer_op, {&g, &hot}, checked_attribute("hot_outer", cols));
}

/// The number of ones per row if x is multi-hot with the same number c in every row, and c d-ths of the matrix are few
/// enough (16 c <= d) for a gather to beat a dense product; else 0, as where T cannot number the columns (more than
/// 2^24 of them in float). A dense matrix is found out in its first row.
template <class T>
Index hot_count(ConstView<T> x);
/// Writes the columns of the ones of a multi-hot x (n x d, c per row) to `hot` (n x c). Throws InputError on a column
/// that T does not tell from its neighbours: from 2^24 on in float.
template <class T>
void fill_hot(ConstView<T> x, MatrixView<T> hot);

}  // namespace normalign

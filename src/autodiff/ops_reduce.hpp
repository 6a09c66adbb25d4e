// Sums over rows and columns, their opposite (broadcasting), and the softmax family. Sums run in double and in a
// fixed order.
#pragma once

#include <utility>
#include <vector>

#include "autodiff/ops_elementwise.hpp"
#include "autodiff/shape_rules.hpp"

namespace normalign {

/// The primitives of this file, with their rules in ops_reduce.cpp.
template <class T>
struct ReduceOps {
  static const Primitive<T> sum_op, row_sum_op, row_square_sum_op, col_sum_op, broadcast_to_op, logsumexp_op,
      softmax_op, log_softmax_op, cross_entropy_rows_op, softmax_minus_label_op;
  /// All of them.
  static std::vector<const Primitive<T>*> all() {
    return {&sum_op,
            &row_sum_op,
            &row_square_sum_op,
            &col_sum_op,
            &broadcast_to_op,
            &logsumexp_op,
            &softmax_op,
            &log_softmax_op,
            &cross_entropy_rows_op,
            &softmax_minus_label_op};
  }
};
extern template struct ReduceOps<float>;
extern template struct ReduceOps<double>;

/// The sum of all values, 1 x 1.
template <class T>
Var<T> sum(Var<T> x) {
  return apply(ReduceOps<T>::sum_op, {&x});
}
/// The mean of all values, 1 x 1. Throws InputError on an empty matrix.
template <class T>
Var<T> mean(Var<T> x) {
  const Shape shape = x.shape();
  if (shape.size() == 0) throw InputError(text("mean: x is ", shape, "; it must hold a value"));
  return sum(std::move(x)) / static_cast<double>(shape.size());
}
/// The sum over each row: n x d to n x 1.
template <class T>
Var<T> row_sum(Var<T> x) {
  if (x.cols() == 1) return x;
  return apply(ReduceOps<T>::row_sum_op, {&x});
}
/// The sum of the squares of each row, its squared length: n x d to n x 1.
template <class T>
Var<T> row_square_sum(Var<T> x) {
  return apply(ReduceOps<T>::row_square_sum_op, {&x});
}
/// The sum over each column: n x d to 1 x d.
template <class T>
Var<T> col_sum(Var<T> x) {
  if (x.rows() == 1) return x;
  return apply(ReduceOps<T>::col_sum_op, {&x});
}
/// x repeated to `shape`; x's extents must be 1 or equal. Throws InputError otherwise.
template <class T>
Var<T> broadcast_to(Var<T> x, Shape shape) {
  if (x.shape() == shape) return x;
  return apply(ReduceOps<T>::broadcast_to_op, {&x}, checked_attribute("broadcast_to", shape.rows, shape.cols));
}
/// x summed over the extents in which it is larger than `shape`: undoes a broadcast. Throws InputError when
/// `shape` does not broadcast to x's.
template <class T>
Var<T> sum_to(Var<T> x, Shape shape) {
  const Shape from = x.shape();
  if (from == shape) return x;
  if ((shape.rows != from.rows && shape.rows != 1) || (shape.cols != from.cols && shape.cols != 1))
    throw InputError(text("sum_to: x is ", from, " but the shape asked for is ", shape,
                          "; each extent asked for must be equal or 1"));
  if (shape.size() == 1) return sum(std::move(x));
  return shape.rows == from.rows ? row_sum(std::move(x)) : col_sum(std::move(x));
}

/// log(sum_j exp x_ij) of each row: n x d to n x 1. Shifted by the row's maximum; -inf for rows without columns, NaN
/// for those that hold one.
template <class T>
Var<T> logsumexp(Var<T> x) {
  return apply(ReduceOps<T>::logsumexp_op, {&x});
}
/// exp(x_ij - logsumexp_i): each row sums to 1.
template <class T>
Var<T> softmax(Var<T> x) {
  return apply(ReduceOps<T>::softmax_op, {&x});
}
/// x_ij - logsumexp_i.
template <class T>
Var<T> log_softmax(Var<T> x) {
  return apply(ReduceOps<T>::log_softmax_op, {&x});
}
/// How the derivative of a cross entropy in the label's logit is computed, with p the label's share of the softmax.
enum class CrossEntropyGradient {
  subtracted,  ///< p - 1, as in PyTorch: exactly 0 from a gap between the logits of about 17 (float) or 37 (double) on
  accurate     ///< minus the sum of the other shares, which is never lost; the second derivative likewise
};

/// Each row's cross entropy logsumexp_i - x_{i,label_i}: n x k logits and an n x 1 column of labels (whole numbers
/// 0 ... k-1, see Tape::labels) to n x 1. Throws InputError on a label that is none.
template <class T>
Var<T> cross_entropy_rows(Var<T> logits, Var<T> labels,
                          CrossEntropyGradient gradient = CrossEntropyGradient::subtracted) {
  return apply(ReduceOps<T>::cross_entropy_rows_op, {&logits, &labels},
               {.first = gradient == CrossEntropyGradient::accurate});
}
/// The derivative of each row's cross entropy in its logits, n x k: the softmax, less 1 at the label, there computed as
/// minus the sum of the others. Throws InputError on a label that is none.
template <class T>
Var<T> softmax_minus_label(Var<T> logits, Var<T> labels) {
  return apply(ReduceOps<T>::softmax_minus_label_op, {&logits, &labels});
}

}  // namespace normalign

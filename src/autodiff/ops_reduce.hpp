// Sums over rows and columns, their opposite (broadcasting), and the softmax family. Sums run in double and in a
// fixed order.
#pragma once

#include <span>

#include "autodiff/primitive.hpp"

namespace normalign {

/// The sum of all values, 1 x 1.
template <class T>
Var<T> sum(Var<T> x);
/// The mean of all values, 1 x 1. Throws InputError on an empty matrix.
template <class T>
Var<T> mean(Var<T> x);
/// The sum over each row: n x d to n x 1.
template <class T>
Var<T> row_sum(Var<T> x);
/// The sum of the squares of each row, its squared length: n x d to n x 1.
template <class T>
Var<T> row_square_sum(Var<T> x);
/// The sum over each column: n x d to 1 x d.
template <class T>
Var<T> col_sum(Var<T> x);
/// x repeated to `shape`; x's extents must be 1 or equal. Throws InputError otherwise.
template <class T>
Var<T> broadcast_to(Var<T> x, Shape shape);
/// x summed over the extents in which it is larger than `shape`: undoes a broadcast. Throws InputError when
/// `shape` does not broadcast to x's.
template <class T>
Var<T> sum_to(Var<T> x, Shape shape);

/// log(sum_j exp x_ij) of each row: n x d to n x 1. Shifted by the row's maximum; -inf for rows without columns, NaN
/// for those that hold one.
template <class T>
Var<T> logsumexp(Var<T> x);
/// exp(x_ij - logsumexp_i): each row sums to 1.
template <class T>
Var<T> softmax(Var<T> x);
/// x_ij - logsumexp_i.
template <class T>
Var<T> log_softmax(Var<T> x);
/// How the derivative of a cross entropy in the label's logit is computed, with p the label's share of the softmax.
enum class CrossEntropyGradient {
  subtracted,  ///< p - 1, as in PyTorch: exactly 0 from a gap between the logits of about 17 (float) or 37 (double) on
  accurate     ///< minus the sum of the other shares, which is never lost; the second derivative likewise
};

/// Each row's cross entropy logsumexp_i - x_{i,label_i}: n x k logits and an n x 1 column of labels (whole numbers
/// 0 ... k-1, see Tape::labels) to n x 1. Throws InputError on a label that is none.
template <class T>
Var<T> cross_entropy_rows(Var<T> logits, Var<T> labels,
                          CrossEntropyGradient gradient = CrossEntropyGradient::subtracted);
/// The derivative of each row's cross entropy in its logits, n x k: the softmax, less 1 at the label, there computed as
/// minus the sum of the others. Throws InputError on a label that is none.
template <class T>
Var<T> softmax_minus_label(Var<T> logits, Var<T> labels);

/// Every primitive defined in ops_reduce.cpp.
template <class T>
std::span<const Primitive<T>* const> reduce_primitives();

}  // namespace normalign

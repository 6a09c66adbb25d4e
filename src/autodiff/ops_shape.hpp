// Operations that only move values: slices and pads, rows put together, columns picked by index. Each is the
// transpose of another one here, which is its derivative.
#pragma once

#include <span>
#include <vector>

#include "autodiff/shape_rules.hpp"

namespace normalign {

/// The primitives of this file, with their rules in ops_shape.cpp.
template <class T>
struct ShapeOps {
  static const Primitive<T> slice_rows_op, slice_cols_op, pad_rows_op, pad_cols_op, concat_rows_op, gather_cols_op,
      scatter_add_cols_op;
  /// All of them.
  static std::vector<const Primitive<T>*> all() {
    return {&slice_rows_op,  &slice_cols_op,  &pad_rows_op,        &pad_cols_op,
            &concat_rows_op, &gather_cols_op, &scatter_add_cols_op};
  }
};
extern template struct ShapeOps<float>;
extern template struct ShapeOps<double>;

/// Rows first, ..., first + count - 1 of x. Throws InputError when they are not all there.
template <class T>
Var<T> slice_rows(Var<T> x, Index first, Index count) {
  return apply(ShapeOps<T>::slice_rows_op, {&x}, checked_attribute("slice_rows", first, count));
}
/// Columns first, ..., first + count - 1 of x. Throws InputError when they are not all there.
template <class T>
Var<T> slice_cols(Var<T> x, Index first, Index count) {
  return apply(ShapeOps<T>::slice_cols_op, {&x}, checked_attribute("slice_cols", first, count));
}
/// x with zero rows put before and after it. Throws InputError on a negative number of them.
template <class T>
Var<T> pad_rows(Var<T> x, Index before, Index after) {
  return apply(ShapeOps<T>::pad_rows_op, {&x}, checked_attribute("pad_rows", before, after));
}
/// x with zero columns put before and after it. Throws InputError on a negative number of them.
template <class T>
Var<T> pad_cols(Var<T> x, Index before, Index after) {
  return apply(ShapeOps<T>::pad_cols_op, {&x}, checked_attribute("pad_cols", before, after));
}
/// a's rows and then b's. Throws InputError when their columns differ.
template <class T>
Var<T> concat_rows(Var<T> a, Var<T> b) {
  return apply(ShapeOps<T>::concat_rows_op, {&a, &b});
}
/// The rows of all the parts in order. Throws InputError when there are none or their columns differ.
template <class T>
Var<T> concat_rows(std::span<const Var<T>> parts) {
  if (parts.empty()) throw InputError("concat_rows: there are no parts; there must be at least one");
  if (parts.size() == 1) return parts[0];
  // By halves, so that each row is copied log2(parts) times.
  const std::size_t half = parts.size() / 2;
  return concat_rows(concat_rows(parts.first(half)), concat_rows(parts.subspan(half)));
}

/// y_ij = x_{i, index_ij}: one or more picks from each row. `index` is n x m and constant, whole numbers
/// 0 ... d-1 (see Tape::labels). Throws InputError on an index that is none.
template <class T>
Var<T> gather_cols(Var<T> x, Var<T> index) {
  return apply(ShapeOps<T>::gather_cols_op, {&x, &index});
}
/// An n x cols matrix of zeros to which g_ij is added at (i, index_ij): the transpose of gather_cols.
template <class T>
Var<T> scatter_add_cols(Var<T> g, Var<T> index, Index cols) {
  return apply(ShapeOps<T>::scatter_add_cols_op, {&g, &index}, checked_attribute("scatter_add_cols", cols));
}

}  // namespace normalign

// Operations that only move values: slices and pads, rows put together, columns picked by index. Each is the
// transpose of another one here, which is its derivative.
#pragma once

#include <span>
#include <vector>

#include "autodiff/primitive.hpp"

namespace normalign {

/// Rows first, ..., first + count - 1 of x. Throws InputError when they are not all there.
template <class T>
Var<T> slice_rows(Var<T> x, Index first, Index count);
/// Columns first, ..., first + count - 1 of x. Throws InputError when they are not all there.
template <class T>
Var<T> slice_cols(Var<T> x, Index first, Index count);
/// x with zero rows put before and after it. Throws InputError on a negative number of them.
template <class T>
Var<T> pad_rows(Var<T> x, Index before, Index after);
/// x with zero columns put before and after it. Throws InputError on a negative number of them.
template <class T>
Var<T> pad_cols(Var<T> x, Index before, Index after);
/// a's rows and then b's. Throws InputError when their columns differ.
template <class T>
Var<T> concat_rows(Var<T> a, Var<T> b);
/// The rows of all the parts in order. Throws InputError when there are none or their columns differ.
template <class T>
Var<T> concat_rows(std::span<const Var<T>> parts);

/// y_ij = x_{i, index_ij}: one or more picks from each row. `index` is n x m and constant, whole numbers
/// 0 ... d-1 (see Tape::labels). Throws InputError on an index that is none.
template <class T>
Var<T> gather_cols(Var<T> x, Var<T> index);
/// An n x cols matrix of zeros to which g_ij is added at (i, index_ij): the transpose of gather_cols.
template <class T>
Var<T> scatter_add_cols(Var<T> g, Var<T> index, Index cols);

/// Every primitive defined in ops_shape.cpp.
template <class T>
std::span<const Primitive<T>* const> shape_primitives();

}  // namespace normalign

// Dense row-major matrices: one that owns its values and a view that borrows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <ostream>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/huge_pages.hpp"

namespace normalign {

/// Row, column and element counts; signed, so that differences are safe.
using Index = std::ptrdiff_t;

/// The extent of a matrix.
struct Shape {
  Index rows = 0;
  Index cols = 0;
  Index size() const { return rows * cols; }
  bool operator==(const Shape&) const = default;
};

/// Writes a shape as "32x784".
inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << shape.rows << 'x' << shape.cols;
}

/// Borrowed row-major values without gaps; `T` is const for a view that only reads.
template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  /// `data` points at rows * cols values that outlive the view.
  MatrixView(T* data, Index rows, Index cols) : data_(data), rows_(rows), cols_(cols) {}
  /// A reading view of a writable one.
  template <class U>
  requires(std::is_const_v<T>&& std::is_same_v<U, std::remove_const_t<T>>) MatrixView(const MatrixView<U>& other)
      : data_(other.data()), rows_(other.rows()), cols_(other.cols()) {}

  /// The first of rows * cols values, row after row; the extents; value, all values and row i, unchecked.
  T* data() const { return data_; }
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index size() const { return rows_ * cols_; }
  Shape shape() const { return {rows_, cols_}; }
  T& operator()(Index row, Index col) const { return data_[row * cols_ + col]; }
  std::span<T> span() const { return {data_, static_cast<std::size_t>(size())}; }
  std::span<T> row(Index i) const { return {data_ + i * cols_, static_cast<std::size_t>(cols_)}; }
  /// Rows first, ..., first + count - 1.
  MatrixView row_block(Index first, Index count) const { return {data_ + first * cols_, count, cols_}; }

 private:
  T* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
};

/// A view that only reads.
template <class T>
using ConstView = MatrixView<const T>;

/// An owning row-major matrix; zero where nothing else is said, deep on copy.
template <class T>
class Matrix {
 public:
  Matrix() = default;
  /// rows x cols zeros. Throws InputError on a negative extent or a size that no memory can hold.
  Matrix(Index rows, Index cols) : rows_(rows), cols_(cols) {
    if (rows < 0 || cols < 0)
      throw InputError(text("Matrix: shape is ", shape(), "; rows and cols must not be negative"));
    if (cols > 0 && rows > PTRDIFF_MAX / static_cast<Index>(sizeof(T)) / cols)
      throw InputError(text("Matrix: shape is ", shape(), "; that is more than memory can hold"));
    values_.assign(static_cast<std::size_t>(rows * cols), T(0));
  }
  /// The rows in order: `Matrix<double>{{1, 2}, {3, 4}}`. Throws InputError when they differ in length.
  Matrix(std::initializer_list<std::initializer_list<T>> rows)
      : Matrix(static_cast<Index>(rows.size()), rows.size() ? static_cast<Index>(rows.begin()->size()) : 0) {
    auto next = values_.begin();
    for (const auto& row : rows) {
      if (static_cast<Index>(row.size()) != cols_)
        throw InputError(text("Matrix: a row has ", row.size(), " values but the first has ", cols_));
      for (T value : row) *next++ = value;
    }
  }
  /// Takes over values that are there, row after row. Throws InputError when there are not rows * cols of them.
  Matrix(Index rows, Index cols, LargeVector<T> values) : rows_(rows), cols_(cols), values_(std::move(values)) {
    if (rows < 0 || cols < 0 || static_cast<std::size_t>(rows * cols) != values_.size())
      throw InputError(text("Matrix: shape is ", shape(), " but there are ", values_.size(), " values"));
  }
  /// A copy of what a view shows.
  explicit Matrix(ConstView<T> view)
      : rows_(view.rows()), cols_(view.cols()), values_(view.data(), view.data() + view.size()) {}

  /// The extents; the values, row after row; value, all values and row i, unchecked; views of the whole.
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index size() const { return rows_ * cols_; }
  Shape shape() const { return {rows_, cols_}; }
  bool empty() const { return size() == 0; }
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  T& operator()(Index row, Index col) { return values_[static_cast<std::size_t>(row * cols_ + col)]; }
  const T& operator()(Index row, Index col) const { return values_[static_cast<std::size_t>(row * cols_ + col)]; }
  std::span<T> span() { return values_; }
  std::span<const T> span() const { return values_; }
  std::span<T> row(Index i) { return view().row(i); }
  std::span<const T> row(Index i) const { return view().row(i); }
  MatrixView<T> view() { return {data(), rows_, cols_}; }
  ConstView<T> view() const { return {data(), rows_, cols_}; }
  operator MatrixView<T>() { return view(); }
  operator ConstView<T>() const { return view(); }

  /// Moves the values out, row after row; the matrix is then empty.
  LargeVector<T> take() {
    rows_ = cols_ = 0;
    return std::move(values_);
  }

  /// Gives the matrix another shape, not negative; its values are then unspecified. Memory that it has is used again.
  void resize(Index rows, Index cols) {
    values_.resize(static_cast<std::size_t>(rows * cols));
    rows_ = rows;
    cols_ = cols;
  }

  bool operator==(const Matrix&) const = default;

 private:
  Index rows_ = 0;
  Index cols_ = 0;
  LargeVector<T> values_;
};

/// The values of a matrix as `To`, each rounded once.
template <class To, class From>
Matrix<To> converted(MatrixView<From> from) {
  Matrix<To> to(from.rows(), from.cols());
  for (std::size_t i = 0; i < from.span().size(); ++i) to.span()[i] = static_cast<To>(from.span()[i]);
  return to;
}

/// The transpose: n x m of m x n.
template <class T>
Matrix<std::remove_const_t<T>> transposed(MatrixView<T> from) {
  Matrix<std::remove_const_t<T>> to(from.cols(), from.rows());
  for (Index i = 0; i < from.rows(); ++i)
    for (Index j = 0; j < from.cols(); ++j) to(j, i) = from(i, j);
  return to;
}

}  // namespace normalign

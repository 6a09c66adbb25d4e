// Coordinates of the span of some rows: few numbers in place of many columns, with the same lengths and angles.
#pragma once

#include "linalg/matrix.hpp"

namespace normalign {

/// Coordinates of points of d inputs in the span of n rows: r = min(n, d) along orthonormal directions, then the length
/// of what is left, which is 0 for the rows. Lengths of points, and distances and angles between a point and the rows,
/// are the same in both. Equal up to rounding, whose errors are relative to the length of the longest rows.
template <class T>
class SpanCoordinates {
 public:
  /// Of no rows and no inputs.
  SpanCoordinates() = default;
  /// rows: n x d, which may depend on each other. By reflections, for 4 n² d flops. Throws InputError when a value is
  /// not finite.
  explicit SpanCoordinates(ConstView<T> rows);
  /// The same of rows (n x d, whose memory the directions take) by their inner products in double, for 2 n² d flops:
  /// the i-th direction lies in the span of rows 0 ... i. Errors are those of rounding times the squared condition
  /// number of the rows scaled to length 1; where one of them is within 1e-3 of the span of those before it, relative
  /// to its length, or n > d, it is by reflections. Throws as above.
  static SpanCoordinates by_inner_products(Matrix<T> rows);
  /// Those of no rows along orthonormal directions, r x d, which another object had.
  static SpanCoordinates along(Matrix<T> directions);

  /// d, and the number of coordinates, r + 1.
  Index inputs() const { return directions_.cols(); }
  Index coordinates() const { return directions_.rows() + 1; }
  /// The orthonormal directions, r x d.
  ConstView<T> directions() const { return directions_; }
  /// The coordinates of the rows, n x (r + 1); equal rows have equal ones.
  ConstView<T> rows() const { return rows_; }

  /// The coordinates of the rows of x (m x d): m x (r + 1). Costs 4 m d r flops. Throws InputError on a misfit.
  Matrix<T> of(ConstView<T> x) const;
  /// The same; what is left of x beside the span goes to `rest`, m x d.
  Matrix<T> of(ConstView<T> x, MatrixView<T> rest) const;
  /// The points of the span that have these coordinates (m x (r + 1), the last of which is not looked at): m x d. Costs
  /// 2 m d r flops. Throws InputError on a misfit.
  Matrix<T> in_inputs(ConstView<T> coordinates) const;
  /// x <- x + those points, x of m x d. Costs and throws as `in_inputs` does.
  void add_in_inputs(ConstView<T> coordinates, MatrixView<T> x) const;

  /// The symmetric matrix M ((r + 1) x (r + 1), 0 beside the last diagonal value c) as one of the inputs, whose form is
  /// c times the squared length outside of the span: Qᵀ A Q + c (I - QᵀQ), d x d, with A the rest of M and Q (r x d)
  /// the directions. Throws InputError on a misfit.
  Matrix<T> metric_in_inputs(ConstView<T> metric) const;

 private:
  // The rows' coordinates along the directions (n x r, r x d), to which the one of the rest is added.
  SpanCoordinates(ConstView<T> lower, Matrix<T> directions);

  Matrix<T> directions_;  // r x d; that of the rest is another for each point
  Matrix<T> rows_;        // n x (r + 1)
};

}  // namespace normalign

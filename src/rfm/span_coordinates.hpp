// Tables with more columns than rows: the coordinates of their rows' span, in which kernel machines are small.
#pragma once

#include "rfm/kernel_machine.hpp"

namespace normalign {

/// Coordinates of points of d inputs in the span of n rows: r = min(n, d) along orthonormal directions, then the length
/// of what is left, which is 0 for the rows. Lengths of points, and distances and angles between a point and the rows,
/// are the same in both, so kernel, ridge regression, covariance and AGOP at the rows are. A machine whose centres are
/// among the rows and whose metric is a multiple of the identity outside of the span, as all metrics of `Rfm` are, is
/// thus one of r + 1 inputs: fit it to `rows()` with `RfmOptions::inputs` d. What needs the axes of the inputs, as
/// attacks in linf do, goes through `outputs_at` and `pull_back`.
///
/// Equal up to rounding, whose errors are relative to the length of the longest rows.
template <class T>
class SpanCoordinates {
 public:
  /// Of no rows and no inputs.
  SpanCoordinates() = default;
  /// rows: n x d, which may depend on each other. Costs 4 n² d flops. Throws InputError when a value is not finite.
  explicit SpanCoordinates(ConstView<T> rows);

  /// d, and the number of coordinates, r + 1.
  Index inputs() const { return basis_.cols(); }
  Index coordinates() const { return basis_.rows(); }
  /// The coordinates of the rows, n x (r + 1); equal rows have equal ones.
  ConstView<T> rows() const { return rows_; }

  /// The coordinates of the rows of x (m x d): m x (r + 1). Costs 4 m d r flops. Throws InputError on a misfit.
  Matrix<T> of(ConstView<T> x) const;

  /// The metric M ((r + 1) x (r + 1), 0 beside the last diagonal value c) between points as inputs: Qᵀ A Q + c (I -
  /// QᵀQ), d x d, with A the rest of M and Q (r x d) the directions. Throws InputError on a misfit.
  Matrix<T> metric_in_inputs(ConstView<T> metric) const;

  /// The outputs at the rows of x (m x d) of a machine of these coordinates, c of them: m x c. Throws InputError on a
  /// misfit or fewer than one thread.
  Matrix<T> outputs_at(const KernelMachine<T>& machine, ConstView<T> x, int threads = 1) const;

  /// What KernelMachine::pull_back does, for a machine of these coordinates and gradients in the inputs: writes sum_c
  /// s_c grad f_c at each row of x (m x d) to `gradients` (m x d), s being what `cotangents` makes of the row's
  /// outputs. Costs 6 m d r flops besides. Throws InputError on a misfit or fewer than one thread.
  void pull_back(const KernelMachine<T>& machine, ConstView<T> x,
                 const typename KernelMachine<T>::Cotangents& cotangents, MatrixView<T> gradients,
                 int threads = 1) const;

 private:
  Matrix<T> parted(ConstView<T> x, MatrixView<T> rest) const;

  Matrix<T> basis_;  // (r + 1) x d: the directions, then zeros, as the direction of the rest is another for each point
  Matrix<T> rows_;   // n x (r + 1)
};

}  // namespace normalign

// The predictor of kernel ridge regression, its outputs and its gradients in the input.
#pragma once

#include <functional>

#include "rfm/kernel_matrix.hpp"

namespace normalign {

struct TensorFile;

/// f(x) = sum_i k(|x - x_i|_M) a_i, from d inputs to c outputs, with centres x_i and coefficients a_i.
template <class T>
class KernelMachine {
 public:
  KernelMachine() = default;
  /// centres n x d, metric M d x d as `mahalanobis_factor` takes it, coefficients n x c. Throws InputError on a misfit
  /// or a kernel that `check` refuses.
  KernelMachine(const Kernel& kernel, Matrix<T> centres, Matrix<T> metric, Matrix<T> coefficients);

  /// What it was made of: k, the x_i (n x d), M (d x d), the a_i (n x c); d and c.
  const Kernel& kernel() const { return kernel_; }
  const Matrix<T>& centres() const { return centres_; }
  const Matrix<T>& metric() const { return metric_; }
  const Matrix<T>& coefficients() const { return coefficients_; }
  Index inputs() const { return metric_.rows(); }
  Index outputs() const { return coefficients_.cols(); }

  /// F of M = F Fᵀ, d x r.
  ConstView<T> factor() const { return factor_; }
  /// x (m x d) as points of the metric.
  MahalanobisPoints<T> points(ConstView<T> x) const { return {x, factor_}; }

  /// f at the rows of x (m x d): m x c. Throws InputError on a misfit or fewer than one thread, and what `stop` throws.
  Matrix<T> outputs_at(ConstView<T> x, int threads = 1, const StopPoll& stop = {}) const;

  /// Working memory of `factored_jacobians`, for a caller in a loop to keep: about 512 x 512 values.
  struct JacobianScratch {
    Matrix<T> values, slopes, scaled, part, sums;
  };
  /// Writes to a rows x (c r) matrix for each point from `first` on the Jacobian of f in the coordinates z = Fᵀx,
  /// output after output, r values each: J = (it) Fᵀ. Pairs nearer than `least_distance` contribute nothing. On one
  /// thread; memory for about rows x (c r + 512) + 512 x 512 values besides. Throws
  /// InputError on a misfit, and what `stop` throws.
  void factored_jacobians(const MahalanobisPoints<T>& points, Index first, MatrixView<T> out, JacobianScratch& scratch,
                          const StopPoll& stop = {}) const;

  /// The Jacobian of f at x (1 x d): c x d. Throws InputError on a misfit.
  Matrix<T> jacobian(ConstView<T> x) const;

  /// Sees the Jacobian of f (c x d) at a row.
  using JacobianVisit = std::function<void(Index row, ConstView<T> jacobian)>;

  /// Calls visit(i, J) for each row i of x (m x d), once, from any thread; J lives as long as the call. Throws
  /// InputError on a misfit or fewer than one thread, and what `stop` throws.
  void visit_jacobians(ConstView<T> x, const JacobianVisit& visit, int threads = 1, const StopPoll& stop = {}) const;

  /// Turns the outputs of some rows, of which the first is `first`, into the cotangents that are to be pulled back.
  using Cotangents = std::function<void(Index first, MatrixView<T> outputs)>;

  /// Writes sum_c s_c grad f_c at each row of x (m x d) to `gradients` (m x d), where s is what `cotangents` makes of
  /// the row's outputs; it is called once for each block of rows, from any thread. The kernel is evaluated once. Throws
  /// InputError on a misfit or fewer than one thread.
  void pull_back(ConstView<T> x, const Cotangents& cotangents, MatrixView<T> gradients, int threads = 1) const;

 private:
  Kernel kernel_;
  Matrix<T> centres_, metric_, coefficients_, factor_;
  MahalanobisPoints<T> centre_points_;
};

/// The machine as tensors `centres`, `metric`, `coefficients`, with the kernel as metadata `kernel`, `bandwidth`,
/// `exponent`.
template <class T>
TensorFile tensor_file(const KernelMachine<T>& machine);

/// The machine that `tensor_file` made the file of, rounded where it is stored in the other type. Throws InputError,
/// with the tensor or the metadata, found and expected, on a file that holds no machine.
template <class T>
KernelMachine<T> kernel_machine_from(const TensorFile& file);

}  // namespace normalign

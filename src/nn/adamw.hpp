// AdamW: Adam with decoupled weight decay (Loshchilov and Hutter 2019), as in PyTorch.
#pragma once

#include "nn/optimizer.hpp"

namespace normalign {

/// Settings of AdamW.
struct AdamWOptions {
  double learning_rate = 1e-3;
  /// Decay rates of the first and second moment.
  double beta1 = 0.9;
  double beta2 = 0.999;
  /// Added to the root of the second moment. Below the smallest normal number of the precision (1.2e-38 in float) it
  /// counts as that, so that a gradient of zero makes a step of zero.
  double epsilon = 1e-8;
  /// Decoupled decay: each step multiplies the parameter by 1 - learning_rate * weight_decay first.
  double weight_decay = 0;
};

/// w <- (1 - rate decay) w; m <- beta1 m + (1 - beta1) g; v <- beta2 v + (1 - beta2) g^2;
/// w <- w - rate / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon), at step t = 1, 2, ...
/// Moments are neither floored nor flushed to zero, and v does not underflow: where it is tiny, the state holds
/// -sqrt(v), which has the range of the gradient, in place of v.
template <class T>
class AdamW : public Optimizer<T> {
 public:
  /// Throws InputError on a setting that is negative or not finite, or a beta outside [0, 1).
  explicit AdamW(AdamWOptions options);
  void start(std::span<const MatrixView<T>> parameters) override;
  std::vector<MatrixView<T>> state() override;
  void resume(int steps) override { steps_ = steps; }
  void begin_step() override;
  void update(std::size_t parameter, Index first, std::span<T> values, std::span<const T> gradient) override;

 private:
  AdamWOptions options_;
  int steps_ = 0;
  T rate_ = 0, root_ = 0;  // of this step: rate / (1 - beta1^t), and 1 / sqrt(1 - beta2^t)
  std::vector<Matrix<T>> first_moment_;
  std::vector<Matrix<T>> second_moment_;  // v, or where it is tiny the negative of its root
};

}  // namespace normalign

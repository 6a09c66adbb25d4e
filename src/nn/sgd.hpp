// Stochastic gradient descent with momentum and coupled decay, as in PyTorch.
#pragma once

#include "nn/optimizer.hpp"

namespace normalign {

/// Settings of Sgd.
struct SgdOptions {
  double learning_rate = 0.1;
  /// Share of the velocity that is kept from step to step, without dampening; 0 turns it off.
  double momentum = 0;
  /// Coupled decay: this times the parameter is added to the gradient.
  double weight_decay = 0;
};

/// v <- momentum v + (g + decay w), with v = g + decay w at the first step; w <- w - rate v.
template <class T>
class Sgd : public Optimizer<T> {
 public:
  /// Throws InputError on a negative setting or one that is not finite.
  explicit Sgd(SgdOptions options);
  void start(std::span<const MatrixView<T>> parameters) override;
  std::vector<MatrixView<T>> state() override { return {velocity_.begin(), velocity_.end()}; }
  void resume(int) override {}
  void begin_step() override {}
  void update(std::size_t parameter, Index first, std::span<T> values, std::span<const T> gradient) override;

 private:
  SgdOptions options_;
  std::vector<Matrix<T>> velocity_;  // zero before the first step, which makes that step's v the gradient itself
};

}  // namespace normalign

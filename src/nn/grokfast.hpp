// GrokFast-EMA (Lee et al., arXiv:2405.20233): amplifies the slow part of the gradients.
#pragma once

#include <vector>

#include "nn/gradient_filter.hpp"

namespace normalign {

/// Settings of GrokFast; the defaults are the paper's protocol.
struct GrokFastOptions {
  /// Share of the moving average that is kept at each step.
  double alpha = 0.8;
  /// How much of the average is added to the gradient.
  double lambda = 0.1;
};

/// m <- alpha m + (1 - alpha) g, m starting at the first gradient; g <- g + lambda m.
template <class T>
class GrokFast : public GradientFilter<T> {
 public:
  /// Throws InputError unless 0 <= alpha <= 1 and lambda is finite.
  explicit GrokFast(GrokFastOptions options = {});
  void start(std::span<const MatrixView<T>> parameters) override;
  std::vector<MatrixView<T>> state() override { return {average_.begin(), average_.end()}; }
  void resume(int steps) override { started_.assign(started_.size(), steps > 0); }
  void apply(std::size_t parameter, ConstView<T> values, MatrixView<T> gradient) override;

 private:
  GrokFastOptions options_;
  std::vector<Matrix<T>> average_;
  std::vector<bool> started_;
};

}  // namespace normalign

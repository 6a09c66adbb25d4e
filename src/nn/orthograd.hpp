// OrthoGrad (Prieto et al., arXiv:2501.04697): takes out of the gradient its part along the weights.
#pragma once

#include "nn/gradient_filter.hpp"

namespace normalign {

/// g <- g - (<w, g> / |w|^2) w for each parameter tensor on its own, where |w|^2 > 1e-8; the length that is lost is not
/// given back. Inner products are summed in double, in a fixed order.
template <class T>
class OrthoGrad : public GradientFilter<T> {
 public:
  void start(std::span<const MatrixView<T>>) override {}
  std::vector<MatrixView<T>> state() override { return {}; }
  void resume(int) override {}
  void apply(std::size_t parameter, ConstView<T> values, MatrixView<T> gradient) override;
};

}  // namespace normalign

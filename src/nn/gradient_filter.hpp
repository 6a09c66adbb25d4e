// What a gradient filter is: a change of the gradient between the backward sweep and the optimizer.
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Changes a gradient in place, one parameter at a time; called for parameter 0, 1, ... at every step.
template <class T>
class GradientFilter {
 public:
  virtual ~GradientFilter() = default;
  /// Prepares the state for these parameters: once, before the first step.
  virtual void start(std::span<const MatrixView<T>> parameters) = 0;
  /// What is remembered from step to step, in a fixed order; views into this filter.
  virtual std::vector<MatrixView<T>> state() = 0;
  /// Goes on after `steps` steps: state() has been set to what it was after them.
  virtual void resume(int steps) = 0;
  /// Changes `gradient`, of the shape of `values`, for parameter number `parameter`.
  virtual void apply(std::size_t parameter, ConstView<T> values, MatrixView<T> gradient) = 0;
};

}  // namespace normalign

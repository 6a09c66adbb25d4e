// What an optimizer is: a state beside the parameters and an update of any stretch of them.
#pragma once

#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Updates parameters from gradients. The update of each value looks at that value's gradient and state alone, so
/// that stretches of a parameter may be updated in any order and on several threads.
template <class T>
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// Prepares the state for these parameters: once, before the first step.
  virtual void start(std::span<const MatrixView<T>> parameters) = 0;
  /// What is remembered from step to step besides their number, in a fixed order; views into this optimizer.
  virtual std::vector<MatrixView<T>> state() = 0;
  /// Goes on after `steps` steps: state() has been set to what it was after them.
  virtual void resume(int steps) = 0;
  /// Begins a step; each value is then updated exactly once.
  virtual void begin_step() = 0;
  /// Updates values first, first + 1, ... of parameter number `parameter` in place; `gradient` is as long as `values`.
  virtual void update(std::size_t parameter, Index first, std::span<T> values, std::span<const T> gradient) = 0;

 protected:
  /// Zeros of the parameters' shapes, for a state.
  static std::vector<Matrix<T>> zeros_like(std::span<const MatrixView<T>> parameters) {
    std::vector<Matrix<T>> zeros;
    for (const MatrixView<T>& p : parameters) zeros.emplace_back(p.rows(), p.cols());
    return zeros;
  }
};

}  // namespace normalign

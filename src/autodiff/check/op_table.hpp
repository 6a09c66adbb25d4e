// One row for every operation: what the tests and `normalign gradcheck` run over.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autodiff/check/gradcheck.hpp"

namespace normalign {

/// A function under test, with an independent definition of its value and the points at which it is tried.
struct OpRow {
  /// The primitive's name, with what is special about the row behind a blank: "multiply by a row".
  std::string name;
  /// Each entry is one set of input shapes to try.
  std::vector<std::vector<Shape>> shapes;
  /// The function; constant operands (labels, masks) are made inside it, so inputs are all differentiable.
  DifferentiableFunction function;
  /// Its value by plain loops over the entries.
  std::function<Matrix<double>(std::span<const Matrix<double>>)> naive;
  /// Inputs are drawn from (low, high), at least `gap` away from `kink`.
  double low = -2, high = 2;
  double kink = 0, gap = 0;
  /// Shapes that must be refused, and a part of the message that refuses them.
  std::vector<std::vector<Shape>> misfits = {};
  std::string message = {};

  /// The name of the primitive: up to the first blank.
  std::string primitive() const { return name.substr(0, name.find(' ')); }
  /// Random inputs of the given shapes in the row's domain.
  std::vector<Matrix<double>> inputs(const std::vector<Shape>& input_shapes, std::uint64_t seed) const;
};

/// Every row; each primitive of all_primitives() has at least one.
const std::vector<OpRow>& op_table();

}  // namespace normalign

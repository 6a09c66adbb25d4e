// Checks rules against central differences, and forward against reverse mode, to the third order.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "autodiff/tape.hpp"

namespace normalign {

/// A function of several matrices, written with the operations of this folder.
using DifferentiableFunction = std::function<Var<double>(Tape<double>&, std::span<const Var<double>>)>;

/// How a check is made.
struct GradcheckOptions {
  /// What a report calls the function.
  std::string name = "f";
  /// The highest order that is checked, 1 to 3.
  int order = 1;
  /// The step of the central differences, times max(1, |entry|).
  double step = 1e-5;
  /// The largest relative error that passes, by order.
  std::array<double, 3> tolerance{1e-6, 1e-6, 1e-6};
  /// Seed of the random directions that outputs are contracted with.
  std::uint64_t seed = 0;
};

/// What a check found.
struct GradcheckReport {
  bool passed = true;
  /// Largest relative errors by order, against differences: |reverse - difference| over the larger of 1 and the
  /// largest difference of that input; orders not checked are 0.
  std::array<double, 3> error{};
  /// Largest relative disagreement of forward and reverse mode by order, on the same scale.
  std::array<double, 3> forward_error{};
  /// Empty when passed, else one line: name, order, input, entry, both values, both errors, step and seed; or,
  /// where a step would cross a kink, that the probe was refused.
  std::string failure;
};

/// Checks every derivative of f up to `order` at `inputs`, entry by entry.
///
/// Order m takes s = <C_m, grad ... <C_1, f^m>> with m - 1 gradients, C_i random, and compares grad s with central
/// differences of s, each recorded derivative being differenced once; the power m keeps the right answer from
/// being zero for linear f. It also compares the pushforward of each inner derivative with its pullback, contracted
/// with random directions. Random contraction can miss an error that is orthogonal to every C; entries of inputs
/// are all tried. A point within a step of a kink (relu at 0, say) is refused, not passed: differences across a
/// kink mean nothing. The report's `passed` is false on a refusal or a NaN. Throws InputError on an order
/// outside 1 to 3, and whatever f throws.
GradcheckReport gradcheck(const DifferentiableFunction& f, const std::vector<Matrix<double>>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace normalign

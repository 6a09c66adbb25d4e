// Auto-PGD: projected gradient descent that chooses its own steps (Croce, Hein, "Reliable evaluation of adversarial
// robustness with an ensemble of diverse parameter-free attacks", ICML 2020), on any model that can tell its loss and
// the gradient of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "base/stop.hpp"
#include "robustness/attack_ball.hpp"

namespace normalign {

/// The ball that an attack searches, and for how long. Lengths are in the units of the inputs and in `norm`.
struct ApgdOptions {
  Norm norm = Norm::linf;
  /// The largest perturbation; 0 attacks nothing.
  double radius = 0.1;
  /// Of each start.
  int steps = 100;
  /// How often a row that is not fooled yet starts; at least 1.
  int restarts = 1;
  /// Whether the first start is a random point of the ball, else the input itself; the others are random.
  bool random_start = true;
  std::uint64_t seed = 0;
  /// Which of the random starts under this seed: start r is that of `pgd` at draw + r.
  std::uint32_t draw = 0;
  /// Where given, every point is clamped to it; the inputs must lie in it.
  std::optional<InputRange> clamp{};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Throws InputError on a radius that is negative or not finite, on negative steps, on fewer than one restart, and on a
/// range whose ends are not in order.
void check(const ApgdOptions& options);

/// What a model says of m points: the loss of each, its gradient (m x d), and whether the point fools the model, which
/// is 0 before.
template <class T>
struct PointLosses {
  std::span<double> losses;
  MatrixView<T> gradients;
  std::span<std::uint8_t> is_fooled;
};

/// Fills in the last argument for `points` (m x d), of which point j belongs to row rows[j] of the inputs.
template <class T>
using LossAndGradient =
    std::function<void(std::span<const Index> rows, ConstView<T> points, const PointLosses<T>& out)>;

/// What an attack found for n inputs.
template <class T>
struct AttackResult {
  Matrix<T> points;                     ///< n x d: where the model was fooled, else where the loss was the largest
  std::vector<double> losses;           ///< n: the loss there
  std::vector<std::uint8_t> is_fooled;  ///< n
};

/// Points near `inputs` (n x d) where the loss is large, by APGD: the best iterates.
///
/// From x it steps to x + 3/4 (z - x) + 1/4 (x - x'), where x' is the point before and z is x after a step of PGD, each
/// projected as `pgd` does; the first step is to z. The length of that step is at first 2 radii. At checkpoints, which
/// come ever closer (after 22 % of the steps first), it is halved, and the row goes back to its best point, where fewer
/// than three quarters of the steps since the last one raised the loss, or where it was not halved then and no better
/// point was found since.
///
/// A row is done with the first point that is said to fool the model, at a start or after a step. One that is never
/// said to has, over all its starts, the first point of the largest loss. Rows do not know of each other: attacking
/// some rows with their sample numbers gives what attacking all gives, unless the callback rounds otherwise for fewer
/// rows. Only rows that are not done are asked about, at most 1 + steps times for each start.
///
/// `samples` are n sample numbers; when empty, row i is sample i. Radius 0 asks once, at the inputs. Throws InputError
/// on options that `check` refuses, on sample numbers that do not fit and on inputs outside the range; RunError naming
/// the sample on a loss or a gradient that is not finite, unless it is of a point that fools the model;
/// Stopped when stopped, between two steps.
template <class T>
AttackResult<T> apgd(ConstView<T> inputs, const ApgdOptions& options,
                     const std::type_identity_t<LossAndGradient<T>>& model, std::span<const Index> samples = {});

}  // namespace normalign

// Projected gradient descent, the standard adversarial attack (Madry, Makelov, Schmidt, Tsipras, Vladu, "Towards deep
// learning models resistant to adversarial attacks", ICLR 2018), on any model that can tell the gradient of its loss.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <type_traits>

#include "base/stop.hpp"
#include "robustness/attack_ball.hpp"

namespace normalign {

/// The ball that an attack searches, and how. Lengths are in the units of the inputs and in `norm`.
struct PgdOptions {
  Norm norm = Norm::linf;
  /// The largest perturbation; 0 attacks nothing.
  double radius = 0.1;
  /// The length of one step.
  double step = 0.01;
  int steps = 20;
  /// Whether each row starts at a random point of the ball, else at the input itself.
  bool random_start = true;
  std::uint64_t seed = 0;
  /// Which of the random starts under this seed: the epoch, say, or the number of a restart.
  std::uint32_t draw = 0;
  /// Where given, every point is clamped to it; the inputs must lie in it.
  std::optional<InputRange> clamp{};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Throws InputError on a radius or a step that is negative or not finite, on negative steps, and on a range whose
/// ends are not in order.
void check(const PgdOptions& options);

/// Writes the gradient of each row's own loss at `points` (n x d) to the second argument (n x d, unspecified before).
template <class T>
using LossGradient = std::function<void(ConstView<T> points, MatrixView<T> gradients)>;

/// Points near `inputs` (n x d) where the loss is large: the last iterates of PGD, not the best ones, n x d.
///
/// Each step adds step * sign(gradient) (linf; sign(0) = 0) or step * gradient / |gradient| (l2; a zero gradient stays)
/// and projects on the ball around the input, then on the range; both are kept up to one rounding. A random start is
/// uniform in the cube (linf) or the ball (l2), by normals and uniforms of Stream::attack at row = samples[i], step =
/// draw. Rows do not know of each other: attacking some rows with their sample numbers gives what attacking all gives.
///
/// `samples` are n sample numbers; when empty, row i is sample i. Radius 0 returns the inputs and asks for no gradient.
/// Calls `gradient` once for each step, on all rows. Throws InputError on options that `check` refuses, on sample
/// numbers that do not fit and on inputs outside the range; RunError naming the sample on a gradient that is not
/// finite; Stopped when stopped, between two steps.
template <class T>
Matrix<T> pgd(ConstView<T> inputs, const PgdOptions& options, const std::type_identity_t<LossGradient<T>>& gradient,
              std::span<const Index> samples = {});

}  // namespace normalign

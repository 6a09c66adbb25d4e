// Attacks on a classifier, whatever model it is: which loss to climb, and what counts as success.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/stop.hpp"
#include "robustness/attack_ball.hpp"

namespace normalign {

/// Whether outputs f (k values) give the label: its output is the largest, the first of equal ones counting; with one
/// output, f > 0 for label 1 and f < 0 for label 0, so f = 0 gives neither. NaN outputs give none.
template <class T>
bool is_right(std::span<const T> f, std::int32_t label);

/// The class that outputs f (k values, one at least) mean: that of the largest, of equal ones the first; with one
/// output 1 where f > 0, else 0.
template <class T>
std::int32_t predicted_class(std::span<const T> f);

/// Turns the outputs of some rows, of which the first is `first`, into the cotangents that are to be pulled back.
template <class T>
using OutputCotangents = std::function<void(Index first, MatrixView<T> outputs)>;

/// A classifier, as attacks ask of it: shows the outputs at `points` (m x d) to `cotangents`, in one block of rows or
/// several and from any thread, and writes s_iᵀ J_i to row i of `gradients` (m x d), s_i being what it left there.
template <class T>
using PullBack =
    std::function<void(ConstView<T> points, const OutputCotangents<T>& cotangents, MatrixView<T> gradients)>;

/// Which attack. With y the row's class, the loss of cross entropy is log(1 + exp(m)), m = log sum_{j != y} exp(f_j) -
/// f_y; what is climbed is m itself, whose gradient has the same direction and does not vanish where the classifier is
/// sure. That of a target t is f_t - f_y, for each of the row's most likely other classes in turn.
enum class AttackKind {
  pgd,            ///< PGD on cross entropy: steps of a tenth of the radius, the last iterate counts
  apgd_ce,        ///< APGD on cross entropy
  apgd_targeted,  ///< APGD on the differences to targets
  apgd            ///< APGD on cross entropy, then on targets where that failed; with two classes both are one
};

/// The attack's name, as in a config.
std::string_view name(AttackKind kind);

/// The attack of that name. Throws InputError, which opens with `field` and lists the names, on any other.
AttackKind attack_kind(const char* field, std::string_view name);

/// How a classifier is attacked.
struct ClassAttackOptions {
  AttackKind kind = AttackKind::apgd;
  Norm norm = Norm::linf;
  /// Of each start.
  int steps = 100;
  /// Random starts of each row and each loss; at least 1.
  int restarts = 1;
  /// The most targets of a row; at least 1. The default is that of AutoAttack.
  Index targets = 9;
  std::uint64_t seed = 0;
  /// Which of the random starts under this seed; (1 + targets) restarts draws are used from here on.
  std::uint32_t draw = 0;
  /// Where given, every point is clamped to it; the inputs must lie in it.
  std::optional<InputRange> clamp{};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Throws InputError on negative steps, on fewer than one restart or target, and on a range whose ends are not in
/// order.
void check(const ClassAttackOptions& options);

/// What an attack within one radius found for n inputs.
template <class T>
struct ClassAttackResult {
  /// n x d: a point that is classified otherwise than the label says, else one where the first loss is large.
  Matrix<T> points;
  std::vector<std::uint8_t> is_fooled;  ///< n

  /// Per cent of the inputs that are not fooled.
  double accuracy() const;
};

/// Attacks `inputs` (n x d), whose classes are the n `labels`, within each of the radii, in their order.
///
/// An input that is classified wrongly itself is fooled at any radius, and one that is fooled within a radius is fooled
/// within a larger one, by the same point. So the accuracy at radius 0 is that without an attack, and it never rises
/// with the radius. A network of one output has the classes 0 and 1, as `is_right` tells them.
///
/// `samples` are n sample numbers, which address the random starts; when empty, row i is sample i. Throws InputError on
/// options that `check` refuses, a radius that is negative or not finite, labels that do not fit inputs and outputs,
/// and as `apgd` does; RunError naming the sample on an output, a loss or a gradient that is not finite; Stopped when
/// stopped.
template <class T>
std::vector<ClassAttackResult<T>> class_attacks(ConstView<T> inputs, std::span<const std::int32_t> labels,
                                                std::span<const double> radii, const ClassAttackOptions& options,
                                                const std::type_identity_t<PullBack<T>>& classifier,
                                                std::span<const Index> samples = {});

}  // namespace normalign

// How good a network is on inputs that an adversary may move.
#pragma once

#include <memory>
#include <vector>

#include "nn/evaluate.hpp"
#include "robustness/class_attack.hpp"
#include "robustness/pgd.hpp"

namespace normalign {

/// Attacks a network by PGD on its task loss, on row blocks that depend on the data alone, so with the same bits at any
/// number of threads. Its tapes keep their memory between calls.
template <class T>
class Attack {
 public:
  /// The network is borrowed. Throws InputError on options that `check` refuses or fewer than one thread.
  Attack(const Mlp<T>& mlp, Loss loss, const PgdOptions& options, int threads);
  ~Attack();

  /// The attacked inputs of `data`, n x d, good until the next call; each row goes up the gradient of its own loss.
  /// The sample numbers address the random starts. Throws InputError when `check_labelled` does, when the shapes do not
  /// fit or `pgd` refuses; RunError on a gradient that is not finite, Stopped when stopped.
  ConstView<T> inputs(const Batch<T>& data);
  /// Loss and accuracy on the attacked inputs, as Evaluator defines them: the accuracy is the adversarial one, per
  /// cent of all rows. Throws as `inputs` does.
  Evaluation operator()(const Batch<T>& data);

 private:
  struct Block;
  const Mlp<T>& mlp_;
  Loss loss_;
  PgdOptions options_;
  int threads_;
  Evaluator<T> evaluate_;
  Matrix<T> inputs_;
  std::vector<Index> counted_samples_;
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::exception_ptr> failures_;
};

/// Attacks the classes that a network gives to `data`, whose targets are not looked at, within each of the radii, as
/// `class_attacks` does for any classifier, on row blocks that depend on the data alone, so with the same bits at any
/// number of threads. Throws as that does, and InputError on no rows, inputs of another width than the network's or
/// fewer than one thread.
template <class T>
std::vector<ClassAttackResult<T>> class_attacks(const Mlp<T>& mlp, const Batch<T>& data, std::span<const double> radii,
                                                const ClassAttackOptions& options, int threads);

}  // namespace normalign

// How good a network is on a data set.
#pragma once

#include <memory>
#include <vector>

#include "nn/batch.hpp"
#include "nn/mlp.hpp"

namespace normalign {

/// Loss and accuracy over a set of samples.
struct Evaluation {
  double loss = 0;  ///< the task loss as losses.hpp defines it
  /// Per cent of the samples whose class is right. Of targets, 100 R²: the share of their variance that is predicted,
  /// the mean over the targets (regression_scores.hpp), which may be below 0.
  double accuracy = 0;
  std::vector<double> rmse = {};  ///< of each target, in its unit; none of classes
};

/// Throws InputError, opened by `caller`, when the network cannot be evaluated on `data` under the loss: no rows, not
/// one label per row, a label that is no class (a network of one output has classes 0 and 1), or targets (for mse and
/// bce) that are not n x k.
template <class T>
void check_labelled(const char* caller, const Mlp<T>& mlp, Loss loss, const Batch<T>& data);

/// f at the rows of x (m x d): m x k. On up to `threads` threads, with the same bits at any number. Throws InputError
/// on a misfit, no rows or fewer than one thread.
template <class T>
Matrix<T> outputs_at(const Mlp<T>& mlp, ConstView<T> x, int threads = 1);

/// The class at each row of x (m x d), as `predicted_class` has it: m. Threads and exceptions as of `outputs_at`.
template <class T>
std::vector<std::int32_t> classes_at(const Mlp<T>& mlp, ConstView<T> x, int threads = 1);

/// Evaluates a network on row blocks that depend on the data alone, so with the same bits at any number of threads.
/// Keeps its memory between calls.
template <class T>
class Evaluator {
 public:
  /// The network is borrowed; the loss is that of output_scale * f. Throws InputError on fewer than one thread.
  Evaluator(const Mlp<T>& mlp, Loss loss, int threads, double output_scale = 1);
  ~Evaluator();

  /// Loss and accuracy on `data`, whose sample numbers are not needed; a row of a class counts where `is_right` holds.
  /// Throws InputError when there are no rows or the shapes do not fit.
  Evaluation operator()(const Batch<T>& data);

 private:
  struct Block;
  const Mlp<T>& mlp_;
  Loss loss_;
  int threads_;
  double output_scale_;
  Matrix<T> outputs_;  // of a regression
  std::vector<std::unique_ptr<Block>> blocks_;
  std::vector<std::exception_ptr> failures_;
};

}  // namespace normalign

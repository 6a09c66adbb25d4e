// One training step of a network: row blocks on the tapes of the threads, one join, the update.
#pragma once

#include <memory>
#include <vector>

#include "linalg/row_blocks.hpp"
#include "nn/gradient_filter.hpp"
#include "nn/grokalign.hpp"
#include "nn/losses.hpp"
#include "nn/optimizer.hpp"

namespace normalign {

/// The samples of one step, borrowed.
template <class T>
struct Batch {
  ConstView<T> inputs;                     ///< n x d
  std::span<const std::int32_t> labels{};  ///< n class numbers, for cross_entropy
  ConstView<T> targets{};                  ///< n x k values, for mse and bce
  std::span<const Index> samples{};        ///< n numbers of the samples in the data set: they address random draws
};

/// What a step minimises and how it runs.
struct TrainStepOptions {
  Loss loss = Loss::cross_entropy;
  /// How cross_entropy is differentiated; as PyTorch does it unless said.
  CrossEntropyGradient cross_entropy_gradient = CrossEntropyGradient::subtracted;
  /// s: the task loss is that of s f.
  double output_scale = 1;
  GrokAlignOptions grokalign{};
  /// A gradient longer than this, over all parameters together, is scaled down to it before the filters; 0: never.
  double gradient_clip = 0;
  /// Seed of the random directions.
  std::uint64_t seed = 0;
  /// Threads that the row blocks run on; the result does not depend on it.
  int threads = 1;
};

/// What a step found before its update, averaged over the batch.
struct StepResult {
  double task_loss = 0;
  double jacobian_norm = 0;  ///< mean_i |J_i|_F as estimated; 0 where it is not penalised
  double offset_norm = 0;    ///< mean_i |b_i|^2; 0 where it is not penalised
  double total = 0;          ///< the task loss and the penalty
};

/// Trains one network step by step.
///
/// A batch of more than 250 rows is cut into row blocks (see row_blocks.hpp); each thread records the losses of its
/// blocks, one after the other, on a tape of its own that persists, and gradients are added in block order. A batch of
/// fewer rows is one block on one tape, as is one whose blocks' gradients would together take more than 64 MiB: the
/// threads then share the operations (see parallel_ranges.hpp). Either way the bits are the same at any number of
/// threads. Where |mean_i |J_i|_F - level| is penalised, the mean is taken over all blocks, each on a tape of its own,
/// before any sweeps back. Once it has seen its largest batch a step calls malloc zero times.
template <class T>
class TrainStep {
 public:
  /// The network, the optimizer and the filters (applied in order) are borrowed; optimizer and filters are started.
  /// Throws InputError on options that `check` refuses, a negative clip or fewer than one thread.
  TrainStep(Mlp<T>& mlp, Optimizer<T>& optimizer, std::vector<GradientFilter<T>*> filters,
            const TrainStepOptions& options);
  ~TrainStep();

  /// Takes step number `step` (0, 1, ...; it addresses random draws) on a batch and updates the parameters. Throws
  /// InputError on an empty batch or shapes that do not fit; the parameters are then unchanged.
  StepResult operator()(const Batch<T>& batch, std::uint32_t step);

  /// The gradients of the last step as the optimizer saw them, in the order of Mlp::parameters; empty unless there are
  /// filters or a clip, or after `keep_gradients`.
  std::span<const Matrix<T>> gradients() const { return gradients_; }
  /// Writes gradients() at every step, at the price of one more pass over the parameters.
  void keep_gradients();
  /// Bytes on each tape at its highest point in the last step, summed over tapes.
  Index tape_bytes() const;
  /// The bytes of a block's losses before its sweep back, values that some rule will read: of the largest block on each
  /// tape in the last step, summed over tapes.
  Index recorded_bytes() const;

 private:
  struct Recorder;
  struct Block;
  struct Stretch;
  void check_batch(const Batch<T>& batch) const;
  void record(Recorder& recorder, Block& block, const Batch<T>& batch, RowBlock rows, std::uint32_t step);
  void sweep(Recorder& recorder, Block& block, double norm_weight);
  Index blocks_for(Index rows) const;
  void clip();
  void update();

  Mlp<T>& mlp_;
  Optimizer<T>& optimizer_;
  std::vector<GradientFilter<T>*> filters_;
  TrainStepOptions options_;
  std::vector<MatrixView<T>> parameters_;
  std::vector<Matrix<T>> gradients_;
  std::vector<Stretch> stretches_;
  std::vector<std::unique_ptr<Recorder>> recorders_;
  // After their recorders, whose tapes hold the gradients' memory.
  std::vector<std::unique_ptr<Block>> blocks_;
  Index active_blocks_ = 0;
  std::vector<std::exception_ptr> failures_;
};

}  // namespace normalign

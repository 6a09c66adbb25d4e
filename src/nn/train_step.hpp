// One training step of a network: row blocks on the tapes of the threads, one join, the update.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "linalg/thread_choice.hpp"
#include "nn/batch.hpp"
#include "nn/gradient_filter.hpp"
#include "nn/optimizer.hpp"
#include "nn/penalty.hpp"
#include "nn/sample_share.hpp"

namespace normalign {

/// What a step minimises and how it runs.
template <class T>
struct TrainStepOptions {
  Loss loss = Loss::cross_entropy;
  /// How cross_entropy is differentiated; as PyTorch does it unless said.
  CrossEntropyGradient cross_entropy_gradient = CrossEntropyGradient::subtracted;
  /// s: the task loss is that of s f.
  double output_scale = 1;
  /// What is added to the task loss; borrowed.
  std::vector<const Penalty<T>*> penalties{};
  /// A gradient longer than this, over all parameters together, is scaled down to it before the filters; 0: never.
  double gradient_clip = 0;
  /// What changes the gradient before the optimizer sees it, in this order; borrowed.
  std::vector<GradientFilter<T>*> filters{};
  /// Seed of the penalties' random draws.
  std::uint64_t seed = 0;
  /// Threads that the row blocks run on, or as many fewer as are faster; the result does not depend on it.
  int threads = 1;
};

/// What a step found before its update, averaged over the batch.
struct StepResult {
  double task_loss = 0;
  double total = 0;  ///< the task loss and what the penalties add to it
  /// The penalties' terms, without their weights, in the order of TrainStep::term_names; good until the next step. Of a
  /// penalty on a share of the samples they are estimates: their mean over steps is that of the whole terms.
  std::span<const double> terms{};
};

/// Trains one network step by step.
///
/// A batch of more than 250 rows is cut into row blocks (see row_blocks.hpp); each thread records the losses of its
/// blocks, one after the other, on a tape of its own that persists, and gradients are added in block order. There are
/// at most ceil(rows / 250) of them, as many as have their gradients in 64 MiB together, and an even number. A batch of
/// fewer rows is one block on one tape, as is one of which not even two have: the threads then share the operations
/// (see parallel_ranges.hpp). Either way the bits are the same at any number of threads, so a step takes as many as
/// make it fastest (thread_choice.hpp). Under a penalty that is not linear in its terms all blocks, each on a tape of
/// its own, are recorded before any sweeps back. A penalty on a share of the samples sees the rows that are drawn for
/// the step, before the batch is cut; the network is called on them once more, on the tapes of some row blocks. In a
/// step that draws none it costs nothing. Once it has seen its largest batch a step calls malloc zero times, where its
/// penalties do not.
template <class T>
class TrainStep {
 public:
  /// The network, the optimizer, the penalties and the filters are borrowed; optimizer and filters are started.
  /// Throws InputError on a negative clip, fewer than one thread, a penalty's share that is not in (0, 1], or two terms
  /// of penalties with one name.
  TrainStep(Mlp<T>& mlp, Optimizer<T>& optimizer, TrainStepOptions<T> options = {});
  ~TrainStep();

  /// Takes step number `step` (0, 1, ...; it addresses random draws) on a batch and updates the parameters. Throws
  /// InputError on an empty batch or shapes that do not fit; the parameters are then unchanged.
  StepResult operator()(const Batch<T>& batch, std::uint32_t step);

  /// The names of the penalties' terms, in the order of StepResult::terms.
  const std::vector<std::string>& term_names() const { return term_names_; }
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
  struct DrawnRows;
  struct PenaltyTerms;
  struct Stretch;
  void add_penalties();
  void cut_into_stretches();
  Index blocks_for(Index rows) const;
  void record(Recorder& recorder, Block& block, const Batch<T>& batch, Index index, std::uint32_t step);
  std::span<const Index> drawn_rows_of(const SampleShare& drawn, Index index) const;
  void record_drawn(std::size_t p, Recorder& recorder, PenaltyBlock<T> whole, const Batch<T>& batch,
                    std::span<const Index> rows);
  void sweep(Recorder& recorder, Block& block);
  double penalty();
  StepResult summed_up();
  std::span<const T> summed(const Stretch& stretch, std::span<T> sum) const;
  void clip();
  void update();

  Mlp<T>& mlp_;
  Optimizer<T>& optimizer_;
  TrainStepOptions<T> options_;
  ThreadChoice threads_;
  std::vector<PenaltyTerms> penalties_;
  bool is_linear_ = true;
  // Of all penalties, one after the other.
  std::vector<std::string> term_names_;
  std::vector<double> weights_, slopes_, terms_;
  std::vector<MatrixView<T>> parameters_;
  std::vector<Matrix<T>> gradients_;
  std::vector<Stretch> stretches_;
  std::vector<Index> counted_samples_;
  std::span<const Index> samples_;  // of the batch at hand
  std::vector<std::unique_ptr<Recorder>> recorders_;
  // After their recorders, whose tapes hold the gradients' memory.
  std::vector<std::unique_ptr<Block>> blocks_;
  Index active_blocks_ = 0;
  std::vector<std::exception_ptr> failures_;
};

}  // namespace normalign

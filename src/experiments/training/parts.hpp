// The parts of a run as its settings ask for them: network, loss, optimizer, filters, penalties, noise.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "data/dataset.hpp"
#include "experiments/training/config.hpp"
#include "linalg/span_coordinates.hpp"
#include "nn/grokalign.hpp"
#include "nn/mlp_file.hpp"
#include "nn/train_step.hpp"

namespace normalign {

/// What a run trains, and with what.
template <class T>
struct TrainingParts {
  Mlp<T> network;
  Loss loss;
  std::unique_ptr<Optimizer<T>> optimizer;
  std::vector<std::unique_ptr<GradientFilter<T>>> filters = {};  ///< in the order of `all_conditions`
  std::vector<std::unique_ptr<Penalty<T>>> penalties = {};
  /// The standard deviation of the noise on the training inputs in an epoch that begins with that accuracy (per cent,
  /// as `Evaluation` has it) on them; empty: no noise.
  std::function<double(double accuracy)> input_noise = {};

  /// The coordinates of the data's span that the network's inputs are; none where they are the data's own columns.
  std::optional<SpanCoordinates<T>> coordinates = {};

  /// What the step is told of loss, penalties and filters, which must outlive it.
  TrainStepOptions<T> step_options(const RunConfig& config, int threads) const;
  /// What training changes: the parameters, then what optimizer and filters remember, once a step has been made.
  std::vector<MatrixView<T>> state();
  /// Goes on after `steps` steps, whose end `state` has been set to.
  void resume(std::uint32_t steps);
  /// The network of the data's own columns, as a file.
  TensorFile model() const;
};

/// The parts of a run of `config`, with the network that `network_of` gives. Throws InputError as it does, and on an
/// unknown loss.
template <class T>
TrainingParts<T> training_parts(const RunConfig& config, Index inputs, Index outputs);

/// Puts the network of `parts`, which no step has been made of, into coordinates of the span of `data`, the first of
/// which are the columns that noise spares, and returns the data there (in_span.hpp).
template <class T>
Split<T> enter_span(TrainingParts<T>& parts, const RunConfig& config, const Split<T>& data);

/// The loss. Throws InputError listing the known ones.
Loss loss_of(const RunConfig& config);

/// How GrokAlign finds Jacobian norms, and on which share of the samples; of weight 0.
GrokAlignOptions jacobian_options(const RunConfig& config);

/// The network in a safetensors file, as mlp_from reads it with `options`. Throws InputError, naming the file, when it
/// cannot be read or holds none, and the tensor too where a value is not finite, or so large that outputs or slopes at
/// inputs of size one could exceed 1e100.
template <class T>
Mlp<T> model_in(const std::filesystem::path& file, const MlpFileOptions& options = {});

/// The network for `inputs` columns as it starts: random, or the one of `initial_model`. It has as many `outputs` as
/// tell what is predicted (`Dataset::outputs`), or a single one that tells two classes apart by its sign. Throws
/// InputError on `single_output` with other than two classes, and, naming the file, on a model that cannot be read or
/// has another form.
template <class T>
Mlp<T> network_of(const RunConfig& config, Index inputs, Index outputs);

/// What the outputs are compared with: the targets; else nothing for cross_entropy, which takes the labels; one-hot
/// rows; for a single output 1 for label 1, and for label 0 -1 with mse and 0 with bce. n x outputs. Throws InputError,
/// naming the loss, where targets have another one than mse.
template <class T>
Matrix<T> targets_of(const RunConfig& config, const Dataset<T>& data);

}  // namespace normalign

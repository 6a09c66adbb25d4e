// The parts of a run as its settings ask for them: network, targets, loss, optimizer, filters, penalty.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "data/dataset.hpp"
#include "experiments/training/config.hpp"
#include "nn/gradient_filter.hpp"
#include "nn/grokalign.hpp"
#include "nn/losses.hpp"
#include "nn/mlp_file.hpp"
#include "nn/optimizer.hpp"

namespace normalign {

/// The loss. Throws InputError listing the known ones.
Loss loss_of(const RunConfig& config);

/// How a cross entropy is differentiated.
CrossEntropyGradient cross_entropy_gradient_of(const RunConfig& config);

/// The optimizer, not yet started.
template <class T>
std::unique_ptr<Optimizer<T>> optimizer_of(const RunConfig& config);

/// The gradient filters of the condition in the order of the protocol, GrokFast before OrthoGrad; not yet started.
template <class T>
std::vector<std::unique_ptr<GradientFilter<T>>> filters_of(const RunConfig& config);

/// The penalty of the condition: GrokAlign, or a Jacobian norm held at a level; of weight 0 for other conditions.
GrokAlignOptions penalty_of(const RunConfig& config);

/// The network in a safetensors file, as mlp_from reads it with `options`. Throws InputError, naming the file, when it
/// cannot be read or holds none, and the tensor too where a value is not finite, or so large that outputs or slopes at
/// inputs of size one could exceed 1e100.
template <class T>
Mlp<T> model_in(const std::filesystem::path& file, const MlpOptions& options = {});

/// The network for `inputs` columns as it starts: random, or the one of `initial_model`. It has one output for each of
/// `classes`, or a single one that tells two classes apart by its sign. Throws InputError on `single_output` with other
/// than two classes, and, naming the file, on a model that cannot be read or has another form.
template <class T>
Mlp<T> network_of(const RunConfig& config, Index inputs, Index classes);

/// What the outputs are compared with: nothing for cross_entropy, which takes the labels; one-hot rows; for a single
/// output 1 for label 1, and for label 0 -1 with mse and 0 with bce. n x outputs.
template <class T>
Matrix<T> targets_of(const RunConfig& config, const Dataset<T>& data);

}  // namespace normalign

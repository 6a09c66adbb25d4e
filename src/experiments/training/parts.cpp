#include "experiments/training/parts.hpp"

#include <algorithm>
#include <cmath>

#include "base/memory.hpp"
#include "base/nearest_name.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/condition.hpp"
#include "experiments/training/settings_read.hpp"
#include "nn/adamw.hpp"
#include "nn/in_span.hpp"
#include "nn/sgd.hpp"

namespace normalign {
namespace {

MlpOptions network(const RunConfig& c, Index inputs, Index outputs) {
  MlpOptions options{.activation = activation(c.activation),
                     .bias = c.bias,
                     .init_scale = c.init_scale,
                     .seed = static_cast<std::uint64_t>(c.seed)};
  options.widths = {inputs};
  options.widths.insert(options.widths.end(), c.hidden.begin(), c.hidden.end());
  options.widths.push_back(outputs);
  return options;
}

// For the parameters, their gradient, and what optimizer and condition keep of each.
template <class T>
void require_training_memory(const RunConfig& c, const MlpOptions& options) {
  double parameters = 0;
  std::string widths = std::to_string(options.widths.front());
  for (std::size_t i = 1; i < options.widths.size(); ++i) {
    parameters += static_cast<double>(options.widths[i]) * static_cast<double>(options.widths[i - 1] + options.bias);
    widths += text('-', options.widths[i]);
  }
  double copies = 2 + (c.optimizer == "sgd" ? c.momentum > 0 : 2);
  for (const Condition* condition : conditions_of(c.condition)) copies += condition->values_kept;
  require_memory(copies * static_cast<double>(sizeof(T)) * parameters, "hidden: training a network " + widths);
}

// The network of a file, which must have the form that `options` says.
template <class T>
Mlp<T> network_from(const std::string& file, const MlpOptions& options) {
  MlpFileOptions known{.widths = options.widths, .activation = options.activation};
  if (options.activation == Activation::leaky_relu) known.slope = options.slope;
  Mlp<T> mlp = model_in<T>(file, known);
  if (const bool found = mlp.options().bias; found != options.bias)
    throw InputError(text(file, ": bias is ", found, "; the run's is ", options.bias));
  return mlp;
}

// The entry of the largest size.
template <class T>
struct Largest {
  double size = 0;
  Index row = 0, col = 0;

  explicit Largest(ConstView<T> values) {
    for (Index i = 0; i < values.rows(); ++i)
      for (Index j = 0; j < values.cols(); ++j)
        if (const double found = std::abs(static_cast<double>(values(i, j))); found > size) {
          size = found;
          row = i;
          col = j;
        }
  }
};

// Throws InputError, naming the tensor, where inputs of size one could bring values of more than 1e100 about: squares
// of such values, and of their products with inputs, are no doubles. `names` are those of the layers.
template <class T>
void check_sizes(const Mlp<T>& mlp, const std::vector<LayerNames>& names) {
  constexpr double most = 100;  // all sizes are decimal logarithms
  double size = 0;
  for (std::size_t l = 0; l < mlp.layers().size(); ++l) {
    const auto& [weight, bias] = mlp.layers()[l];
    const Largest<T> of_weight(weight), of_bias(bias);
    const double terms = static_cast<double>(weight.cols());
    const double by_weight = size + std::log10(of_weight.size) + std::log10(terms), by_bias = std::log10(of_bias.size);
    size = std::max(by_weight, by_bias);
    if (l + 1 < mlp.layers().size()) {
      if (mlp.options().activation == Activation::leaky_relu) size += std::log10(std::max(1.0, mlp.options().slope));
      if (mlp.options().activation == Activation::quadratic) size = std::max(size, 2 * size);
    }
    if (size > most) {
      const bool is_weight = by_weight >= by_bias;
      const Largest<T>& largest = is_weight ? of_weight : of_bias;
      throw InputError(text("tensor ", one_line(is_weight ? names[l].weight : names[l].bias),
                            ": found a value of size ", largest.size, " at (", largest.row, ", ", largest.col,
                            "), by which outputs grow to about 1e", std::lround(size), ", expected at most 1e", most));
    }
  }
}

// Not yet started.
template <class T>
std::unique_ptr<Optimizer<T>> optimizer_of(const RunConfig& c) {
  if (c.optimizer == "sgd")
    return std::make_unique<Sgd<T>>(
        SgdOptions{.learning_rate = c.learning_rate, .momentum = c.momentum, .weight_decay = c.weight_decay});
  return std::make_unique<AdamW<T>>(AdamWOptions{.learning_rate = c.learning_rate,
                                                 .beta1 = c.beta1,
                                                 .beta2 = c.beta2,
                                                 .epsilon = c.epsilon,
                                                 .weight_decay = c.weight_decay});
}

}  // namespace

template <class T>
TrainStepOptions<T> TrainingParts<T>::step_options(const RunConfig& config, int threads) const {
  TrainStepOptions<T> options{.loss = loss,
                              .cross_entropy_gradient = config.accurate_cross_entropy
                                                            ? CrossEntropyGradient::accurate
                                                            : CrossEntropyGradient::subtracted,
                              .gradient_clip = config.gradient_clip,
                              .seed = static_cast<std::uint64_t>(config.seed),
                              .threads = threads};
  for (const auto& penalty : penalties) options.penalties.push_back(penalty.get());
  for (const auto& filter : filters) options.filters.push_back(filter.get());
  return options;
}

template <class T>
std::vector<MatrixView<T>> TrainingParts<T>::state() {
  std::vector<MatrixView<T>> result = network.parameters();
  const auto add = [&](const std::vector<MatrixView<T>>& views) {
    result.insert(result.end(), views.begin(), views.end());
  };
  add(optimizer->state());
  for (const auto& filter : filters) add(filter->state());
  return result;
}

template <class T>
void TrainingParts<T>::resume(std::uint32_t steps) {
  optimizer->resume(static_cast<int>(steps));
  for (const auto& filter : filters) filter->resume(static_cast<int>(steps));
}

template <class T>
TensorFile TrainingParts<T>::model() const {
  return coordinates ? tensor_file(in_inputs(network, *coordinates)) : tensor_file(network);
}

template <class T>
TrainingParts<T> training_parts(const RunConfig& config, Index inputs, Index outputs) {
  TrainingParts<T> parts{
      .network = network_of<T>(config, inputs, outputs), .loss = loss_of(config), .optimizer = optimizer_of<T>(config)};
  for (const Condition* condition : conditions_of(config.condition)) condition->add(config, parts);
  return parts;
}

template <class T>
Split<T> enter_span(TrainingParts<T>& parts, const RunConfig& config, const Split<T>& data) {
  InSpan<T> found = in_span(parts.network, data, reads(config, "noise_first_column") ? config.noise_first_column : 0);
  parts.network = std::move(found.network);
  parts.coordinates = std::move(found.coordinates);
  return std::move(found.data);
}

template <class T>
Mlp<T> model_in(const std::filesystem::path& file, const MlpFileOptions& options) {
  try {
    const TensorFile tensors = read_safetensors(file);
    Mlp<T> mlp = mlp_from<T>(tensors, options);
    check_sizes(mlp, linear_layers(tensors));
    return mlp;
  } catch (const InputError& error) {
    const std::string message = error.what();
    throw InputError(message.starts_with(file.string()) ? message : file.string() + ": " + message);
  }
}

Loss loss_of(const RunConfig& config) {
  constexpr std::array losses = {Loss::cross_entropy, Loss::mse, Loss::bce};
  return named("loss", config.loss, losses, [](Loss loss) { return name(loss); });
}

GrokAlignOptions jacobian_options(const RunConfig& config) {
  return {.norm = config.jacobian_norm == "exact" ? JacobianNorm::exact : JacobianNorm::projection,
          .projections = static_cast<int>(config.projections),
          .share = config.penalty_share};
}

template <class T>
Mlp<T> network_of(const RunConfig& config, Index inputs, Index outputs) {
  if (config.single_output && outputs != 2)
    throw InputError(text("single_output: found true with ", outputs, " classes, expected 2"));
  const MlpOptions options = network(config, inputs, config.single_output ? 1 : outputs);
  require_training_memory<T>(config, options);
  return config.initial_model.empty() ? Mlp<T>(options) : network_from<T>(config.initial_model, options);
}

template <class T>
Matrix<T> targets_of(const RunConfig& config, const Dataset<T>& data) {
  const Loss loss = loss_of(config);
  if (data.is_regression()) {
    if (loss != Loss::mse)
      throw InputError(
          text("loss: found ", settings::written(config.loss), ", expected \"mse\", as there are targets"));
    return data.targets;
  }
  if (loss == Loss::cross_entropy) return {};
  if (!config.single_output) return one_hot<T>(data.labels, data.classes);
  Matrix<T> targets(data.inputs.rows(), 1);
  for (Index i = 0; i < targets.rows(); ++i)
    targets(i, 0) = data.labels[static_cast<std::size_t>(i)] == 1 ? T{1} : loss == Loss::mse ? T{-1} : T{0};
  return targets;
}

#define NORMALIGN_INSTANTIATE(T)                                                      \
  template struct TrainingParts<T>;                                                   \
  template TrainingParts<T> training_parts(const RunConfig&, Index, Index);           \
  template Split<T> enter_span(TrainingParts<T>&, const RunConfig&, const Split<T>&); \
  template Mlp<T> model_in(const std::filesystem::path&, const MlpFileOptions&);      \
  template Mlp<T> network_of(const RunConfig&, Index, Index);                         \
  template Matrix<T> targets_of(const RunConfig&, const Dataset<T>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

#include "nn/mlp_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "base/natural_order.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {

// A linear layer in a file.
struct Linear {
  std::string name;  // of the layer, without the dot before "weight"
  LayerNames tensors;
  Shape shape{};  // of the weight
};

// "784 200 10"
std::string widths_text(const std::vector<Index>& widths) {
  return joined(widths, " ", [](Index width) { return std::to_string(width); });
}

Shape shape_of(const Tensor& tensor) {
  return std::visit([](const auto& values) { return values.shape(); }, tensor.values);
}

template <class... Parts>
[[noreturn]] void refuse_tensor(const std::string& name, const Parts&... parts) {
  throw InputError(text("tensor ", one_line(name), ": ", parts...));
}

// How a message ends: which tensors there are.
std::string the_file_holds(const TensorFile& file) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : file.tensors) names.push_back(name);
  return "; the file holds " + listed(std::move(names));
}

// The layer's name where `tensor` is LAYER.`part`, or `part` alone; none where it is another tensor.
std::optional<std::string> layer_of(const std::string& tensor, const std::string& part) {
  if (tensor == part) return "";
  if (!tensor.ends_with("." + part)) return std::nullopt;
  return tensor.substr(0, tensor.size() - part.size() - 1);
}

std::string tensor_of(const std::string& layer, const char* part) { return layer.empty() ? part : layer + '.' + part; }

Linear linear_layer(const TensorFile& file, const std::string& layer) {
  Linear result{.name = layer, .tensors = {.weight = tensor_of(layer, "weight"), .bias = tensor_of(layer, "bias")}};
  const Tensor& weight = file.tensors.at(result.tensors.weight);
  result.shape = shape_of(weight);
  if (weight.is_vector)
    refuse_tensor(result.tensors.weight, "found one dimension of ", result.shape.cols,
                  ", expected two, outputs x inputs", the_file_holds(file));
  if (result.shape.size() == 0)
    refuse_tensor(result.tensors.weight, "found ", result.shape, ", expected at least one row and one column");
  const auto bias = file.tensors.find(result.tensors.bias);
  if (bias == file.tensors.end()) {
    result.tensors.bias.clear();
  } else if (const Shape shape = shape_of(bias->second);
             !bias->second.is_vector || shape != Shape{1, result.shape.rows}) {
    refuse_tensor(result.tensors.bias, "found ", bias->second.is_vector ? text("length ", shape.cols) : text(shape),
                  ", expected one dimension of ", result.shape.rows, ", the rows of ", one_line(result.tensors.weight));
  }
  return result;
}

// All layers in the natural order of their names; every tensor of the file must be of one of them.
std::vector<Linear> layers_of(const TensorFile& file) {
  std::vector<Linear> layers;
  for (const auto& [name, tensor] : file.tensors) {
    if (const auto weight = layer_of(name, "weight")) {
      layers.push_back(linear_layer(file, *weight));
      continue;
    }
    const auto bias = layer_of(name, "bias");
    if (!bias) refuse_tensor(name, "found, expected only weights and biases of linear layers", the_file_holds(file));
    if (const std::string weight = tensor_of(*bias, "weight"); !file.tensors.contains(weight))
      refuse_tensor(name, "found without ", one_line(weight), ", expected both", the_file_holds(file));
  }
  if (layers.empty()) throw InputError("tensors: found none, expected the weights of linear layers");
  std::ranges::sort(layers, [](const Linear& a, const Linear& b) { return natural_order(a.name, b.name).sign < 0; });
  return layers;
}

// Whether numbers tell which of two layers that are in natural order comes first. It is a partial order, so that it
// suffices to ask neighbours.
bool is_numbered(const Linear& a, const Linear& b) { return natural_order(a.name, b.name).is_by_number; }

void check_chain(const std::vector<Linear>& layers) {
  for (std::size_t l = 1; l < layers.size(); ++l)
    if (layers[l].shape.cols != layers[l - 1].shape.rows)
      refuse_tensor(layers[l].tensors.weight, "found ", layers[l].shape, ", expected ", layers[l - 1].shape.rows,
                    " columns, the rows of ", one_line(layers[l - 1].tensors.weight));
}

// The orders in which layers chain whose names do not number them.
class Chains {
 public:
  static constexpr std::size_t most_layers = 64;

  explicit Chains(const std::vector<Linear>& layers) : layers_(layers), before_(layers.size(), 0) {
    for (std::size_t l = 0; l < layers.size(); ++l)
      for (std::size_t k = 0; k < l; ++k)
        if (is_numbered(layers[k], layers[l])) before_[l] |= std::uint64_t{1} << k;
    extend(0);
  }

  /// The first that was found, as positions in the layers; empty when there is none.
  const std::vector<std::size_t>& first() const { return first_; }
  /// Whether there is another, or may be one, as there are too many ways to try.
  bool are_several() const { return several_; }

 private:
  // Puts each layer that may come next behind the `placed` ones.
  void extend(std::uint64_t placed) {
    if (chain_.size() == layers_.size()) {
      several_ = !first_.empty();
      if (!several_) first_ = chain_;
      return;
    }
    for (std::size_t l = 0; l < layers_.size() && !several_; ++l) {
      const std::uint64_t bit = std::uint64_t{1} << l;
      const bool may_come_next = (placed & bit) == 0 && (before_[l] & ~placed) == 0;
      if (!may_come_next || (!chain_.empty() && layers_[chain_.back()].shape.rows != layers_[l].shape.cols)) continue;
      if (++steps_ > most_steps) several_ = true;
      chain_.push_back(l);
      extend(placed | bit);
      chain_.pop_back();
    }
  }

  static constexpr int most_steps = 100'000;
  const std::vector<Linear>& layers_;
  std::vector<std::uint64_t> before_;  // for each layer the set of those that numbers put before it
  std::vector<std::size_t> chain_, first_;
  int steps_ = 0;
  bool several_ = false;
};

std::vector<Linear> ordered_layers(const TensorFile& file) {
  std::vector<Linear> layers = layers_of(file);
  if (std::ranges::adjacent_find(layers, std::not_fn(is_numbered)) == layers.end()) {
    check_chain(layers);
    return layers;
  }
  const auto refuse = [&](const char* why) {
    std::vector<std::string> found;
    for (const Linear& layer : layers) found.push_back(text(one_line(layer.tensors.weight), ' ', layer.shape));
    throw InputError(text("weights: found ", listed(std::move(found)), ", ", why));
  };
  if (layers.size() > Chains::most_layers) refuse("expected names that number them, as there are more than 64");
  const Chains chains(layers);
  if (chains.are_several())
    refuse("which chain in more than one order; expected names that number them, as layers.0.weight");
  if (chains.first().empty())
    refuse("which chain in no order; expected each to have as many columns as the one before it has rows");
  std::vector<Linear> result;
  for (const std::size_t l : chains.first()) result.push_back(std::move(layers[l]));
  return result;
}

template <class T>
Matrix<T> values_of(const TensorFile& file, const std::string& name) {
  const Tensor& tensor = file.tensors.at(name);
  std::visit(
      [&](const auto& stored) {
        for (Index i = 0; i < stored.rows(); ++i)
          for (Index j = 0; j < stored.cols(); ++j)
            if (!(std::abs(static_cast<double>(stored(i, j))) <= static_cast<double>(std::numeric_limits<T>::max())))
              refuse_tensor(name, "found ", stored(i, j), " at (", i, ", ", j, "), expected a finite float",
                            sizeof(T) * 8);
      },
      tensor.values);
  return values_as<T>(tensor);
}

// What the metadata say under `key`; none where they do not.
std::optional<std::string> said(const TensorFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? std::nullopt : std::optional(found->second);
}

// Takes activation and slope into `mlp`, whose widths are known.
void take_activation(const TensorFile& file, const MlpFileOptions& options, MlpOptions& mlp) {
  std::optional<Activation> activation = options.activation;
  std::optional<double> slope = options.slope;
  const auto take_slope = [&](double found) {
    if (slope.value_or(found) != found) throw InputError(text("metadata slope: found ", found, ", expected ", *slope));
    slope = found;
  };
  if (const auto words = said(file, "activation")) {
    const NamedActivation found = within("metadata ", [&] { return named_activation(*words); });
    if (activation.value_or(found.activation) != found.activation)
      throw InputError(text("metadata activation: found ", name(found.activation), ", expected ", name(*activation)));
    activation = found.activation;
    if (found.slope) take_slope(*found.slope);
  }
  if (const auto words = said(file, "slope")) {
    const std::optional<double> found = number_in(*words);
    if (!found || *found < 0)
      throw InputError(text("metadata slope: found '", one_line(*words), "', expected a finite number >= 0"));
    take_slope(*found);
  }
  if (!activation && mlp.widths.size() > 2)
    throw InputError(
        text("metadata activation: found none, expected one of ", joined(activation_names(), ", "),
             "; say it by --activation, or in Python by save_file(..., metadata={\"activation\": \"ReLU\"})"));
  mlp.activation = activation.value_or(Activation::identity);
  if (mlp.activation == Activation::leaky_relu && !slope)
    throw InputError(
        "metadata slope: found none, expected leaky_relu's; say it by --slope, or in Python by save_file(..., "
        "metadata={\"activation\": \"LeakyReLU(negative_slope=0.01)\"})");
  if (mlp.activation != Activation::leaky_relu && options.slope)
    throw InputError(
        text("slope: found ", *options.slope, ", expected none, as the activation is ", name(mlp.activation)));
  mlp.slope = slope.value_or(mlp.slope);
}

}  // namespace

template <class T>
TensorFile tensor_file(const Mlp<T>& mlp) {
  TensorFile file;
  file.metadata = {{"activation", std::string(name(mlp.options().activation))},
                   {"slope", number_text(mlp.options().slope)},
                   {"widths", widths_text(mlp.options().widths)}};
  for (std::size_t i = 0; i < mlp.layers().size(); ++i) {
    const std::string layer = text("layers.", i);
    file.tensors[tensor_of(layer, "weight")] = {.values = mlp.layers()[i].weight};
    if (mlp.options().bias)
      file.tensors[tensor_of(layer, "bias")] = {.values = mlp.layers()[i].bias, .is_vector = true};
  }
  return file;
}

std::vector<LayerNames> linear_layers(const TensorFile& file) {
  std::vector<LayerNames> result;
  for (Linear& layer : ordered_layers(file)) result.push_back(std::move(layer.tensors));
  return result;
}

template <class T>
Mlp<T> mlp_from(const TensorFile& file, const MlpFileOptions& options) {
  const std::vector<Linear> found = ordered_layers(file);
  MlpOptions mlp{.widths = {found.front().shape.cols}};
  for (const Linear& layer : found) mlp.widths.push_back(layer.shape.rows);
  mlp.bias = std::ranges::any_of(found, [](const Linear& layer) { return !layer.tensors.bias.empty(); });
  if (const auto widths = said(file, "widths"); widths && *widths != widths_text(mlp.widths))
    throw InputError(text("metadata widths: found '", one_line(*widths), "', expected '", widths_text(mlp.widths),
                          "', those of the tensors"));
  take_activation(file, options, mlp);
  if (!options.widths.empty() && options.widths != mlp.widths)
    throw InputError(text("widths: found '", widths_text(mlp.widths), "' in the tensors, expected '",
                          widths_text(options.widths), "'"));
  std::vector<Layer<T>> layers;
  for (const auto& [name, tensors, shape] : found) {
    Layer<T>& layer = layers.emplace_back();
    layer.weight = values_of<T>(file, tensors.weight);
    if (!tensors.bias.empty())
      layer.bias = values_of<T>(file, tensors.bias);
    else if (mlp.bias)
      layer.bias = Matrix<T>(1, shape.rows);
  }
  return Mlp<T>(std::move(mlp), std::move(layers));
}

#define NORMALIGN_INSTANTIATE(T)                  \
  template TensorFile tensor_file(const Mlp<T>&); \
  template Mlp<T> mlp_from(const TensorFile&, const MlpFileOptions&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

#include "nn/mlp_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "base/number_text.hpp"

namespace normalign {
namespace {

std::string weight_name(std::size_t layer) { return text("layers.", layer, ".weight"); }
std::string bias_name(std::size_t layer) { return text("layers.", layer, ".bias"); }

// "784 200 10"
std::string widths_text(const std::vector<Index>& widths) {
  std::string result;
  for (Index width : widths) result += text(result.empty() ? "" : " ", width);
  return result;
}

Shape shape_of(const Tensor& tensor) {
  return std::visit([](const auto& values) { return values.shape(); }, tensor.values);
}

template <class... Parts>
[[noreturn]] void refuse_tensor(const std::string& name, const Parts&... parts) {
  throw InputError(text("tensor ", name, ": ", parts...));
}

// d, hidden widths, k, by the chain of the weights.
std::vector<Index> widths_of(const TensorFile& file) {
  std::vector<Index> widths;
  for (std::size_t layer = 0; file.tensors.contains(weight_name(layer)); ++layer) {
    const std::string name = weight_name(layer);
    const Tensor& tensor = file.tensors.at(name);
    const Shape shape = shape_of(tensor);
    if (tensor.is_vector)
      refuse_tensor(name, "found one dimension of ", shape.cols, ", expected two, outputs x inputs");
    if (shape.size() == 0) refuse_tensor(name, "found ", shape, ", expected at least one row and one column");
    if (layer == 0)
      widths.push_back(shape.cols);
    else if (shape.cols != widths.back())
      refuse_tensor(name, "found ", shape, ", expected ", widths.back(), " columns, the rows of ",
                    weight_name(layer - 1));
    widths.push_back(shape.rows);
  }
  return widths;
}

// Whether there are biases; every tensor of the file must be a weight or bias of these layers.
bool has_bias(const TensorFile& file, const std::vector<Index>& widths) {
  const std::size_t layers = widths.empty() ? 0 : widths.size() - 1;
  std::set<std::string> known;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    known.insert(weight_name(layer));
    known.insert(bias_name(layer));
  }
  for (const auto& [name, tensor] : file.tensors)
    if (!known.contains(name))
      throw InputError(
          text("tensor '", one_line(name), "': found, expected ",
               layers ? text("only the weights and biases of layers 0 to ", layers - 1, ", as there is no ") : "",
               weight_name(layers)));
  if (layers == 0) refuse_tensor(weight_name(0), "found none, expected a matrix");

  const bool bias = file.tensors.contains(bias_name(0));
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto found = file.tensors.find(bias_name(layer));
    const bool is_there = found != file.tensors.end();
    if (bias && !is_there) refuse_tensor(bias_name(layer), "found none, expected one, since layer 0 has one");
    if (!bias && is_there) refuse_tensor(bias_name(layer), "found, expected none, since layer 0 has none");
    if (!bias) continue;
    const Tensor& tensor = found->second;
    const Shape shape = shape_of(tensor);
    if (!tensor.is_vector || shape != Shape{1, widths[layer + 1]})
      refuse_tensor(bias_name(layer), "found ", tensor.is_vector ? text("length ", shape.cols) : text(shape),
                    ", expected one dimension of ", widths[layer + 1], ", the rows of ", weight_name(layer));
  }
  return bias;
}

template <class T>
Matrix<T> values_of(const std::string& name, const Tensor& tensor) {
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

// What the metadata say about the network; `options` holds its widths and what the caller falls back on.
void read_metadata(const TensorFile& file, MlpOptions& options) {
  const auto found = [&](const char* key) -> const std::string* {
    const auto at = file.metadata.find(key);
    return at == file.metadata.end() ? nullptr : &at->second;
  };
  if (const std::string* widths = found("widths"); widths && *widths != widths_text(options.widths))
    throw InputError(text("metadata widths: found '", one_line(*widths), "', expected '", widths_text(options.widths),
                          "', those of the tensors"));
  if (const std::string* called = found("activation")) {
    try {
      options.activation = activation(one_line(*called));
    } catch (const InputError& error) {
      throw InputError(text("metadata ", error.what()));
    }
  }
  if (const std::string* slope = found("slope")) {
    const std::optional<double> value = number_in(*slope);
    if (!value || *value < 0)
      throw InputError(text("metadata slope: found '", one_line(*slope), "', expected a finite number >= 0"));
    options.slope = *value;
  }
}

}  // namespace

template <class T>
TensorFile tensor_file(const Mlp<T>& mlp) {
  TensorFile file;
  file.metadata = {{"activation", std::string(name(mlp.options().activation))},
                   {"slope", number_text(mlp.options().slope)},
                   {"widths", widths_text(mlp.options().widths)}};
  for (std::size_t i = 0; i < mlp.layers().size(); ++i) {
    file.tensors[weight_name(i)] = {.values = mlp.layers()[i].weight};
    if (mlp.options().bias) file.tensors[bias_name(i)] = {.values = mlp.layers()[i].bias, .is_vector = true};
  }
  return file;
}

template <class T>
Mlp<T> mlp_from(const TensorFile& file, MlpOptions options) {
  const std::vector<Index> expected = std::exchange(options.widths, widths_of(file));
  options.bias = has_bias(file, options.widths);
  read_metadata(file, options);
  if (!expected.empty() && expected != options.widths)
    throw InputError(text("widths: found '", widths_text(options.widths), "' in the tensors, expected '",
                          widths_text(expected), "'"));
  std::vector<Layer<T>> layers(options.widths.size() - 1);
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    layers[layer].weight = values_of<T>(weight_name(layer), file.tensors.at(weight_name(layer)));
    if (options.bias) layers[layer].bias = values_of<T>(bias_name(layer), file.tensors.at(bias_name(layer)));
  }
  return Mlp<T>(std::move(options), std::move(layers));
}

#define NORMALIGN_INSTANTIATE(T)                  \
  template TensorFile tensor_file(const Mlp<T>&); \
  template Mlp<T> mlp_from(const TensorFile&, MlpOptions);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

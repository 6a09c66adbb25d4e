#include "nn/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "base/number_text.hpp"
#include "linalg/random.hpp"

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

// The shortest text that reads back as the same number.
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
void fill(MatrixView<T> parameter, const std::string& name, const Tensor& tensor) {
  std::visit(
      [&](const auto& stored) {
        for (Index i = 0; i < stored.rows(); ++i)
          for (Index j = 0; j < stored.cols(); ++j)
            if (!(std::abs(static_cast<double>(stored(i, j))) <= static_cast<double>(std::numeric_limits<T>::max())))
              refuse_tensor(name, "found ", stored(i, j), " at (", i, ", ", j, "), expected a finite float",
                            sizeof(T) * 8);
      },
      tensor.values);
  std::ranges::copy(values_as<T>(tensor).span(), parameter.span().begin());
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
Mlp<T>::Mlp(MlpOptions options) : options_(std::move(options)) {
  const auto& widths = options_.widths;
  if (widths.size() < 2)
    throw InputError(text("Mlp: ", widths.size(), " widths; there must be at least an input and an output"));
  for (Index width : widths)
    if (width < 1) throw InputError(text("Mlp: a width is ", width, "; it must be positive"));
  if (!(options_.slope >= 0)) throw InputError(text("Mlp: slope is ", options_.slope, "; it must not be negative"));
  if (!std::isfinite(options_.init_scale))
    throw InputError(text("Mlp: init_scale is ", options_.init_scale, "; it must be finite"));

  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    const Index in = widths[i], out = widths[i + 1];
    Layer<T>& layer = layers_.emplace_back();
    layer.weight = Matrix<T>(out, in);
    if (options_.bias) layer.bias = Matrix<T>(1, out);
    const RandomRows random(options_.seed, Stream::init, static_cast<std::uint32_t>(i));
    const double bound = 1 / std::sqrt(static_cast<double>(in));
    std::vector<T> row(static_cast<std::size_t>(in + 1));
    for (Index unit = 0; unit < out; ++unit) {
      random.uniform(static_cast<std::uint32_t>(unit), std::span<T>(row), -bound, bound);
      for (T& value : row) value *= static_cast<T>(options_.init_scale);
      std::copy_n(row.begin(), in, layer.weight.row(unit).begin());
      if (options_.bias) layer.bias(0, unit) = row.back();
    }
  }
}

template <class T>
std::vector<MatrixView<T>> Mlp<T>::parameters() {
  std::vector<MatrixView<T>> all;
  for (Layer<T>& layer : layers_) {
    all.push_back(layer.weight);
    if (options_.bias) all.push_back(layer.bias);
  }
  return all;
}

template <class T>
std::vector<ConstView<T>> Mlp<T>::parameters() const {
  std::vector<ConstView<T>> all;
  for (const MatrixView<T>& view : const_cast<Mlp*>(this)->parameters()) all.push_back(view);
  return all;
}

template <class T>
Index Mlp<T>::parameter_count() const {
  Index count = 0;
  for (const Layer<T>& layer : layers_) count += layer.weight.size() + layer.bias.size();
  return count;
}

template <class T>
MlpOnTape<T> Mlp<T>::on(Tape<T>& tape) const {
  MlpOnTape<T> bound;
  bound.bind(*this, tape);
  return bound;
}

template <class T>
void MlpOnTape<T>::bind(const Mlp<T>& mlp, Tape<T>& tape) {
  mlp_ = &mlp;
  tape_ = &tape;
  parameters_.clear();
  pre_activations_.clear();
  activations_.clear();
  for (const Layer<T>& layer : mlp.layers()) {
    parameters_.push_back(tape.borrowed_variable(layer.weight));
    if (mlp.options().bias) parameters_.push_back(tape.borrowed_variable(layer.bias));
  }
}

template <class T>
Var<T> MlpOnTape<T>::operator()(const Var<T>& x) {
  const MlpOptions& options = mlp_->options();
  if (x.cols() != options.widths.front())
    throw InputError(text("Mlp: x is ", x.shape(), " but the network takes ", options.widths.front(), " columns"));
  const Activation a = options.activation;
  pre_activations_.clear();
  activations_.clear();
  // One-hot inputs make the first product a gather, which takes the mod_add step from 1.4 to 1.0 times its floor.
  const Index hot_columns = hot_count(x.value());
  const bool has_hot = hot_columns > 0;
  if (has_hot) {
    hot_.resize(x.rows(), hot_columns);
    fill_hot(x.value(), hot_.view());
  }
  Var<T> h = x;
  const std::size_t per_layer = options.bias ? 2 : 1;
  for (std::size_t i = 0; i < parameters_.size(); i += per_layer) {
    if (i == 0 && has_hot)
      h = hot_linear(std::move(h), parameters_[0], tape_->constant(hot_));
    else if (options.bias)
      h = linear(std::move(h), parameters_[i], parameters_[i + 1]);
    else
      h = linear(std::move(h), parameters_[i]);
    if (i == 0 && has_hot && options.bias) h = std::move(h) + parameters_[1];
    if (i + per_layer == parameters_.size()) break;
    // Only what offset() will ask for is held on to; the rest goes as early as the rules allow.
    if (options.bias && a == Activation::abs) pre_activations_.push_back(h);
    h = activated(a, std::move(h), options.slope);
    if (options.bias && (a == Activation::relu || a == Activation::leaky_relu)) activations_.push_back(h);
  }
  return h;
}

template <class T>
bool MlpOnTape<T>::has_no_offset() const {
  return !mlp_->options().bias && is_piecewise_affine(mlp_->options().activation);
}

template <class T>
Var<T> MlpOnTape<T>::offset(const Var<T>& x, const Var<T>& f) const {
  const MlpOptions& options = mlp_->options();
  if (!is_piecewise_affine(options.activation)) {
    if (options.bias || options.activation != Activation::quadratic) return offset_by_pushforward(x, f);
    const auto hidden_layers = static_cast<int>(options.widths.size()) - 2;
    return (1 - std::exp2(hidden_layers)) * f;
  }
  if (has_no_offset()) return 0 * f;
  // u_1 = b_1, then u_{l+1} = W_{l+1} (slopes_l * u_l) + b_{l+1}
  Var<T> u = broadcast_to(parameters_[1], {x.rows(), options.widths[1]});
  for (std::size_t layer = 1; 2 * layer < parameters_.size(); ++layer) {
    const Var<T> none;
    const Var<T>& t = pre_activations_.empty() ? none : pre_activations_[layer - 1];
    const Var<T>& y = activations_.empty() ? none : activations_[layer - 1];
    u = linear(through_pattern(options.activation, std::move(u), t, y, options.slope), parameters_[2 * layer],
               parameters_[2 * layer + 1]);
  }
  return u;
}

template <class T>
Var<T> offset_by_pushforward(const Var<T>& x, const Var<T>& f) {
  return f - jvp(f, x, x, {.create_graph = true});
}

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
  Mlp<T> mlp(std::move(options));
  std::vector<MatrixView<T>> parameters = mlp.parameters();
  auto parameter = parameters.begin();
  for (std::size_t layer = 0; layer < mlp.layers().size(); ++layer) {
    fill(*parameter++, weight_name(layer), file.tensors.at(weight_name(layer)));
    if (mlp.options().bias) fill(*parameter++, bias_name(layer), file.tensors.at(bias_name(layer)));
  }
  return mlp;
}

#define NORMALIGN_INSTANTIATE(T)                                       \
  template class Mlp<T>;                                               \
  template class MlpOnTape<T>;                                         \
  template Var<T> offset_by_pushforward(const Var<T>&, const Var<T>&); \
  template TensorFile tensor_file(const Mlp<T>&);                      \
  template Mlp<T> mlp_from(const TensorFile&, MlpOptions);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

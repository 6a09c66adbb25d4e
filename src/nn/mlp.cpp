#include "nn/mlp.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "linalg/random.hpp"

namespace normalign {

namespace {

void check(const MlpOptions& options) {
  if (options.widths.size() < 2)
    throw InputError(text("Mlp: ", options.widths.size(), " widths; there must be at least an input and an output"));
  for (Index width : options.widths)
    if (width < 1) throw InputError(text("Mlp: a width is ", width, "; it must be positive"));
  if (!(options.slope >= 0)) throw InputError(text("Mlp: slope is ", options.slope, "; it must not be negative"));
  if (!std::isfinite(options.init_scale))
    throw InputError(text("Mlp: init_scale is ", options.init_scale, "; it must be finite"));
}

}  // namespace

template <class T>
Mlp<T>::Mlp(MlpOptions options) : options_(std::move(options)) {
  check(options_);
  const auto& widths = options_.widths;
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
Mlp<T>::Mlp(MlpOptions options, std::vector<Layer<T>> layers)
    : options_(std::move(options)), layers_(std::move(layers)) {
  check(options_);
  if (layers_.size() + 1 != options_.widths.size())
    throw InputError(text("Mlp: there are ", layers_.size(), " layers and ", options_.widths.size(),
                          " widths; there must be one width more"));
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Shape weight{options_.widths[i + 1], options_.widths[i]}, bias{options_.bias ? 1 : 0, weight.rows};
    const auto& [found_weight, found_bias] = layers_[i];
    if (found_weight.shape() != weight)
      throw InputError(text("Mlp: the weight of layer ", i, " is ", found_weight.shape(), "; it must be ", weight));
    if (options_.bias ? found_bias.shape() != bias : !found_bias.empty())
      throw InputError(text("Mlp: the bias of layer ", i, " is ", found_bias.shape(), "; it must be ",
                            options_.bias ? text(bias) : "empty"));
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

// W_1 x + b_1. One-hot inputs make the product a gather, which takes the mod_add step from 1.4 to 1.0 times its floor.
template <class T>
Var<T> MlpOnTape<T>::first_pre_activations(const Var<T>& x) {
  const bool bias = mlp_->options().bias;
  const Index hot_columns = hot_count(x.value());
  if (hot_columns == 0) return bias ? linear(x, parameters_[0], parameters_[1]) : linear(x, parameters_[0]);
  hot_.resize(x.rows(), hot_columns);
  fill_hot(x.value(), hot_.view());
  Var<T> product = hot_linear(x, parameters_[0], tape_->constant(hot_));
  return bias ? std::move(product) + parameters_[1] : product;
}

template <class T>
Var<T> MlpOnTape<T>::operator()(const Var<T>& x) {
  const MlpOptions& options = mlp_->options();
  if (x.cols() != options.widths.front())
    throw InputError(text("Mlp: x is ", x.shape(), " but the network takes ", options.widths.front(), " columns"));
  const Activation a = options.activation;
  pre_activations_.clear();
  activations_.clear();
  const std::size_t per_layer = options.bias ? 2 : 1;
  Var<T> h = first_pre_activations(x);
  for (std::size_t i = per_layer; i < parameters_.size(); i += per_layer) {
    // Only what offset() will ask for is held on to; the rest goes as early as the rules allow.
    if (options.bias && a == Activation::abs) pre_activations_.push_back(h);
    h = activated(a, std::move(h), options.slope);
    if (options.bias && (a == Activation::relu || a == Activation::leaky_relu)) activations_.push_back(h);
    h = options.bias ? linear(std::move(h), parameters_[i], parameters_[i + 1]) : linear(std::move(h), parameters_[i]);
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

#define NORMALIGN_INSTANTIATE(T) \
  template class Mlp<T>;         \
  template class MlpOnTape<T>;   \
  template Var<T> offset_by_pushforward(const Var<T>&, const Var<T>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

#include "geometry/piecewise_affine.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "nn/mlp.hpp"

namespace normalign {
namespace {

double slope_of(const MlpOptions& options) {
  switch (options.activation) {
    case Activation::relu:
      return 0;
    case Activation::leaky_relu:
      return options.slope;
    case Activation::abs:
      return -1;
    case Activation::identity:
      return 1;
    default:
      throw InputError(text("piecewise_affine: activation is ", name(options.activation),
                            "; only networks of relu, leaky_relu, abs or identity have regions"));
  }
}

// The same function with every hidden layer of slope 1 merged into the next: W (V z + c) + b = (W V) z + (W c + b).
std::vector<PiecewiseAffineLayer> without_linear_layers(std::vector<PiecewiseAffineLayer> layers) {
  std::vector<PiecewiseAffineLayer> result;
  for (PiecewiseAffineLayer& layer : layers) {
    if (!result.empty() && result.back().slope == 1) {
      const PiecewiseAffineLayer linear = std::move(result.back());
      result.pop_back();
      Matrix<double> weight(layer.weight.rows(), linear.weight.cols());
      // n x d = (n x m) (m x d)
      gemm<double>(layer.weight, linear.weight, weight);
      // 1 x n = (1 x m) (n x m)ᵀ
      gemm<double>(linear.bias, layer.weight, layer.bias, {.b = true}, 1.0, 1.0);
      layer.weight = std::move(weight);
    }
    result.push_back(std::move(layer));
  }
  return result;
}

// Calls visit(l, t) with the pre-activations t of each layer in turn, n x n_l; they become its activations afterwards.
template <class Visit>
Matrix<double> forward(const std::vector<PiecewiseAffineLayer>& layers, ConstView<double> x, const Visit& visit) {
  const Index d = layers.front().weight.cols();
  if (x.cols() != d)
    throw InputError(text("PiecewiseAffineNetwork: x is ", x.shape(), "; it must have ", d, " columns"));
  Matrix<double> z;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    Matrix<double> t(x.rows(), layers[l].weight.rows());
    // n x n_l = (n x n_{l-1}) (n_l x n_{l-1})ᵀ
    gemm<double>(l == 0 ? x : z.view(), layers[l].weight, t, {.b = true});
    detail::add_bias(t, layers[l].bias);
    visit(l, t);
    detail::activate(t, layers[l].slope);
    z = std::move(t);
  }
  return z;
}

}  // namespace

PiecewiseAffineNetwork::PiecewiseAffineNetwork(std::vector<PiecewiseAffineLayer> layers) : layers_(std::move(layers)) {
  if (layers_.empty()) throw InputError("PiecewiseAffineNetwork: no layers; there must be at least one");
  first_units_.push_back(0);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const auto& [weight, bias, slope] = layers_[l];
    const auto refuse = [&](const auto&... parts) {
      throw InputError(text("PiecewiseAffineNetwork: layer ", l, ": ", parts...));
    };
    if (weight.empty()) refuse("weight is ", weight.shape(), "; it must not be empty");
    if (bias.shape() != Shape{1, weight.rows()})
      refuse("bias is ", bias.shape(), " but weight ", weight.shape(), "; bias must be 1x", weight.rows());
    if (l > 0 && weight.cols() != layers_[l - 1].weight.rows())
      refuse("weight is ", weight.shape(), "; it must have ", layers_[l - 1].weight.rows(),
             " columns, the rows of the one before");
    if (!all_finite<double>(weight.span()) || !all_finite<double>(bias.span()))
      refuse("a weight or bias is not finite");
    if (!std::isfinite(slope)) refuse("slope is ", slope, "; it must be finite");
    if (l + 1 == layers_.size() && slope != 1) refuse("slope is ", slope, "; that of the last layer must be 1");
  }
  layers_ = without_linear_layers(std::move(layers_));
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l)
    first_units_.push_back(first_units_.back() + layers_[l].weight.rows());
}

Matrix<double> PiecewiseAffineNetwork::operator()(ConstView<double> x) const {
  return forward(layers_, x, [](std::size_t, const Matrix<double>&) {});
}

std::vector<ActivationCode> PiecewiseAffineNetwork::codes(ConstView<double> x) const {
  std::vector<ActivationCode> result(static_cast<std::size_t>(x.rows()));
  forward(layers_, x, [&](std::size_t l, const Matrix<double>& t) {
    if (l + 1 == layers_.size()) return;
    for (Index i = 0; i < t.rows(); ++i)
      for (const double value : t.row(i)) result[static_cast<std::size_t>(i)].push_back(value > 0);
  });
  return result;
}

template <class T>
PiecewiseAffineNetwork piecewise_affine(const Mlp<T>& mlp) {
  std::vector<PiecewiseAffineLayer> layers;
  for (const Layer<T>& layer : mlp.layers())
    layers.push_back(
        {.weight = converted<double>(layer.weight.view()),
         .bias = layer.bias.empty() ? Matrix<double>(1, layer.weight.rows()) : converted<double>(layer.bias.view()),
         .slope = slope_of(mlp.options())});
  layers.back().slope = 1;
  return PiecewiseAffineNetwork(std::move(layers));
}

void detail::activate(MatrixView<double> t, double slope) {
  if (slope == 1) return;
  for (double& value : t.span()) value = value > 0 ? value : slope * value;
}

void detail::add_bias(MatrixView<double> t, ConstView<double> bias) {
  for (Index i = 0; i < t.rows(); ++i)
    for (Index j = 0; j < t.cols(); ++j) t(i, j) += bias(0, j);
}

template PiecewiseAffineNetwork piecewise_affine(const Mlp<float>&);
template PiecewiseAffineNetwork piecewise_affine(const Mlp<double>&);

}  // namespace normalign

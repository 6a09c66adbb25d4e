#include "geometry/steepness.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

struct Interval {
  double low = 0, high = 0;
};

Matrix<double> absolute(Matrix<double> a) {
  for (double& value : a.span()) value = std::abs(value);
  return a;
}

// The first layer's weight, and its rows' products for the length of a combination of them.
struct FirstLayer {
  const Matrix<double>& weight;
  Matrix<double> products;  // |W Wᵀ| in l2, |W| in linf
};

// The largest length in the dual norm of sum over k of h_k w_k, where each h_k is in middle_k +- reach_k.
double largest_length(const FirstLayer& layer, ConstView<double> middle, ConstView<double> reach, Norm norm) {
  const Index n = layer.weight.rows(), d = layer.weight.cols();
  Matrix<double> sum(1, d);
  gemm<double>(middle, layer.weight, sum);
  if (norm == Norm::l2) {
    double squared = 0;
    for (Index k = 0; k < n; ++k) squared += reach(0, k) * dot(layer.products.row(k), reach.span());
    return std::sqrt(dot<double>(sum.span(), sum.span())) + std::sqrt(squared);
  }
  Matrix<double> spread(1, d);
  gemm<double>(reach, layer.products, spread);
  double length = 0;
  for (Index i = 0; i < d; ++i) length += std::abs(sum(0, i)) + spread(0, i);
  return length;
}

}  // namespace

std::vector<double> steepness(const PiecewiseAffineNetwork& network, ConstView<double> x, double radius, Norm norm) {
  const Matrix<double>& weight = network.layers().front().weight;
  FirstLayer first{weight, absolute(weight)};
  if (norm == Norm::l2) {
    Matrix<double> products(weight.rows(), weight.rows());
    gemm<double>(weight, weight, products, {.b = true});
    first.products = absolute(std::move(products));
  }
  // The gains that the units of the layers so far can have.
  std::vector<std::vector<Interval>> gains;
  std::vector<double> constants;
  Matrix<double> z(x);
  for (Index l = 0; l <= network.hidden_layers(); ++l) {
    const PiecewiseAffineLayer& layer = network.layers()[static_cast<std::size_t>(l)];
    const Index n = layer.weight.rows();
    // Backwards from each unit of this layer: its slope in those of earlier ones is within middle +- reach.
    Matrix<double> middle = layer.weight, reach(n, layer.weight.cols());
    for (Index below = l; below-- > 0;) {
      for (Index k = 0; k < n; ++k)
        for (Index i = 0; i < middle.cols(); ++i) {
          const auto [low, high] = gains[static_cast<std::size_t>(below)][static_cast<std::size_t>(i)];
          const double from = middle(k, i) - reach(k, i), to = middle(k, i) + reach(k, i);
          const auto [least, most] = std::minmax({low * from, low * to, high * from, high * to});
          middle(k, i) = 0.5 * (least + most);
          reach(k, i) = 0.5 * (most - least);
        }
      if (below == 0) break;
      const Matrix<double>& w = network.layers()[static_cast<std::size_t>(below)].weight;
      Matrix<double> next(n, w.cols()), next_reach(n, w.cols());
      gemm<double>(middle, w, next);
      gemm<double>(reach, absolute(w), next_reach);
      middle = std::move(next);
      reach = std::move(next_reach);
    }
    constants.clear();
    for (Index k = 0; k < n; ++k) {
      Matrix<double> unit(1, weight.rows());
      if (l == 0) unit(0, k) = 1;
      constants.push_back(
          l == 0 ? largest_length(first, unit, Matrix<double>(1, weight.rows()), norm)
                 : largest_length(first, middle.view().row_block(k, 1), reach.view().row_block(k, 1), norm));
    }
    Matrix<double> t(layer.bias);
    gemm<double>(z, layer.weight, t, {.b = true}, 1.0, 1.0);
    gains.emplace_back();
    for (Index k = 0; k < n; ++k) {
      const double change = constants[static_cast<std::size_t>(k)] * radius;
      const double off = layer.slope, low = t(0, k) - change > 0 ? 1 : off, high = t(0, k) + change <= 0 ? off : 1;
      gains.back().push_back({std::min(low, high), std::max(low, high)});
    }
    activate(t, layer.slope);
    z = std::move(t);
  }
  return constants;
}

}  // namespace normalign

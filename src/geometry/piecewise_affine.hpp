// A network whose activations are piecewise affine, as the geometry of its regions sees it: double precision, one
// slope per hidden layer.
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

template <class T>
class Mlp;

/// One layer z -> a(W z + b), a(t) = t where t > 0, slope * t elsewhere. Slope 0 is relu, a slope in (0, 1) leaky relu,
/// -1 is abs, and 1 no activation at all.
struct PiecewiseAffineLayer {
  Matrix<double> weight;  ///< n x m
  Matrix<double> bias;    ///< 1 x n
  double slope = 0;
};

/// Which hidden units are on at a point, first layer first: 1 where the pre-activation is > 0, else 0. A pre-activation
/// of exactly 0 is off.
using ActivationCode = std::vector<std::uint8_t>;

/// f(x) = W_L z^{L-1} + b_L with z^l = a_l(W_l z^{l-1} + b_l), z^0 = x. Each hidden layer has its own slope; the last
/// layer has none. A hidden layer without activation (slope 1) bends nothing and is merged into the next one, so that
/// hidden layers and units here are those that have regions.
class PiecewiseAffineNetwork {
 public:
  /// Throws InputError when there is no layer, a layer is empty, shapes do not chain, a value is not finite, or the
  /// last layer's slope is not 1.
  explicit PiecewiseAffineNetwork(std::vector<PiecewiseAffineLayer> layers);

  /// All layers, the output layer last.
  const std::vector<PiecewiseAffineLayer>& layers() const { return layers_; }
  /// The layers with an activation.
  Index hidden_layers() const { return static_cast<Index>(layers_.size()) - 1; }
  Index inputs() const { return layers_.front().weight.cols(); }
  Index outputs() const { return layers_.back().weight.rows(); }
  /// The units of hidden layer l, from 0.
  Index units(Index l) const { return layers_[static_cast<std::size_t>(l)].weight.rows(); }
  /// Where layer l begins in an ActivationCode; for l = hidden_layers() the length of one.
  Index first_unit(Index l) const { return first_units_[static_cast<std::size_t>(l)]; }

  /// f at each row of x, n x d; the result is n x k. Throws InputError when x does not have d columns.
  Matrix<double> operator()(ConstView<double> x) const;

  /// The code at each row of x, n x d. Throws InputError when x does not have d columns.
  std::vector<ActivationCode> codes(ConstView<double> x) const;

 private:
  std::vector<PiecewiseAffineLayer> layers_;
  std::vector<Index> first_units_;
};

/// A trained network in this form; an identity activation gives slope 1. Throws InputError naming the activation when
/// it is not piecewise affine.
template <class T>
PiecewiseAffineNetwork piecewise_affine(const Mlp<T>& mlp);

namespace detail {

/// z <- a(t), in place.
void activate(MatrixView<double> t, double slope);

/// t <- t + bias in every row: t is n x m, bias 1 x m.
void add_bias(MatrixView<double> t, ConstView<double> bias);

}  // namespace detail

}  // namespace normalign

// Multilayer perceptrons: the parameters, and the network on a tape.
#pragma once

#include <vector>

#include "nn/activation.hpp"

namespace normalign {

/// The form of a network and how it starts.
struct MlpOptions {
  /// d, hidden widths, k: at least two, all positive.
  std::vector<Index> widths{};
  Activation activation = Activation::relu;
  /// leaky_relu's slope for t <= 0; not negative.
  double slope = 0.01;
  bool bias = true;
  /// Every initial weight and bias is multiplied by this.
  double init_scale = 1;
  std::uint64_t seed = 0;
};

/// One affine map x -> weight x + bias.
template <class T>
struct Layer {
  Matrix<T> weight;  ///< d_out x d_in
  Matrix<T> bias;    ///< 1 x d_out, or empty
};

template <class T>
class MlpOnTape;

/// The parameters of a network f(x) = W_L a(... a(W_1 x + b_1) ...) + b_L, the last layer without activation.
template <class T>
class Mlp {
 public:
  /// Weights and biases uniform in (-1/sqrt(d_in), 1/sqrt(d_in)), as PyTorch's nn.Linear starts them, times
  /// init_scale; drawn from Stream::init with step = layer, row = output unit, the bias last in its row.
  /// Throws InputError on fewer than two widths, a width that is not positive, a negative slope or a scale that is
  /// not finite.
  explicit Mlp(MlpOptions options);
  /// These parameters; `init_scale` and `seed` are not looked at. Throws InputError as above, and, naming the layer,
  /// where a weight or bias has not the shape that the options say.
  Mlp(MlpOptions options, std::vector<Layer<T>> layers);

  /// What it was made from, and its layers, the output layer last.
  const MlpOptions& options() const { return options_; }
  const std::vector<Layer<T>>& layers() const { return layers_; }
  /// Weight and bias of each layer in order, biases left out where there are none; views into this network.
  std::vector<MatrixView<T>> parameters();
  std::vector<ConstView<T>> parameters() const;
  /// All parameters together.
  Index parameter_count() const;

  /// The network on a tape, its parameters as leaves that borrow; they must not change before the tape is cleared.
  MlpOnTape<T> on(Tape<T>& tape) const;

 private:
  MlpOptions options_;
  std::vector<Layer<T>> layers_;
};

/// A network whose parameters are on a tape: a function of Vars.
template <class T>
class MlpOnTape {
 public:
  /// Puts the parameters of `mlp` on `tape`; what was bound before is forgotten, its memory kept.
  void bind(const Mlp<T>& mlp, Tape<T>& tape);

  /// f(x): x is n x d, the result n x k. An x of one-hot or multi-hot rows (see hot_count) is multiplied by the first
  /// weight as a gather. Throws InputError when x does not have d columns.
  Var<T> operator()(const Var<T>& x);
  /// The parameters in the order of Mlp::parameters.
  std::span<const Var<T>> parameters() const { return parameters_; }

  /// Whether b(x) = f(x) - J(x) x is zero for every x: a bias-free network with a homogeneous activation of degree 1.
  bool has_no_offset() const;
  /// b(x) = f(x) - J(x) x per sample, n x k, differentiable in the parameters; x and f are those of the last call.
  /// By the cheapest exact way: for piecewise-affine activations one pass of the biases through the frozen pattern;
  /// for bias-free quadratic networks of h hidden layers, homogeneous of degree 2^h, b = (1 - 2^h) f by Euler's
  /// theorem; else a pushforward of x.
  Var<T> offset(const Var<T>& x, const Var<T>& f) const;

 private:
  Var<T> first_pre_activations(const Var<T>& x);

  const Mlp<T>* mlp_ = nullptr;
  Tape<T>* tape_ = nullptr;
  Matrix<T> hot_;  // working memory: the columns of the ones of a multi-hot x
  std::vector<Var<T>> parameters_;
  std::vector<Var<T>> pre_activations_;  // of the last call, where the activation is abs
  std::vector<Var<T>> activations_;      // of the last call, where it is relu or leaky_relu
};

/// The offset f - J x by a pushforward of x: for any function on the tape, n x k, differentiable.
template <class T>
Var<T> offset_by_pushforward(const Var<T>& x, const Var<T>& f);

}  // namespace normalign

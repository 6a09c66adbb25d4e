// The activations that a network may have, by name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "autodiff/tape.hpp"

namespace normalign {

/// What stands between two layers; `quadratic` is t^2, `gelu_tanh` the approximation of gelu by tanh.
enum class Activation { relu, leaky_relu, abs, tanh, sigmoid, softplus, silu, gelu, gelu_tanh, quadratic, identity };

/// The activation's name, as in a config.
std::string_view name(Activation activation);
/// The names of all activations.
std::vector<std::string> activation_names();

/// An activation, and its slope where the words that name it say one.
struct NamedActivation {
  Activation activation;
  std::optional<double> slope{};
};

/// The activation that `words` name: by our name, or as PyTorch writes it. That is a class or function with its module
/// or without, where case and underscores do not count ("ReLU", "torch.nn.LeakyReLU", "F.leaky_relu"), and what
/// printing a module shows ("LeakyReLU(negative_slope=0.1)", "GELU(approximate='tanh')", "SiLU()"). Throws InputError
/// listing our names when there is none, and on an argument that would make it another function ("Softplus(beta=2)").
NamedActivation named_activation(std::string_view words);
/// The same of words without a slope. Throws InputError as above, and on a slope.
Activation activation(std::string_view words);

/// Whether a network with this activation is affine on each region of input space.
bool is_piecewise_affine(Activation activation);

/// The activation of every value of t, 2-D on the tape; `slope` is leaky_relu's for t <= 0.
template <class T>
Var<T> activated(Activation activation, Var<T> t, double slope);

/// u times the activation's slope at pre-activations t with result y: u passed through the frozen pattern of a
/// piecewise-affine activation (0 is off, abs has slope 0 at 0), differentiable in u alone. Only abs looks at t,
/// only (leaky) relu at y; the other may be empty. Throws InputError for an activation that is not piecewise affine.
template <class T>
Var<T> through_pattern(Activation activation, Var<T> u, const Var<T>& t, const Var<T>& y, double slope);

}  // namespace normalign

// The activations that a network may have, by name.
#pragma once

#include <span>
#include <string_view>

#include "autodiff/tape.hpp"

namespace normalign {

/// What stands between two layers; `quadratic` is t^2.
enum class Activation { relu, leaky_relu, abs, tanh, sigmoid, softplus, silu, quadratic, identity };

/// The activation's name, as in a config.
std::string_view name(Activation activation);
/// The activation of that name. Throws InputError listing the names when there is none.
Activation activation(std::string_view name);

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

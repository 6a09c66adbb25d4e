#include "nn/activation.hpp"

#include <array>
#include <string>
#include <utility>

#include "autodiff/ops.hpp"
#include "base/nearest_name.hpp"

namespace normalign {
namespace {
constexpr std::array<std::string_view, 9> names = {"relu",     "leaky_relu", "abs",       "tanh",    "sigmoid",
                                                   "softplus", "silu",       "quadratic", "identity"};
}  // namespace

std::string_view name(Activation activation) { return names[static_cast<std::size_t>(activation)]; }

Activation activation(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Activation>(i);
  throw InputError(text("activation: found '", name, "', ", expected_one_of(name, {names.begin(), names.end()})));
}

bool is_piecewise_affine(Activation activation) {
  return activation == Activation::relu || activation == Activation::leaky_relu || activation == Activation::abs ||
         activation == Activation::identity;
}

template <class T>
Var<T> activated(Activation activation, Var<T> t, double slope) {
  switch (activation) {
    case Activation::relu:
      return relu(std::move(t));
    case Activation::leaky_relu:
      return leaky_relu(std::move(t), slope);
    case Activation::abs:
      return abs(std::move(t));
    case Activation::tanh:
      return tanh(std::move(t));
    case Activation::sigmoid:
      return sigmoid(std::move(t));
    case Activation::softplus:
      return softplus(std::move(t));
    case Activation::silu:
      return silu(std::move(t));
    case Activation::quadratic:
      return square(std::move(t));
    case Activation::identity:
      return t;
  }
  throw std::logic_error("activated: not an activation");
}

template <class T>
Var<T> through_pattern(Activation activation, Var<T> u, const Var<T>& t, const Var<T>& y, double slope) {
  switch (activation) {
    case Activation::relu:
      return gate(std::move(u), y);
    case Activation::leaky_relu:
      return gate(std::move(u), y, slope);
    case Activation::abs:
      return std::move(u) * sign(t);
    case Activation::identity:
      return u;
    default:
      break;
  }
  throw InputError(text("through_pattern: activation is ", name(activation),
                        "; it must be piecewise affine: relu, leaky_relu, abs or identity"));
}

#define NORMALIGN_INSTANTIATE(T)                         \
  template Var<T> activated(Activation, Var<T>, double); \
  template Var<T> through_pattern(Activation, Var<T>, const Var<T>&, const Var<T>&, double);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

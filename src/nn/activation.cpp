#include "nn/activation.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "autodiff/ops.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {
constexpr std::array<std::string_view, 11> names = {
    "relu", "leaky_relu", "abs", "tanh", "sigmoid", "softplus", "silu", "gelu", "gelu_tanh", "quadratic", "identity"};

// A name without the modules before it, in small letters without underscores: "leakyrelu" of "nn.LeakyReLU".
std::string folded(std::string_view name) {
  for (const std::string_view module : {"torch.", "nn.", "functional.", "F."})
    if (name.starts_with(module)) name.remove_prefix(module.size());
  std::string result;
  for (const char c : name)
    if (c != '_') result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// What stands between two commas or brackets, without blanks and quotes: an argument, whose key may be left out.
struct Argument {
  std::string_view key, value;

  explicit Argument(std::string_view words) : value(words) {
    if (const auto equals = words.find('='); equals != words.npos) {
      key = trimmed(words.substr(0, equals));
      value = words.substr(equals + 1);
    }
    value = trimmed(value);
  }
  static std::string_view trimmed(std::string_view words) {
    constexpr std::string_view around = " '\"";
    const auto first = words.find_first_not_of(around);
    return first == words.npos ? "" : words.substr(first, words.find_last_not_of(around) + 1 - first);
  }
};

// Takes an argument of PyTorch's module into what was found. Returns whether it leaves a function that there is here.
bool takes(NamedActivation& found, const Argument& argument) {
  const auto& [key, value] = argument;
  const std::optional<double> number = number_in(value);
  if (key == "inplace") return true;
  switch (found.activation) {
    case Activation::leaky_relu:
      found.slope = number;
      return (key.empty() || key == "negative_slope") && number && *number >= 0;
    case Activation::softplus:  // above the threshold it is the identity, which 20 is close enough to
      return (key == "beta" && number == 1) || (key == "threshold" && number && *number >= 20);
    case Activation::gelu:
      if (value == "tanh") found.activation = Activation::gelu_tanh;
      return key == "approximate" && (value == "tanh" || value == "none");
    default:
      return false;
  }
}

}  // namespace

std::string_view name(Activation activation) { return names[static_cast<std::size_t>(activation)]; }

std::vector<std::string> activation_names() { return {names.begin(), names.end()}; }

NamedActivation named_activation(std::string_view words) {
  const auto bracket = words.find('(');
  const bool has_arguments = bracket != words.npos && words.ends_with(')');
  const std::string_view called = has_arguments ? words.substr(0, bracket) : words;
  const auto found = std::ranges::find_if(names, [&](auto known) { return folded(known) == folded(called); });
  if (found == names.end())  // without a "did you mean": ELU and ReLU6 are near relu and yet no mistakes
    throw InputError(text("activation: found '", one_line(words), "', expected one of ", joined(names, ", ")));
  NamedActivation result{static_cast<Activation>(found - names.begin())};
  if (!has_arguments) return result;
  std::string_view rest = words.substr(bracket + 1, words.size() - bracket - 2);
  while (!rest.empty()) {
    const std::string_view argument = rest.substr(0, rest.find(','));
    if (!takes(result, Argument(argument)))
      throw InputError(text("activation: found '", one_line(words), "', expected no ", one_line(argument)));
    rest.remove_prefix(std::min(argument.size() + 1, rest.size()));
  }
  return result;
}

Activation activation(std::string_view words) {
  const auto [activation, slope] = named_activation(words);
  if (slope) throw InputError(text("activation: found '", one_line(words), "', expected a name without a slope"));
  return activation;
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
    case Activation::gelu:
      return gelu(std::move(t));
    case Activation::gelu_tanh:
      return gelu_tanh(std::move(t));
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

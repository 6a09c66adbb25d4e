#include "autodiff/check/nan_check.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

template <class T>
bool holds_nan(const ConstView<T>& x) {
  return std::ranges::any_of(x.span(), [](T value) { return std::isnan(value); });
}
template <class T>
bool holds_infinity(const ConstView<T>& x) {
  return std::ranges::any_of(x.span(), [](T value) { return std::isinf(value); });
}

// What besides numbers an input holds.
template <class T>
const char* described(const ConstView<T>& x) {
  if (holds_nan(x)) return " with nan";
  return holds_infinity(x) ? " with inf" : "";
}

}  // namespace

template <class T>
void NanCheck<T>::see(const Primitive<T>& primitive, const Call<T>& call, std::uint32_t node) {
  const ConstView<T> y = call.y;
  const auto inputs = std::span(call.x).first(primitive.arity);
  const bool may_be_infinite = std::ranges::any_of(inputs, holds_infinity<T>);
  const auto is_wrong = [&](T value) { return std::isnan(value) || (std::isinf(value) && !may_be_infinite); };
  const auto wrong = std::ranges::find_if(y.span(), is_wrong);
  if (wrong == y.span().end()) return;

  const Index at = wrong - y.span().begin();
  std::string message = text(primitive.name, ": found ", std::isnan(*wrong) ? "nan" : text(*wrong), " at (",
                             at / y.cols(), ", ", at % y.cols(), ") of the ", y.shape(), " result",
                             node == detail::no_node ? "" : text(", node ", node), ", expected a number; inputs");
  for (std::size_t k = 0; k < inputs.size(); ++k)
    message += text(k ? ", " : " ", inputs[k].shape(), described(inputs[k]));
  if (graph_.swept != detail::no_node)
    message += text("; in a rule of node ", graph_.swept, ", ", graph_.nodes[graph_.swept].primitive->name);
  throw RunError(message);
}

template class NanCheck<float>;
template class NanCheck<double>;

}  // namespace normalign

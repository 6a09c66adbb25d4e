#include "nn/adamw.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace normalign {

template <class T>
AdamW<T>::AdamW(AdamWOptions options) : options_(options) {
  for (double setting : {options.learning_rate, options.epsilon, options.weight_decay})
    if (!(std::isfinite(setting) && setting >= 0))
      throw InputError(text("AdamW: a setting is ", setting, "; it must be finite and not negative"));
  for (double beta : {options.beta1, options.beta2})
    if (!(beta >= 0 && beta < 1))
      throw InputError(text("AdamW: a beta is ", beta, "; it must be at least 0 and below 1"));
}

template <class T>
void AdamW<T>::start(std::span<const MatrixView<T>> parameters) {
  steps_ = 0;
  first_moment_ = this->zeros_like(parameters);
  second_moment_ = this->zeros_like(parameters);
}

template <class T>
std::vector<MatrixView<T>> AdamW<T>::state() {
  std::vector<MatrixView<T>> views(first_moment_.begin(), first_moment_.end());
  views.insert(views.end(), second_moment_.begin(), second_moment_.end());
  return views;
}

template <class T>
void AdamW<T>::begin_step() {
  ++steps_;
  rate_ = static_cast<T>(options_.learning_rate / (1 - std::pow(options_.beta1, steps_)));
  root_ = static_cast<T>(1 / std::sqrt(1 - std::pow(options_.beta2, steps_)));
}

template <class T>
void AdamW<T>::update(std::size_t parameter, Index first, std::span<T> values, std::span<const T> gradient) {
  const T kept = static_cast<T>(1 - options_.learning_rate * options_.weight_decay);
  const T beta1 = static_cast<T>(options_.beta1), new1 = static_cast<T>(1 - options_.beta1);
  const T beta2 = static_cast<T>(options_.beta2), new2 = static_cast<T>(1 - options_.beta2);
  const T rate = rate_, root = root_;
  const T epsilon = std::max(static_cast<T>(options_.epsilon), std::numeric_limits<T>::min());
  // A moment below 2^-2e under a gradient below 2^-e is computed at 2^2e times the gradient, whose square is in the
  // middle of the range, and kept as the negative of its root.
  constexpr int e = 2 * std::numeric_limits<T>::max_exponent / 5;
  const T scale = std::ldexp(T{1}, 2 * e), back = std::ldexp(T{1}, -2 * e), least = std::ldexp(T{1}, -e);
  T* w = values.data();
  const T* g = gradient.data();
  T* m = first_moment_[parameter].data() + first;
  T* v = second_moment_[parameter].data() + first;
  const std::size_t size = values.size();
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const bool tiny = std::abs(g[i]) < least && v[i] < back;
    const T s = tiny ? scale : T{1};
    const T held = v[i] * s, scaled = g[i] * s;
    const T moment = beta2 * (held * (v[i] < 0 ? held : s)) + new2 * scaled * scaled;
    const T moment_root = std::sqrt(moment);
    m[i] = beta1 * m[i] + new1 * g[i];
    v[i] = tiny ? -(moment_root * back) : moment;
    w[i] = kept * w[i] - rate * (m[i] * s) / (moment_root * root + epsilon * s);
  }
}

template class AdamW<float>;
template class AdamW<double>;

}  // namespace normalign

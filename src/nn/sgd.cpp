#include "nn/sgd.hpp"

#include <cmath>

namespace normalign {

template <class T>
Sgd<T>::Sgd(SgdOptions options) : options_(options) {
  for (double setting : {options.learning_rate, options.momentum, options.weight_decay})
    if (!(std::isfinite(setting) && setting >= 0))
      throw InputError(text("Sgd: a setting is ", setting, "; it must be finite and not negative"));
}

template <class T>
void Sgd<T>::start(std::span<const MatrixView<T>> parameters) {
  if (options_.momentum > 0) velocity_ = this->zeros_like(parameters);
}

template <class T>
void Sgd<T>::update(std::size_t parameter, Index first, std::span<T> values, std::span<const T> gradient) {
  const T rate = static_cast<T>(options_.learning_rate), momentum = static_cast<T>(options_.momentum),
          decay = static_cast<T>(options_.weight_decay);
  T* w = values.data();
  const T* g = gradient.data();
  const std::size_t size = values.size();
  if (velocity_.empty()) {
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) w[i] -= rate * (g[i] + decay * w[i]);
    return;
  }
  T* v = velocity_[parameter].data() + first;
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

template class Sgd<float>;
template class Sgd<double>;

}  // namespace normalign

#include "nn/grokfast.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {

template <class T>
GrokFast<T>::GrokFast(GrokFastOptions options) : options_(options) {
  if (!(options.alpha >= 0 && options.alpha <= 1))
    throw InputError(text("GrokFast: alpha is ", options.alpha, "; it must be between 0 and 1"));
  if (!std::isfinite(options.lambda))
    throw InputError(text("GrokFast: lambda is ", options.lambda, "; it must be finite"));
}

template <class T>
void GrokFast<T>::start(std::span<const MatrixView<T>> parameters) {
  average_.clear();
  for (const MatrixView<T>& p : parameters) average_.emplace_back(p.rows(), p.cols());
  started_.assign(parameters.size(), false);
}

template <class T>
void GrokFast<T>::apply(std::size_t parameter, ConstView<T>, MatrixView<T> gradient) {
  T* m = average_[parameter].data();
  T* g = gradient.data();
  const Index size = gradient.size();
  if (!started_[parameter]) {
    std::copy_n(g, size, m);
    started_[parameter] = true;
  }
  const T kept = static_cast<T>(options_.alpha), fresh = static_cast<T>(1 - options_.alpha);
  const T lambda = static_cast<T>(options_.lambda);
#pragma omp simd
  for (Index i = 0; i < size; ++i) {
    m[i] = kept * m[i] + fresh * g[i];
    g[i] += lambda * m[i];
  }
}

template class GrokFast<float>;
template class GrokFast<double>;

}  // namespace normalign

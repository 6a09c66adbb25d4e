#include "nn/orthograd.hpp"

#include "linalg/reduce.hpp"

namespace normalign {

template <class T>
void OrthoGrad<T>::apply(std::size_t, ConstView<T> values, MatrixView<T> gradient) {
  const double squares = dot(values.span(), values.span());
  if (!(squares > 1e-8)) return;
  const T along = static_cast<T>(dot(values.span(), ConstView<T>(gradient).span()) / squares);
  const T* w = values.data();
  T* g = gradient.data();
  const Index size = gradient.size();
#pragma omp simd
  for (Index i = 0; i < size; ++i) g[i] -= along * w[i];
}

template class OrthoGrad<float>;
template class OrthoGrad<double>;

}  // namespace normalign

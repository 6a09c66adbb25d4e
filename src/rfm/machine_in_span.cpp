#include "rfm/machine_in_span.hpp"

#include "linalg/safetensors.hpp"

namespace normalign {

template <class T>
void add_directions(TensorFile& file, const SpanCoordinates<T>& span) {
  file.tensors["directions"] = {.values = Matrix<T>(span.directions())};
}

template <class T>
std::optional<SpanCoordinates<T>> span_in(const TensorFile& file, Index inputs) {
  const auto found = file.tensors.find("directions");
  if (found == file.tensors.end()) return std::nullopt;
  auto span = SpanCoordinates<T>::along(values_as<T>(found->second));
  if (span.coordinates() != inputs)
    throw InputError(text("tensor directions: found ", span.coordinates() - 1, " rows, expected ", inputs - 1,
                          ", one fewer than the metric has"));
  return span;
}

template <class T>
Matrix<T> outputs_at(const SpanCoordinates<T>& span, const KernelMachine<T>& machine, ConstView<T> x, int threads) {
  return machine.outputs_at(span.of(x), threads);
}

std::vector<double> diagonal_in_inputs(ConstView<double> products, const std::optional<SpanCoordinates<double>>& span) {
  std::vector<double> result(static_cast<std::size_t>(span ? span->inputs() : products.rows()));
  const Matrix<double> half = span ? span->in_inputs(products) : Matrix<double>();
  for (Index j = 0; j < static_cast<Index>(result.size()); ++j) {
    double& sum = result[static_cast<std::size_t>(j)];
    if (!span) sum = products(j, j);
    for (Index i = 0; span && i < span->directions().rows(); ++i) sum += span->directions()(i, j) * half(i, j);
  }
  return result;
}

template <class T>
void pull_back(const SpanCoordinates<T>& span, const KernelMachine<T>& machine, ConstView<T> x,
               const typename KernelMachine<T>::Cotangents& cotangents, MatrixView<T> gradients, int threads) {
  if (gradients.shape() != x.shape())
    throw InputError(text("pull_back: gradients are ", gradients.shape(), " but x is ", x.shape()));
  const Matrix<T> points = span.of(x, gradients);
  const Index last = span.coordinates() - 1;
  Matrix<T> pulled(x.rows(), last + 1);
  machine.pull_back(points, cotangents, pulled, threads);
  // The last coordinate is the rest's length, whose gradient is the rest over it, and is 0 where there is no rest.
  for (Index i = 0; i < x.rows(); ++i) {
    const T length = points(i, last), slope = pulled(i, last);
    for (T& value : gradients.row(i)) value = length > 0 ? slope * (value / length) : T(0);
  }
  span.add_in_inputs(pulled, gradients);
}

#define NORMALIGN_INSTANTIATE(T)                                                                        \
  template void add_directions(TensorFile&, const SpanCoordinates<T>&);                                 \
  template std::optional<SpanCoordinates<T>> span_in(const TensorFile&, Index);                         \
  template Matrix<T> outputs_at(const SpanCoordinates<T>&, const KernelMachine<T>&, ConstView<T>, int); \
  template void pull_back(const SpanCoordinates<T>&, const KernelMachine<T>&, ConstView<T>,             \
                          const KernelMachine<T>::Cotangents&, MatrixView<T>, int);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

#include "rfm/span_coordinates.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

template <class T>
SpanCoordinates<T>::SpanCoordinates(ConstView<T> rows) {
  Lq<T> factors = lq(rows);
  const Index n = rows.rows(), d = rows.cols(), r = factors.rows.rows();
  LargeVector<T> basis = factors.rows.take();
  basis.resize(static_cast<std::size_t>((r + 1) * d), T(0));
  basis_ = Matrix<T>(r + 1, d, std::move(basis));
  rows_ = Matrix<T>(n, r + 1);
  for (Index i = 0; i < n; ++i) {
    // The factors of equal rows differ by rounding, and a kernel with a kink would make a direction of it.
    Index first = 0;
    while (!std::ranges::equal(rows.row(first), rows.row(i))) ++first;
    std::ranges::copy(factors.lower.row(first), rows_.row(i).begin());
  }
}

// The coordinates of x, and what is left of it (m x d).
template <class T>
Matrix<T> SpanCoordinates<T>::parted(ConstView<T> x, MatrixView<T> rest) const {
  Matrix<T> result(x.rows(), coordinates());
  // m x d, ((r + 1) x d)ᵀ; m x (r + 1), (r + 1) x d
  gemm<T>(x, basis_, result, {.b = true});
  std::ranges::copy(x.span(), rest.data());
  gemm<T>(result, basis_, rest, {}, T(-1), T(1));
  for (Index i = 0; i < x.rows(); ++i) {
    const ConstView<T> left = rest.row_block(i, 1);
    result(i, coordinates() - 1) = static_cast<T>(std::sqrt(dot(left.span(), left.span())));
  }
  return result;
}

template <class T>
Matrix<T> SpanCoordinates<T>::of(ConstView<T> x) const {
  Matrix<T> rest(x.rows(), x.cols());
  return parted(x, rest);
}

template <class T>
Matrix<T> SpanCoordinates<T>::metric_in_inputs(ConstView<T> metric) const {
  const Index r = coordinates() - 1;
  if (metric.shape() != Shape{r + 1, r + 1})
    throw InputError(text("SpanCoordinates: the metric is ", metric.shape(), "; it must be ", Shape{r + 1, r + 1}));
  const T beyond = metric(r, r);
  Matrix<T> excess(metric), half(r + 1, inputs()), result(inputs(), inputs());
  for (Index i = 0; i <= r; ++i) excess(i, i) -= beyond;
  // (r + 1) x (r + 1), (r + 1) x d; ((r + 1) x d)ᵀ, (r + 1) x d
  gemm<T>(excess, basis_, half);
  gemm<T>(basis_, half, result, {.a = true});
  for (Index i = 0; i < inputs(); ++i) result(i, i) += beyond;
  return result;
}

template <class T>
Matrix<T> SpanCoordinates<T>::outputs_at(const KernelMachine<T>& machine, ConstView<T> x, int threads) const {
  return machine.outputs_at(of(x), threads);
}

template <class T>
void SpanCoordinates<T>::pull_back(const KernelMachine<T>& machine, ConstView<T> x,
                                   const typename KernelMachine<T>::Cotangents& cotangents, MatrixView<T> gradients,
                                   int threads) const {
  if (gradients.shape() != x.shape())
    throw InputError(text("pull_back: gradients are ", gradients.shape(), " but x is ", x.shape()));
  const Matrix<T> points = parted(x, gradients);
  Matrix<T> pulled(x.rows(), coordinates());
  machine.pull_back(points, cotangents, pulled, threads);
  // The last coordinate is the rest's length, whose gradient is the rest over it, and is 0 where there is no rest.
  for (Index i = 0; i < x.rows(); ++i) {
    const T length = points(i, coordinates() - 1), slope = pulled(i, coordinates() - 1);
    for (T& value : gradients.row(i)) value = length > 0 ? slope * (value / length) : T(0);
  }
  // m x (r + 1), (r + 1) x d
  gemm<T>(pulled, basis_, gradients, {}, T(1), T(1));
}

template class SpanCoordinates<float>;
template class SpanCoordinates<double>;

}  // namespace normalign

#include "linalg/span_coordinates.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

// a aᵀ in double, n x n, of a: n x d. A block of columns is a copy of so many values at a time.
template <class T>
Matrix<double> inner_products(ConstView<T> a) {
  constexpr Index block_cols = 2048;
  const Index n = a.rows(), d = a.cols();
  Matrix<double> result(n, n), block;
  for (Index first = 0; first < d; first += block_cols) {
    const Index count = std::min(block_cols, d - first);
    block.resize(count, n);
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < count; ++j) block(j, i) = static_cast<double>(a(i, first + j));
    syrk<double>(block, result, 1, 1);  // (count x n)ᵀ, count x n
  }
  return result;
}

// L of a = L Q, its upper triangle zero, by the rows' inner products; empty where a row is nearly in the span of those
// before it, or a value is not finite.
template <class T>
Matrix<double> lower_by_inner_products(ConstView<T> a) {
  constexpr double least_sine = 1e-3;
  Matrix<double> lower = inner_products(a);
  std::vector<double> squares;
  for (Index i = 0; i < lower.rows(); ++i) squares.push_back(lower(i, i));
  if (!cholesky<double>(lower)) return {};
  for (Index i = 0; i < lower.rows(); ++i) {
    if (!(std::pow(lower(i, i), 2) > std::pow(least_sine, 2) * squares[static_cast<std::size_t>(i)])) return {};
    std::ranges::fill(lower.row(i).subspan(static_cast<std::size_t>(i) + 1), 0.0);
  }
  return lower;
}

// x with one more column, of zeros.
template <class T>
Matrix<T> with_one_more(ConstView<T> x) {
  Matrix<T> result(x.rows(), x.cols() + 1);
  for (Index i = 0; i < x.rows(); ++i) std::ranges::copy(x.row(i), result.row(i).begin());
  return result;
}

}  // namespace

template <class T>
SpanCoordinates<T>::SpanCoordinates(ConstView<T> lower, Matrix<T> directions)
    : directions_(std::move(directions)), rows_(with_one_more(lower)) {}

template <class T>
SpanCoordinates<T>::SpanCoordinates(ConstView<T> rows) {
  Lq<T> factors = lq(rows);
  *this = SpanCoordinates(factors.lower, std::move(factors.rows));
  for (Index i = 0; i < rows.rows(); ++i) {
    // The factors of equal rows differ by rounding, and a kernel with a kink would make a direction of it.
    Index first = 0;
    while (!std::ranges::equal(rows.row(first), rows.row(i))) ++first;
    std::ranges::copy(rows_.row(first), rows_.row(i).begin());
  }
}

template <class T>
SpanCoordinates<T> SpanCoordinates<T>::by_inner_products(Matrix<T> rows) {
  const Matrix<double> lower = rows.rows() <= rows.cols() ? lower_by_inner_products<T>(rows) : Matrix<double>();
  if (lower.empty()) return SpanCoordinates(ConstView<T>(rows));
  const Matrix<T> rounded = converted<T>(lower.view());
  triangular_solve<T>(rounded, rows);
  return SpanCoordinates(rounded, std::move(rows));
}

template <class T>
SpanCoordinates<T> SpanCoordinates<T>::along(Matrix<T> directions) {
  const Matrix<T> no_rows(0, directions.rows());
  return SpanCoordinates(no_rows, std::move(directions));
}

template <class T>
Matrix<T> SpanCoordinates<T>::of(ConstView<T> x) const {
  Matrix<T> rest(x.rows(), x.cols());
  return of(x, rest);
}

template <class T>
Matrix<T> SpanCoordinates<T>::of(ConstView<T> x, MatrixView<T> rest) const {
  Matrix<T> along(x.rows(), directions_.rows());
  // m x d, (r x d)ᵀ; m x r, r x d
  gemm<T>(x, directions_, along, {.b = true});
  std::ranges::copy(x.span(), rest.data());
  gemm<T>(along, directions_, rest, {}, T(-1), T(1));
  Matrix<T> result = with_one_more<T>(along);
  for (Index i = 0; i < x.rows(); ++i) {
    const ConstView<T> left = rest.row_block(i, 1);
    result(i, coordinates() - 1) = static_cast<T>(std::sqrt(dot(left.span(), left.span())));
  }
  return result;
}

template <class T>
Matrix<T> SpanCoordinates<T>::in_inputs(ConstView<T> coordinates) const {
  Matrix<T> result(coordinates.rows(), inputs());
  add_in_inputs(coordinates, result);
  return result;
}

template <class T>
void SpanCoordinates<T>::add_in_inputs(ConstView<T> coordinates, MatrixView<T> x) const {
  const Index r = directions_.rows();
  if (coordinates.cols() != r + 1)
    throw InputError(
        text("SpanCoordinates: coordinates are ", coordinates.shape(), "; they must have ", r + 1, " columns"));
  Matrix<T> along(coordinates.rows(), r);
  for (Index i = 0; i < along.rows(); ++i)
    std::ranges::copy(coordinates.row(i).first(static_cast<std::size_t>(r)), along.row(i).begin());
  gemm<T>(along, directions_, x, {}, T(1), T(1));  // m x r, r x d
}

template <class T>
Matrix<T> SpanCoordinates<T>::metric_in_inputs(ConstView<T> metric) const {
  const Index r = directions_.rows();
  if (metric.shape() != Shape{r + 1, r + 1})
    throw InputError(text("SpanCoordinates: the metric is ", metric.shape(), "; it must be ", Shape{r + 1, r + 1}));
  const T beyond = metric(r, r);
  Matrix<T> excess(r, r), half(r, inputs()), result(inputs(), inputs());
  for (Index i = 0; i < r; ++i) {
    std::ranges::copy(metric.row(i).first(static_cast<std::size_t>(r)), excess.row(i).begin());
    excess(i, i) -= beyond;
  }
  // r x r, r x d; (r x d)ᵀ, r x d
  gemm<T>(excess, directions_, half);
  gemm<T>(directions_, half, result, {.a = true});
  for (Index i = 0; i < inputs(); ++i) result(i, i) += beyond;
  return result;
}

template class SpanCoordinates<float>;
template class SpanCoordinates<double>;

}  // namespace normalign

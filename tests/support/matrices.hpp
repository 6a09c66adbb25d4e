// Matrices for tests: random ones, comparisons, and products by plain loops.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "base/infinity.hpp"
#include "linalg/blas.hpp"
#include "linalg/matrix.hpp"
#include "linalg/random.hpp"

namespace normalign::tests {

/// A matrix of values uniform in (low, high), given by the seed alone.
template <class T = double>
Matrix<T> random_matrix(Shape shape, std::uint64_t seed, double low = -1, double high = 1) {
  Matrix<T> result(shape.rows, shape.cols);
  RandomRows(seed, Stream::gradcheck, 99).uniform(0, result.span(), low, high);
  return result;
}

/// The largest |found - expected| over the larger of 1 and the largest |expected|; infinite when the shapes
/// differ or a difference is NaN.
template <class Found, class Expected>
double relative_error(const Found& found, const Expected& expected) {
  if (found.shape() != expected.shape()) return infinity;
  double error = 0, scale = 1;
  for (std::size_t i = 0; i < found.span().size(); ++i) {
    const double a = static_cast<double>(found.span()[i]), b = static_cast<double>(expected.span()[i]);
    if (std::isnan(a - b)) return infinity;
    error = std::max(error, std::abs(a - b));
    scale = std::max(scale, std::abs(b));
  }
  return error / scale;
}

/// Whether two matrices have the same shape and the same bits.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  using Bits = std::conditional_t<sizeof(a.span()[0]) == 4, std::uint32_t, std::uint64_t>;
  return a.shape() == b.shape() && std::ranges::equal(a.span(), b.span(), [](auto x, auto y) {
           return std::bit_cast<Bits>(x) == std::bit_cast<Bits>(y);
         });
}

/// Whether every value is zero (of either sign).
template <class A>
bool all_zero(const A& a) {
  return std::ranges::all_of(a.span(), [](auto value) { return value == 0; });
}

/// Whether every value is finite.
template <class A>
bool all_finite(const A& a) {
  return std::ranges::all_of(a.span(), [](auto value) { return std::isfinite(value); });
}

/// The sum of a_ij b_ij, in double.
template <class A, class B>
double inner_product(const A& a, const B& b) {
  double result = 0;
  for (std::size_t i = 0; i < a.span().size(); ++i)
    result += static_cast<double>(a.span()[i]) * static_cast<double>(b.span()[i]);
  return result;
}

/// xᵀ.
template <class T>
Matrix<T> transposed(const Matrix<T>& x) {
  Matrix<T> y(x.cols(), x.rows());
  for (Index i = 0; i < y.rows(); ++i)
    for (Index j = 0; j < y.cols(); ++j) y(i, j) = x(j, i);
  return y;
}

/// alpha op(a) op(b) + beta c by three loops in double.
template <class T>
Matrix<double> naive_product(const Matrix<T>& a, const Matrix<T>& b, Transposes op = {}, double alpha = 1,
                             const Matrix<T>* c = nullptr, double beta = 0) {
  const Matrix<T> left = op.a ? transposed(a) : a, right = op.b ? transposed(b) : b;
  Matrix<double> y(left.rows(), right.cols());
  for (Index i = 0; i < y.rows(); ++i)
    for (Index j = 0; j < y.cols(); ++j) {
      double total = 0;
      for (Index k = 0; k < left.cols(); ++k)
        total += static_cast<double>(left(i, k)) * static_cast<double>(right(k, j));
      y(i, j) = alpha * total + (c ? beta * static_cast<double>((*c)(i, j)) : 0);
    }
  return y;
}

}  // namespace normalign::tests

#include "rfm/mahalanobis.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/blas.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {

// An AGOP keeps half of its digits where it is summed over pairs, and a metric that was stored is rounded once more.
template <class T>
const T rounding_share = std::max(T(1e-6), std::sqrt(std::numeric_limits<T>::epsilon()));

template <class T>
Matrix<T> product(ConstView<T> x, ConstView<T> factor) {
  // n x d, d x r
  Matrix<T> coordinates(x.rows(), factor.cols());
  gemm<T>(x, factor, coordinates);
  return coordinates;
}

}  // namespace

template <class T>
Matrix<T> mahalanobis_factor(ConstView<T> m) {
  if (m.rows() != m.cols()) throw InputError(text("mahalanobis_factor: m is ", m.shape(), "; it must be square"));
  const SymmetricEigen<T> eigen = symmetric_eigen(m);
  const Index d = m.rows();
  const T largest = d == 0 ? T(0) : std::max(eigen.values.back(), T(0));
  if (d > 0 && eigen.values.front() < -rounding_share<T> * largest)
    throw InputError(text("mahalanobis_factor: m has the eigenvalue ", eigen.values.front(), " beside ", largest,
                          "; it must be positive semi-definite"));
  const T least = largest * static_cast<T>(d) * std::numeric_limits<T>::epsilon();
  const auto first =
      static_cast<Index>(std::ranges::upper_bound(eigen.values, std::max(least, T(0))) - eigen.values.begin());
  Matrix<T> factor(d, d - first);
  for (Index j = first; j < d; ++j) {
    const T length = std::sqrt(eigen.values[static_cast<std::size_t>(j)]);
    for (Index i = 0; i < d; ++i) factor(i, j - first) = length * eigen.vectors(j, i);
  }
  return factor;
}

template <class T>
MahalanobisPoints<T>::MahalanobisPoints(ConstView<T> x, ConstView<T> factor) : MahalanobisPoints(product(x, factor)) {}

template <class T>
MahalanobisPoints<T>::MahalanobisPoints(Matrix<T> coordinates)
    : coordinates_(std::move(coordinates)), squared_lengths_(static_cast<std::size_t>(coordinates_.rows())) {
  for (Index i = 0; i < size(); ++i) {
    const std::span<const T> z = std::as_const(coordinates_).row(i);
    squared_lengths_[static_cast<std::size_t>(i)] = static_cast<T>(dot(z, z));
  }
}

template <class T>
void MahalanobisPoints<T>::squared_distances(Index first, const MahalanobisPoints& others, Index first_other,
                                             MatrixView<T> out) const {
  const Index rows = out.rows(), cols = out.cols(), r = rank();
  const T* const lengths = others.squared_lengths_.data() + first_other;
  // |a|² + |b|² - 2 ab: the product is added to rows that hold the lengths, and needs no cleared ones.
  for (Index i = 0; i < rows; ++i) {
    T* const row = out.row(i).data();
    const T length = squared_lengths_[static_cast<std::size_t>(first + i)];
#pragma omp simd
    for (Index j = 0; j < cols; ++j) row[j] = length + lengths[j];
  }
  // rows x r, (cols x r)ᵀ
  gemm<T>(coordinates().row_block(first, rows), others.coordinates().row_block(first_other, cols), out, {.b = true},
          T(-2), T(1));
  // It is off by a rounding error of the lengths: below this share of them, too much.
  const T cancelled = std::sqrt(std::numeric_limits<T>::epsilon());
  // One point may have coordinates of other roundings in two products. A distance of that size has no direction, and
  // the slope of a kernel with a kink would give it one.
  constexpr T same = 32 * std::numeric_limits<T>::epsilon();
  for (Index i = 0; i < rows; ++i) {
    T* const row = out.row(i).data();
    const T length = squared_lengths_[static_cast<std::size_t>(first + i)];
    int near = 0;
#pragma omp simd reduction(| : near)
    for (Index j = 0; j < cols; ++j) near |= row[j] <= cancelled * (length + lengths[j]);
    if (!near) continue;
    const T* const a = coordinates_.row(first + i).data();
    for (Index j = 0; j < cols; ++j) {
      if (!(row[j] <= cancelled * (length + lengths[j]))) continue;
      const T* const b = others.coordinates_.row(first_other + j).data();
      T squared = 0;
      for (Index k = 0; k < r; ++k) squared += (a[k] - b[k]) * (a[k] - b[k]);
      row[j] = squared <= same * same * (length + lengths[j]) ? T(0) : squared;
    }
  }
}

template Matrix<float> mahalanobis_factor(ConstView<float>);
template Matrix<double> mahalanobis_factor(ConstView<double>);
template class MahalanobisPoints<float>;
template class MahalanobisPoints<double>;

}  // namespace normalign

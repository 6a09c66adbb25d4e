// The distance that a positive semi-definite matrix M gives: |x - z|_M² = (x - z)ᵀ M (x - z).
#pragma once

#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// F (d x r) of M = F Fᵀ (d x d, symmetric; its lower triangle is read), r its rank up to rounding. Negative
/// eigenvalues of a semi-definite matrix are rounding and count as 0. Throws InputError unless M is square and finite,
/// or where an eigenvalue is below -1e-6 of the largest; in float, below the root of its epsilon, -3.5e-4 of the
/// largest.
template <class T>
Matrix<T> mahalanobis_factor(ConstView<T> m);

/// Points as z = Fᵀx, where the distance is the Euclidean one.
template <class T>
class MahalanobisPoints {
 public:
  MahalanobisPoints() = default;
  /// x: n x d, factor: d x r. Throws InputError on a misfit.
  MahalanobisPoints(ConstView<T> x, ConstView<T> factor);
  /// Points by their coordinates, n x r.
  explicit MahalanobisPoints(Matrix<T> coordinates);

  /// n and r.
  Index size() const { return coordinates_.rows(); }
  Index rank() const { return coordinates_.cols(); }
  /// n x r.
  ConstView<T> coordinates() const { return coordinates_; }

  /// Writes the squared distances of these points from `first` on to those of `others` from `first_other` on to `out`,
  /// whose extents say how many. Not negative; those that would be lost to cancellation are worked out from the
  /// differences, and points that are equal up to the rounding of their coordinates (a distance of 32 machine epsilons
  /// of sqrt(|a|² + |b|²), or less) have distance 0.
  void squared_distances(Index first, const MahalanobisPoints& others, Index first_other, MatrixView<T> out) const;

 private:
  Matrix<T> coordinates_;
  std::vector<T> squared_lengths_;  // n
};

}  // namespace normalign

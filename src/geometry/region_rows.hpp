// The half-spaces that make up a region, and the outputs there, computed again and again for many codes.
#pragma once

#include <span>
#include <vector>

#include "geometry/affine_map.hpp"

namespace normalign::detail {

/// What `region` and `affine_map` of one code give, in one matrix and without new memory: row u is the wall of unit u
/// of N, counted through all layers (slope x + offset >= 0 in the region; a slope of zeros where the unit is constant
/// there up to rounding), then there is a row that `choose` sets, then the k outputs.
class RegionRows {
 public:
  /// The network must outlive it.
  explicit RegionRows(const PiecewiseAffineNetwork& network);

  /// Sets all rows but the chosen one. The code must have N entries.
  void compute(std::span<const std::uint8_t> code);
  /// Copies the row of output j to row N.
  void choose(Index j);

  /// N, and the row of output j.
  Index units() const { return units_; }
  Index output(Index j) const { return units_ + 1 + j; }
  ConstView<double> slopes() const { return slopes_; }    ///< (N + 1 + k) x d
  ConstView<double> offsets() const { return offsets_; }  ///< 1 x (N + 1 + k)

 private:
  const PiecewiseAffineNetwork* network_;  // borrowed
  Index units_;
  Matrix<double> slopes_, offsets_;
  AffineMap map_, memory_;         // to the pre-activations of one layer after the other
  std::vector<double> roundings_;  // of each hidden layer: the length of a slope that is zero
};

/// For each hidden layer how long a unit's slope may be, by rounding alone, where it should be zero: lengths of the
/// weights multiply to no less than any sum of products of their entries.
std::vector<double> zero_slope_lengths(const PiecewiseAffineNetwork& network);

}  // namespace normalign::detail

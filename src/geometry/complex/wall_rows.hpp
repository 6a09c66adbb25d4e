// The functions whose zeros are the walls of regions, along one way into the tree of activation codes.
#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "geometry/complex/bits.hpp"
#include "geometry/integers.hpp"
#include "geometry/piecewise_affine.hpp"

namespace normalign::detail {

/// Walls are numbered: N hidden units, counted through all layers; then the pairs of classes, (0, 1), (0, 2), ..., or
/// the single output; then infinity; then, where there is a box, its 2 d sides, x_i <= R before x_i >= -R.
struct WallNumbers {
  /// Those of a network.
  explicit WallNumbers(const PiecewiseAffineNetwork& network)
      : inputs(static_cast<std::size_t>(network.inputs())),
        units(static_cast<std::size_t>(network.first_unit(network.hidden_layers()))),
        outputs(static_cast<std::size_t>(network.outputs())) {}

  std::size_t inputs, units, outputs;  ///< d, N and k

  /// One output stands for two classes, of which it prefers the second where it is positive.
  std::size_t classes() const { return outputs == 1 ? 2 : outputs; }
  /// How many pairs of classes there are, and the wall of the pair i < j.
  std::size_t pairs() const { return classes() * (classes() - 1) / 2; }
  std::size_t pair(std::size_t i, std::size_t j) const { return units + i * (2 * classes() - i - 1) / 2 + j - i - 1; }
  /// The wall at infinity, t = 0; the first side of the box; and one past the last.
  std::size_t infinity() const { return units + pairs(); }
  std::size_t box() const { return infinity() + 1; }
  std::size_t count() const { return box() + 2 * inputs; }
};

/// By how much of itself a result of double arithmetic is off at most, and below which size by more.
inline constexpr double unit_roundoff = std::numeric_limits<double>::epsilon() / 2;
inline constexpr double smallest = std::numeric_limits<double>::min();

/// A row (w, b) of homogeneous coordinates, with a bound on how far each entry is from that of the exact row.
struct BoundedRow {
  std::span<const double> values, errors;
};

/// The functions of hidden units and pairs of classes on the region of a code as rows (w, b), so that the function is
/// w x + b: in doubles with error bounds, and where asked for in integers, up to a common positive factor in a layer.
/// A pair (i, j) has the row f_i - f_j; a single output f is the pair with the row -f.
class WallRows {
 public:
  /// The network must outlive it.
  explicit WallRows(const PiecewiseAffineNetwork& network);

  /// How its walls are numbered.
  const WallNumbers& numbers() const { return numbers_; }
  /// Sets the rows of a layer from those of the layer before and the code of its units, N bits; for layer =
  /// hidden_layers() the rows of outputs and pairs. Throws InputError when a row is beyond what a double holds.
  void enter(Index layer, std::span<const Word> code);
  /// The row of a hidden unit or pair whose layer was entered.
  BoundedRow row(std::size_t wall) const { return at(row_number(wall)); }
  /// The row of output i; the last layer was entered.
  std::span<const double> output(std::size_t i) const { return at(numbers_.units + i).values; }
  /// The same row as row(wall), in integers.
  const IntegerVector& exact_row(std::size_t wall) { return exact(row_number(wall)); }
  /// The sign of a wall's function at a point, or at a direction, where it follows from the signs of the units in the
  /// layer before, the numbers that are `positive` and `negative` there: where it has terms of one sign only.
  std::optional<int> implied_sign(std::size_t wall, std::span<const Word> positive, std::span<const Word> negative,
                                  bool is_direction) const;

 private:
  // Rows are numbered as walls are, with the outputs between hidden units and pairs.
  std::size_t row_number(std::size_t wall) const { return wall < numbers_.units ? wall : wall + numbers_.outputs; }
  BoundedRow at(std::size_t row) const;
  std::span<double> values(std::size_t row) { return std::span(rows_).subspan(2 * row * length_, length_); }
  std::span<double> errors(std::size_t row) { return std::span(rows_).subspan((2 * row + 1) * length_, length_); }
  // A unit of a layer minus another: hidden units and outputs are no difference, and a pair of a single output is -f.
  struct Terms {
    std::size_t layer;
    std::optional<std::size_t> plus, minus;
  };
  Terms terms_of(std::size_t row) const;
  void compute(std::size_t layer, std::size_t unit);
  void combine_outputs();
  const IntegerVector& exact(std::size_t row);
  IntegerVector exact_unit(std::size_t layer, std::size_t unit);

  // A layer's weights and biases as integers, value = integer * 2^exponent, and the slope of the layer before.
  struct ExactLayer {
    std::vector<IntegerVector> rows;  // n of (weights, bias)
    Integer on, off;                  // the slopes of the layer before, times 2^-their exponent
    int shift = 0;                    // of the bias, to the scale that products with the rows before have
  };

  const PiecewiseAffineNetwork* network_;  // borrowed
  WallNumbers numbers_;
  std::size_t length_;                // d + 1
  std::vector<std::size_t> first_;    // row of each layer, the outputs last
  std::vector<double> rows_;          // for each values and errors
  std::vector<IntegerVector> exact_;  // empty where not asked for
  std::vector<ExactLayer> layers_;
  std::vector<Word> code_;
};

}  // namespace normalign::detail

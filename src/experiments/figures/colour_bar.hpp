// Colours for numbers above 0, on a log scale.
#pragma once

#include <span>

#include "experiments/figures/canvas.hpp"

namespace normalign {

/// The ends of a scale of colours, both above 0.
struct LogScale {
  double low = 1;
  double high = 1;

  /// Where a value above 0 is between the ends, which are 0 and 1; 0.5 where they are equal.
  double share(double value) const;
  /// Its colour, beyond the ends that of the nearer end; grey for 0, which has no logarithm.
  Colour colour(double value) const;
};

/// The scale from the smallest of the values above 0, or a millionth of the largest where that is more, to the largest.
/// What is smaller looks like zero beside it.
LogScale log_scale(std::span<const double> values);

/// Draws the scale's colours from `corner` (upper left) down, with five numbers beside them and a heading above.
void draw_colour_bar(Canvas& canvas, Point corner, double height, const LogScale& scale, const char* heading);

}  // namespace normalign

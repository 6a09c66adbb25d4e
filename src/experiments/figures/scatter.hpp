// Clouds of points as charts.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/chart.hpp"

namespace normalign {

/// One point, in the units of the axes.
struct ScatterPoint {
  double x = 0, y = 0;
  bool is_filled = true;  ///< else hollow
};

/// Adds points to the only panel of the chart, in the next colour, as a block of filled ones, one of hollow ones, or
/// both. `name`: in the key. Throws InputError where a value is not finite, or not positive on a logarithmic axis.
void add_points(Chart& chart, const std::string& name, const std::vector<ScatterPoint>& points);

/// Gives both axes one range, which holds all points, and the frame the line on which x = y.
void add_diagonal(Chart& chart);

}  // namespace normalign

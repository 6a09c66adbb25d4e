// Pictures of point clouds: named series of points in the plane, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/gnuplot.hpp"

namespace normalign {

/// One point, in the units of the axes.
struct ScatterPoint {
  double x = 0, y = 0;
  bool is_filled = true;  ///< else hollow
};

/// Points of one colour.
struct ScatterSeries {
  std::string name = {};  ///< in the key
  std::vector<ScatterPoint> points = {};
};

/// One axis.
struct ScatterAxis {
  std::string label = {};
  bool is_log = false;
};

/// A scatter plot: what `scatter_figure` draws.
struct Scatter {
  std::string name = {};                   ///< of the files; letters, digits, ".", "_", "-" or "+"
  std::string title = {};                  ///< above the plot
  ScatterAxis x = {}, y = {};              ///< horizontal, vertical
  std::vector<ScatterSeries> series = {};  ///< in the order of the key
  std::string hollow = {};                 ///< what hollow points mean, for the key
  bool diagonal = false;                   ///< the line x = y too; both axes then have the same range
};

/// The picture. More series than colours share some. In the data file each series is a block of filled points, one of
/// hollow ones, or both. Throws InputError where there is no point, a value is not finite, or one is not positive on a
/// logarithmic axis.
Figure scatter_figure(const Scatter& scatter);

}  // namespace normalign

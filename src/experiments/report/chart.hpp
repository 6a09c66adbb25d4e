// Charts with two axes as SVG elements of a page, which take their colours and letters from its style.
#pragma once

#include <string>
#include <vector>

#include "experiments/report/html.hpp"
#include "geometry/planar/plane.hpp"

namespace normalign {

/// An axis: what stands beside it and its ends, low < high, of a logarithmic one positive.
struct ChartAxis {
  std::string label = {};
  double low = 0, high = 1;
  bool is_log = false;
  std::string low_label = {};  ///< at the low end, in place of its number
};

/// Where the axis has numbers: multiples of 1, 2 or 5 times a power of ten, or powers of ten; about five.
std::vector<double> ticks(const ChartAxis& axis);

/// How a line looks.
struct ChartLine {
  std::string colour = {};  ///< as `#RRGGBB`; black is the colour of the page's letters
  bool is_dashed = false;
  double width = 1.6;
};

/// A chart in the making. Points are in units of the axes; those beyond the ends are drawn at the nearer end.
class Chart {
 public:
  /// Empty, with these axes.
  Chart(ChartAxis x, ChartAxis y);

  /// The space between two lines, each from left to right.
  void band(const std::vector<Point>& lower, const std::vector<Point>& upper, const std::string& colour);
  /// An open line, kept to within a third of a pixel by as few points as that takes.
  void line(const std::vector<Point>& points, const ChartLine& look);
  void disc(Point centre, const std::string& colour, bool is_filled);
  /// A thin line across at y, and its name.
  void level(double y, const std::string& name);

  /// The picture, 440 by 260 units large. `description`: for those who cannot see it.
  html::Markup svg(const std::string& description) const;

 private:
  Point place(Point at) const;
  std::string path(const std::vector<Point>& points) const;

  ChartAxis x_, y_;
  html::Markup marks_;
};

}  // namespace normalign

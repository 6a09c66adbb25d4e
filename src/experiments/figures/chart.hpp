// Charts: panels of lines, bands and points above each other, described once and drawn by gnuplot.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "experiments/figures/gnuplot.hpp"

namespace normalign {

/// The colours of M. Okabe and K. Ito, which the colour-blind can tell apart, without the yellow, which is too light
/// for a line.
inline constexpr std::array figure_colours = {"#000000", "#D55E00", "#0072B2", "#009E73",
                                              "#CC79A7", "#E69F00", "#56B4E9"};

/// The colour of what guides the eye: levels, the diagonal, entries of the key that stand for any colour.
inline constexpr const char* guide_colour = "#777777";

/// Numbers that series take their columns from; in the data file a block of lines.
struct ChartBlock {
  std::string name = {};
  std::vector<std::string> columns = {};       ///< their names; the first holds x
  std::size_t whole_columns = 0;               ///< so many first columns are whole numbers
  std::vector<std::vector<double>> rows = {};  ///< NaN where there is no number
};

/// How points are drawn: joined by a line, or marked.
enum class Look { solid, dashed, filled, hollow };

/// What is drawn of a block in one colour. Columns count from 0; 0 for a column that is not drawn.
struct ChartSeries {
  std::string name = {};    ///< in the key; empty: it has no entry
  std::string colour = {};  ///< as `#RRGGBB`
  Look look = Look::solid;
  bool is_marked = false;               ///< a line with its points; a line of one point always is
  bool is_thin = false;                 ///< a line of half the width, for what is not whole
  std::size_t block = 0;                ///< its number, from 0
  std::size_t y = 1;                    ///< column
  std::size_t lowest = 0, highest = 0;  ///< columns of the ends of a band
};

/// An axis.
struct ChartAxis {
  std::string label = {};
  std::optional<double> low = {}, high = {};  ///< its ends; those of the data where absent
  int log_base = 0;                           ///< of a logarithmic axis and the numbers beside it; 0: linear
  bool has_zero = false;                      ///< of a logarithmic x axis: 0 stands at 0.5
  std::vector<double> ticks = {};             ///< where numbers stand; empty: where gnuplot puts them
};

/// A frame: its vertical axis and what is in it, perhaps with a thin line across.
struct ChartPanel {
  ChartAxis y = {};
  std::vector<ChartSeries> series = {};
  std::optional<double> level = {};  ///< of the thin line
  std::string level_name = {};       ///< beside it
};

/// A picture: frames above each other, which share the horizontal axis.
struct Chart {
  std::string name = {};     ///< of its files; letters, digits, ".", "_", "-" or "+"
  std::string title = {};    ///< above it
  std::string comment = {};  ///< at the head of the data file: whole lines that gnuplot passes over
  ChartAxis x = {};
  std::vector<ChartBlock> blocks = {};
  std::vector<ChartPanel> panels = {};
  std::vector<ChartSeries> legend = {};  ///< entries of the key alone, behind the series of the first panel
  bool has_diagonal = false;             ///< the line x = y too
  int width = 840, panel_height = 230;   ///< of the picture and of a frame, in pixels of the SVG
};

/// The least and the largest number that the panel draws of its series, bands included; (0, 0) without any.
std::pair<double, double> value_range(const Chart& chart, const ChartPanel& panel);

/// The axis with ends a little beyond `low` and `high`, which are positive where it is logarithmic.
ChartAxis fitted(ChartAxis axis, double low, double high);

/// Returns the `fitted` axis for values from `low` to `high`, logarithmic to base 10 where these are positive and more
/// than a factor of 10 apart; then numbers stand at 1, 2 and 5 times powers of ten, over more than three of these at
/// powers of ten alone.
ChartAxis axis_of(const std::string& label, double low, double high);

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

/// The entries of the key: the named series of the first panel, then the legend.
std::vector<ChartSeries> key_of(const Chart& chart);

/// The chart as files: gnuplot's data, a block of lines for each ChartBlock, and its script for SVG and PNG. Throws
/// InputError where there is no block.
Figure figure_of(const Chart& chart);

/// Each panel of each chart as SVG for a page, small, without key or background, all drawn by one gnuplot. A chart that
/// gnuplot fails at has fewer than its panels; without gnuplot all have none. Throws as `gnuplot_output` does.
std::vector<std::vector<std::string>> panel_svgs(std::span<const Chart> charts);

}  // namespace normalign

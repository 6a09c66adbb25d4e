#include "experiments/figures/scatter.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

void check(const Scatter& scatter) {
  bool is_empty = true;
  const auto check_value = [&](double value, const ScatterAxis& axis, const ScatterSeries& series) {
    if (!std::isfinite(value) || (axis.is_log && value <= 0))
      throw InputError(text("scatter: ", series.name, ": found ", axis.label, " ", value, ", expected a ",
                            axis.is_log ? "positive" : "finite", " number"));
  };
  for (const ScatterSeries& series : scatter.series)
    for (const auto& [x, y, filled] : series.points) {
      is_empty = false;
      check_value(x, scatter.x, series);
      check_value(y, scatter.y, series);
    }
  if (is_empty) throw InputError("scatter: found no points, expected some");
}

std::string data_block(const ScatterSeries& series, bool filled) {
  std::vector<Cells> rows = {{"# x", "y"}};
  for (const ScatterPoint& point : series.points)
    if (point.is_filled == filled) rows.push_back({all_digits(point.x), all_digits(point.y)});
  return gnuplot_comment(series.name + (filled ? "" : ", hollow")) + aligned_text(rows, 0);
}

// Both axes from the least to the largest of all values, with a little room.
std::string common_range(const Scatter& scatter) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const ScatterSeries& series : scatter.series)
    for (const ScatterPoint& point : series.points) {
      low = std::min({low, point.x, point.y});
      high = std::max({high, point.x, point.y});
    }
  const bool is_log = scatter.x.is_log || scatter.y.is_log;
  const double room = is_log ? std::pow(high / low, 0.05) : 0.05 * (high - low);
  if (is_log)
    return text('[', all_digits(low / std::max(room, 1.01)), ':', all_digits(high * std::max(room, 1.01)), ']');
  const double margin = room > 0 ? room : 1;
  return text('[', all_digits(low - margin), ':', all_digits(high + margin), ']');
}

}  // namespace

Figure scatter_figure(const Scatter& scatter) {
  check(scatter);
  const std::string& name = scatter.name;
  std::string data = gnuplot_comment(scatter.title), plots;
  int blocks = 0;
  bool has_hollow = false;
  const auto add = [&](const auto&... words) { plots += text(plots.empty() ? "plot " : ", \\\n     ", words...); };
  if (scatter.diagonal) add("x with lines linecolor rgb '#777777' linewidth 1 notitle");
  for (std::size_t i = 0; i < scatter.series.size(); ++i) {
    const ScatterSeries& series = scatter.series[i];
    const char* const colour = figure_colours[i % figure_colours.size()];
    bool is_in_key = false;
    for (const bool filled : {true, false}) {
      if (std::ranges::none_of(series.points, [&](const ScatterPoint& p) { return p.is_filled == filled; })) continue;
      has_hollow |= !filled;
      data += (blocks > 0 ? "\n\n" : "") + data_block(series, filled);
      add(gnuplot_string(name + ".dat"), " index ", blocks++, " using 1:2 with points pointtype ", filled ? 7 : 6,
          " pointsize 0.6 linecolor rgb '", colour, "' ",
          is_in_key ? std::string("notitle") : "title " + gnuplot_string(series.name));
      is_in_key = true;
    }
  }
  if (has_hollow && !scatter.hollow.empty())
    add("NaN with points pointtype 6 pointsize 0.6 linecolor rgb '#777777' title ", gnuplot_string(scatter.hollow));

  std::string script;
  const auto line = [&](const auto&... words) { script += text(words..., '\n'); };
  line("# Draws ", name, ".svg and ", name, ".png from ", name, ".dat; to draw again: gnuplot ", name,
       ".gp, in this folder.\n");
  line("set encoding utf8");
  line("set border 3 linecolor rgb '#444444'");
  line("set tics nomirror");
  line("set grid linetype 1 linecolor rgb '#e0e0e0'");
  line("set key outside center top horizontal Left reverse");
  for (const auto& [axis, letter] : {std::pair(&scatter.x, 'x'), std::pair(&scatter.y, 'y')}) {
    line("set ", letter, "label ", gnuplot_string(axis->label));
    if (axis->is_log) line("set logscale ", letter);
    if (scatter.diagonal) line("set ", letter, "range ", common_range(scatter));
  }
  if (scatter.diagonal) line("set size square");
  line("set title ", gnuplot_string(scatter.title));
  line("\ndo for [format in 'svg png'] {");
  line("if (format eq 'svg') {");
  // Lengths are pixels of the SVG, of which the PNG has twice as many.
  line("  set terminal svg noenhanced size 720,560 font 'sans-serif,14' background rgb 'white'");
  line("} else {");
  line("  set terminal pngcairo noenhanced size 1440,1120 font 'sans,21' linewidth 2 pointscale 2");
  line("}");
  line("set output '", name, ".'.format");
  line(plots);
  line("unset output");
  line("}");
  return {.name = name, .data = std::move(data), .script = std::move(script)};
}

}  // namespace normalign

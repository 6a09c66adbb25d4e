#include "experiments/figures/scatter.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace normalign {

void add_points(Chart& chart, const std::string& name, const std::vector<ScatterPoint>& points) {
  ChartPanel& panel = chart.panels.front();
  for (const ScatterPoint& point : points)
    for (const auto& [value, axis] : {std::pair(point.x, &chart.x), {point.y, &panel.y}})
      if (!std::isfinite(value) || (axis->log_base > 0 && value <= 0))
        throw InputError(text(chart.name, ": ", name, ": found ", axis->label, " ", value, ", expected a ",
                              axis->log_base > 0 ? "positive" : "finite", " number"));
  // A colour for each entry of the key.
  const auto colour = static_cast<std::size_t>(
      std::ranges::count_if(panel.series, [](const ChartSeries& series) { return !series.name.empty(); }));
  ChartSeries series{.name = name, .colour = figure_colours[colour % figure_colours.size()]};
  for (const bool is_filled : {true, false}) {
    ChartBlock block{.name = name + (is_filled ? "" : ", hollow"), .columns = {"x", "y"}};
    for (const ScatterPoint& point : points)
      if (point.is_filled == is_filled) block.rows.push_back({point.x, point.y});
    if (block.rows.empty()) continue;
    series.look = is_filled ? Look::filled : Look::hollow;
    series.block = chart.blocks.size();
    panel.series.push_back(series);
    chart.blocks.push_back(std::move(block));
    series.name.clear();
  }
}

void add_diagonal(Chart& chart) {
  ChartAxis& y = chart.panels.front().y;
  std::vector<double> values;
  for (const ChartBlock& block : chart.blocks)
    for (const std::vector<double>& row : block.rows) values.insert(values.end(), row.begin(), row.end());
  const auto [low, high] = std::ranges::minmax(values);
  chart.x = fitted(chart.x, low, high);
  y = fitted(y, low, high);
  chart.has_diagonal = true;
}

}  // namespace normalign

#include "experiments/tabular/plot.hpp"

#include "experiments/figures/chart.hpp"

namespace normalign {

std::vector<Chart> tabular_charts(const TabularSummary& summary) {
  std::vector<Chart> result;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const TabularMetric& metric : summary.metrics) {
      std::vector<ScatterPoint> sets;
      for (const TableRow& row : protocol.rows.rows) {
        const auto x = value_of(metric, method_name(1), row, protocol.rows),
                   y = value_of(metric, method_name(0), row, protocol.rows);
        if (x && y) sets.push_back({.x = *x, .y = *y});
      }
      if (sets.empty()) continue;
      const std::string title = text(metric.name, ", ", protocol.protocol);
      // A square frame.
      Chart& chart = result.emplace_back(Chart{.name = text(protocol.protocol, '_', metric.name),
                                               .title = title,
                                               .comment = gnuplot_comment(title),
                                               .x = {.label = "RFM"},
                                               .panels = {{.y = {.label = "RFAM"}}},
                                               .width = 560,
                                               .panel_height = 452});
      add_points(chart, "data sets", sets);
      add_diagonal(chart);
    }
  return result;
}

Plot tabular_plot(const TabularSummary& summary) {
  Plot result{.figures = {}, .remarks = remarks(summary.unfinished, summary.failed)};
  for (const Chart& chart : tabular_charts(summary)) result.figures.push_back(figure_of(chart));
  if (result.figures.empty())
    throw InputError("found no data set with finished runs of RFM and of RFAM, expected some");
  return result;
}

}  // namespace normalign

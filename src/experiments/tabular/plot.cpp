#include "experiments/tabular/plot.hpp"

namespace normalign {

std::vector<Scatter> tabular_scatters(const TabularSummary& summary) {
  std::vector<Scatter> result;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const TabularFigure& figure : summary.figures) {
      ScatterSeries sets{.name = "data sets"};
      for (const TableRow& row : protocol.rows.rows) {
        const auto x = value_of(figure, method_name(1), row, protocol.rows),
                   y = value_of(figure, method_name(0), row, protocol.rows);
        if (x && y) sets.points.push_back({.x = *x, .y = *y});
      }
      if (sets.points.empty()) continue;
      result.push_back({.name = text(protocol.protocol, '_', figure.name),
                        .title = text(figure.name, ", ", protocol.protocol),
                        .x = {.label = "RFM"},
                        .y = {.label = "RFAM"},
                        .series = {std::move(sets)},
                        .diagonal = true});
    }
  return result;
}

Plot tabular_plot(const TabularSummary& summary) {
  Plot result{.figures = {}, .remarks = remarks(summary.unfinished, summary.failed)};
  for (const Scatter& scatter : tabular_scatters(summary)) result.figures.push_back(scatter_figure(scatter));
  if (result.figures.empty())
    throw InputError("found no data set with finished runs of RFM and of RFAM, expected some");
  return result;
}

}  // namespace normalign

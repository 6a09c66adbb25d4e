#include "experiments/tabular/plot.hpp"

#include "experiments/results/run_set.hpp"

namespace normalign {

std::vector<Scatter> tabular_scatters(const TabularSummary& summary) {
  std::vector<Scatter> result;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const TabularFigure& figure : summary.figures) {
      ScatterSeries sets{.name = "data sets"};
      for (const TableRow& row : protocol.rows.rows) {
        const auto rfm = row.methods.find(method_name(1)), rfam = row.methods.find(method_name(0));
        if (rfm == row.methods.end() || rfam == row.methods.end()) continue;
        const auto x = value_of(figure, rfm->second, protocol.rows.radii),
                   y = value_of(figure, rfam->second, protocol.rows.radii);
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

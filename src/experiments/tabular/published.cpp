#include "experiments/tabular/published.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

FigureAgainst figure_against(const ProtocolSummary& protocol, const TableRows& published, const std::string& method,
                             const TabularFigure& figure) {
  FigureAgainst result{.protocol = protocol.protocol, .method = method, .figure = figure.name};
  const bool is_per_cent = figure.name != "normal_alignment" && !figure.name.ends_with("_rank");
  if (is_per_cent) result.large = result.near = 0;
  std::vector<double> here, there, distances;
  for (const TableRow& row : protocol.rows.rows) {
    const auto other = std::ranges::find(published.rows, row.dataset, &TableRow::dataset);
    if (other == published.rows.end()) continue;
    const auto a = value_of(figure, method, row, protocol.rows), b = value_of(figure, method, *other, published);
    if (!a || !b) continue;
    here.push_back(*a);
    there.push_back(*b);
    distances.push_back(std::abs(*a - *b));
    if (is_per_cent && row.samples > near_rows) {
      ++*result.large;
      *result.near += distances.back() <= near_points;
    }
  }
  result.datasets = static_cast<Index>(here.size());
  result.mean = mean(here);
  result.published_mean = mean(there);
  if (result.mean) result.difference = *result.mean - *result.published_mean;
  result.absolute_difference = mean(distances);
  return result;
}

Record record(const FigureAgainst& f) {
  return {{{"protocol", ""}, f.protocol},
          {{"method", ""}, f.method},
          {{"", "against published"}, text(f.protocol, ' ', f.method)},
          {{"figure"}, f.figure},
          {{"datasets", "data sets"}, f.datasets},
          {{"mean"}, f.mean},
          {{"published_mean", "published"}, f.published_mean},
          {{"difference"}, f.difference},
          {{"absolute_difference", "mean |difference|"}, f.absolute_difference},
          {{"large", ""}, f.large},
          {{"near", ""}, f.near},
          {{"", text("within ", near_points)}, f.near ? Cell(text(*f.near, '/', *f.large)) : Cell()}};
}

}  // namespace

std::vector<FigureAgainst> against(const TabularSummary& summary, const TableRows& published) {
  std::vector<FigureAgainst> result;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods)
      for (const TabularFigure& figure : summary.figures) {
        FigureAgainst added = figure_against(protocol, published, method.method, figure);
        if (added.datasets > 0) result.push_back(std::move(added));
      }
  return result;
}

TableSet tables(const std::vector<FigureAgainst>& figures) {
  Table table{.columns = columns_of(record({})), .left = 2};
  for (const FigureAgainst& f : figures) table.add(record(f));
  return {.tables = {std::move(table)},
          .legend = {text("within ", near_points, ": points, of the data sets with more than ", near_rows, " rows.")}};
}

}  // namespace normalign

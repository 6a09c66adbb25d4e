#include "experiments/tabular/published.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

std::optional<double> value_in(const TableRow& row, const TableRows& rows, const std::string& method,
                               const TabularFigure& figure) {
  const auto found = row.methods.find(method);
  return found == row.methods.end() ? std::nullopt : value_of(figure, found->second, rows.radii);
}

FigureAgainst figure_against(const ProtocolSummary& protocol, const TableRows& published, const std::string& method,
                             const TabularFigure& figure) {
  FigureAgainst result{.protocol = protocol.protocol, .method = method, .figure = figure.name};
  const bool is_per_cent = figure.name != "normal_alignment" && !figure.name.ends_with("_rank");
  if (is_per_cent) result.large = result.near = 0;
  std::vector<double> here, there, distances;
  for (const TableRow& row : protocol.rows.rows) {
    const auto other = std::ranges::find(published.rows, row.dataset, &TableRow::dataset);
    if (other == published.rows.end()) continue;
    const auto a = value_in(row, protocol.rows, method, figure), b = value_in(*other, published, method, figure);
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
  std::vector<Cells> rows = {{"against published", "figure", "data sets", "mean", "published", "difference",
                              "mean |difference|", text("within ", near_points)}};
  for (const FigureAgainst& f : figures)
    rows.push_back({text(f.protocol, ' ', f.method), f.figure, text(f.datasets), four_digits(f.mean),
                    four_digits(f.published_mean), four_digits(f.difference), four_digits(f.absolute_difference),
                    f.near ? text(*f.near, '/', *f.large) : "-"});
  return {.tables = {{.rows = std::move(rows), .left = 2}},
          .legend = {text("within ", near_points, ": points, of the data sets with more than ", near_rows, " rows.")}};
}

Json as_json(const std::vector<FigureAgainst>& figures) {
  const auto or_null = [](const auto& value) { return value ? Json(*value) : Json(nullptr); };
  Json json = Json::array();
  for (const FigureAgainst& f : figures)
    json.push_back({{"protocol", f.protocol},
                    {"method", f.method},
                    {"figure", f.figure},
                    {"datasets", f.datasets},
                    {"mean", or_null(f.mean)},
                    {"published_mean", or_null(f.published_mean)},
                    {"difference", or_null(f.difference)},
                    {"absolute_difference", or_null(f.absolute_difference)},
                    {"large", or_null(f.large)},
                    {"near", or_null(f.near)}});
  return json;
}

}  // namespace normalign

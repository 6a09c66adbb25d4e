#include "experiments/tabular/published.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

MetricAgainst metric_against(const ProtocolSummary& protocol, const TableRows& published, const std::string& method,
                             const TabularMetric& metric) {
  MetricAgainst result{.protocol = protocol.protocol, .method = method, .metric = metric.name};
  const bool is_per_cent = metric.name != "normal_alignment" && !metric.name.ends_with("_rank");
  if (is_per_cent) result.large = result.near = 0;
  std::vector<double> here, there, distances;
  for (const TableRow& row : protocol.rows.rows) {
    const auto other = std::ranges::find(published.rows, row.dataset, &TableRow::dataset);
    if (other == published.rows.end()) continue;
    const auto a = value_of(metric, method, row, protocol.rows), b = value_of(metric, method, *other, published);
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

Record record(const MetricAgainst& f) {
  return {{{"protocol", ""}, f.protocol},
          {{"method", ""}, f.method},
          {{"", "against published"}, text(f.protocol, ' ', f.method)},
          {{"figure"}, f.metric},
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

std::vector<MetricAgainst> against(const TabularSummary& summary, const TableRows& published) {
  std::vector<MetricAgainst> result;
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods)
      for (const TabularMetric& metric : summary.metrics) {
        MetricAgainst added = metric_against(protocol, published, method.method, metric);
        if (added.datasets > 0) result.push_back(std::move(added));
      }
  return result;
}

TableSet tables(const std::vector<MetricAgainst>& metrics) {
  Table table{.columns = columns_of(record({})), .left = 2};
  for (const MetricAgainst& f : metrics) table.add(record(f));
  return {.tables = {std::move(table)},
          .legend = {text("within ", near_points, ": points, of the data sets with more than ", near_rows, " rows.")}};
}

}  // namespace normalign

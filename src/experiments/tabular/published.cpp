#include "experiments/tabular/published.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

constexpr std::size_t data_sets = 4;  // the place of their number in a row of the table

Record published_record(const ProtocolSummary& protocol, const TableRows& published, const std::string& method,
                        const TabularMetric& metric) {
  const bool is_per_cent = metric.name != "normal_alignment" && !metric.name.ends_with("_rank");
  std::vector<double> here, there, distances;
  Index large = 0, near = 0;
  for (const TableRow& row : protocol.rows.rows) {
    const auto other = std::ranges::find(published.rows, row.dataset, &TableRow::dataset);
    if (other == published.rows.end()) continue;
    const auto a = value_of(metric, method, row, protocol.rows), b = value_of(metric, method, *other, published);
    if (!a || !b) continue;
    here.push_back(*a);
    there.push_back(*b);
    distances.push_back(std::abs(*a - *b));
    large += row.samples > near_rows;
    near += row.samples > near_rows && distances.back() <= near_points;
  }
  const auto of_per_cent = [&](const auto& value) { return is_per_cent ? Cell(value) : Cell(); };
  const auto difference = here.empty() ? std::nullopt : std::optional(*mean(here) - *mean(there));
  return {{{"protocol", ""}, protocol.protocol},
          {{"method", ""}, method},
          {{"", "against published"}, text(protocol.protocol, ' ', method)},
          {{"figure"}, metric.name},
          {{"datasets", "data sets"}, here.size()},
          {{"mean"}, mean(here)},
          {{"published_mean", "published"}, mean(there)},
          {{"difference"}, difference},
          {{"absolute_difference", "mean |difference|"}, mean(distances)},
          {{"large", ""}, of_per_cent(large)},
          {{"near", ""}, of_per_cent(near)},
          {{"", text("within ", near_points)}, of_per_cent(text(near, '/', large))}};
}

}  // namespace

TableSet against(const TabularSummary& summary, const TableRows& published) {
  Table table{.columns = columns_of(published_record({}, {}, "", {})), .left = 2};
  for (const ProtocolSummary& protocol : summary.protocols)
    for (const MethodSummary& method : protocol.methods)
      for (const TabularMetric& metric : summary.metrics)
        if (const Record row = published_record(protocol, published, method.method, metric);
            row[data_sets].cell != Cell(0))
          table.add(row);
  return {.tables = {std::move(table)},
          .legend = {text("within ", near_points, ": points, of the data sets with more than ", near_rows, " rows.")}};
}

}  // namespace normalign

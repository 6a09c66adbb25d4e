#include "experiments/results/metric_summary.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

void require_logged(const std::vector<RunLog>& logs, const std::string& name) {
  std::vector<std::string> known = {"train_acc", "test_acc", "train_loss", "test_loss", "opt_time"};
  for (const RunLog& log : logs)
    for (const MetricRow& row : log.metrics) {
      if (metric(row, name)) return;
      for (const auto& [extra, value] : row.extras)
        if (std::ranges::find(known, extra) == known.end()) known.push_back(extra);
    }
  throw InputError(text("metric: found '", name, "', ", expected_one_of(name, known)));
}

MetricSummary summary_of(const ConditionRuns& condition, const std::string& setting, const std::string& name) {
  std::vector<double> starts, ends, lowest, highest;
  for (const RunLog* run : condition.finished) {
    std::vector<double> values;
    for (const MetricRow& row : run->metrics)
      if (const auto value = metric(row, name)) values.push_back(*value);
    if (values.empty()) continue;
    if (const auto value = metric(run->metrics.front(), name)) starts.push_back(*value);
    if (const auto value = metric(run->metrics.back(), name)) ends.push_back(*value);
    lowest.push_back(std::ranges::min(values));
    highest.push_back(std::ranges::max(values));
  }
  return {.setting = setting,
          .condition = condition.condition,
          .metric = name,
          .runs = static_cast<Index>(condition.finished.size()),
          .start = mean(starts),
          .end = mean(ends),
          .end_deviation = standard_deviation(ends),
          .lowest = mean(lowest),
          .highest = mean(highest)};
}

// The numbers of a row, in the order of the columns.
std::vector<std::pair<const char*, std::optional<double>>> numbers(const MetricSummary& row) {
  return {{"start", row.start},
          {"end", row.end},
          {"end_std", row.end_deviation},
          {"lowest", row.lowest},
          {"highest", row.highest}};
}

// Setting, metric, condition, runs and the numbers as `format` writes them; of no row the names of the columns.
template <class Format>
Cells cells(const MetricSummary* row, const Format& format) {
  Cells result = row ? Cells{row->setting, row->metric, row->condition, text(row->runs)}
                     : Cells{"setting", "metric", "condition", "runs"};
  for (const auto& [name, value] : numbers(row ? *row : MetricSummary{})) result.push_back(row ? format(value) : name);
  return result;
}

}  // namespace

std::vector<MetricSummary> summarise_metrics(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics) {
  for (const std::string& name : metrics) require_logged(logs, name);
  std::vector<MetricSummary> result;
  for (const SettingRuns& setting : by_setting(logs))
    for (const std::string& name : metrics)
      for (const ConditionRuns& condition : setting.conditions)
        result.push_back(summary_of(condition, setting.setting, name));
  return result;
}

TableSet tables(std::span<const MetricSummary> summary) {
  TableSet result{.legend = {"start, end: mean over the finished runs in their first and last row; end_std: standard "
                             "deviation over runs; lowest, highest: mean over runs of the extremes of all rows."}};
  const MetricSummary* last = nullptr;
  for (const MetricSummary& row : summary) {
    const auto without_names = [](Cells line) { return Cells(line.begin() + 2, line.end()); };
    if (!last || row.setting != last->setting)
      result.tables.push_back({.caption = row.setting, .rows = {without_names(cells(nullptr, four_digits))}});
    Table& table = result.tables.back();
    if (!last || row.setting != last->setting || row.metric != last->metric)
      table.headings.emplace_back(table.rows.size(), row.metric);
    table.rows.push_back(without_names(cells(&row, four_digits)));
    last = &row;
  }
  return result;
}

Json as_json(std::span<const MetricSummary> summary) {
  Json rows = Json::array();
  for (const MetricSummary& row : summary) {
    Json& added = rows.emplace_back(
        Json{{"setting", row.setting}, {"metric", row.metric}, {"condition", row.condition}, {"runs", row.runs}});
    for (const auto& [name, value] : numbers(row)) added[name] = value ? Json(*value) : Json(nullptr);
  }
  return {{"metrics", std::move(rows)}};
}

std::string as_csv(std::span<const MetricSummary> summary) {
  std::string result = csv_line(cells(nullptr, all_digits));
  for (const MetricSummary& row : summary) result += csv_line(cells(&row, all_digits));
  return result;
}

std::string as_latex(std::span<const MetricSummary> summary) {
  const auto escaped_line = [](Cells columns) {
    for (std::string& cell : columns) cell = latex_escaped(cell);
    return latex_line(columns);
  };
  const auto latex_digits = [](std::optional<double> value) { return latex_number(four_digits(value)); };
  std::string result = "% \\usepackage{booktabs}\n\\begin{tabular}{lllrrrrrr}\n\\toprule\n" +
                       escaped_line(cells(nullptr, four_digits)) + "\\midrule\n";
  for (const MetricSummary& row : summary) {
    Cells columns = cells(&row, latex_digits);
    for (std::size_t i = 0; i < 3; ++i) columns[i] = latex_escaped(columns[i]);
    result += latex_line(columns);
  }
  return result + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace normalign

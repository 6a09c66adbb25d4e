#include "experiments/results/metric_summary.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {
namespace {

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

MetricSummary summary_of(const ConditionRuns& condition, const std::string& task, const std::string& name) {
  std::vector<double> starts, ends, lowest, highest;
  for (const RunLog* run : condition.finished) {
    const std::vector<double> values = present(run->metrics, [&](const MetricRow& row) { return metric(row, name); });
    if (values.empty()) continue;
    if (const auto value = metric(run->metrics.front(), name)) starts.push_back(*value);
    if (const auto value = metric(run->metrics.back(), name)) ends.push_back(*value);
    lowest.push_back(std::ranges::min(values));
    highest.push_back(std::ranges::max(values));
  }
  return {.task = task,
          .condition = condition.condition,
          .metric = name,
          .runs = static_cast<Index>(condition.finished.size()),
          .start = mean(starts),
          .end = mean(ends),
          .end_deviation = standard_deviation(ends),
          .lowest = mean(lowest),
          .highest = mean(highest)};
}

}  // namespace

std::vector<MetricSummary> summarise_metrics(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics) {
  for (const std::string& name : metrics) require_logged(logs, name);
  std::vector<MetricSummary> result;
  for (const TaskRuns& task : by_task(logs))
    for (const std::string& name : metrics)
      for (const ConditionRuns& condition : task.conditions) result.push_back(summary_of(condition, task.task, name));
  return result;
}

TableSet tables(std::span<const MetricSummary> summary) {
  TableSet result{.legend = {"start, end: mean over the finished runs in their first and last row; end_std: standard "
                             "deviation over runs; lowest, highest: mean over runs of the extremes of all rows."},
                  .key = "metrics"};
  const MetricSummary* last = nullptr;
  for (const MetricSummary& row : summary) {
    const bool is_first = !last || row.task != last->task;
    if (is_first) result.tables.push_back({.caption = row.task});
    Table& table = result.tables.back();
    if (is_first || row.metric != last->metric) table.headings.emplace_back(table.rows.size(), row.metric);
    table.add({{{"setting", ""}, row.task},
               {{"metric", ""}, row.metric},
               {{"condition"}, row.condition},
               {{"runs"}, row.runs},
               {{"start"}, row.start},
               {{"end"}, row.end},
               {{"end_std"}, row.end_deviation},
               {{"lowest"}, row.lowest},
               {{"highest"}, row.highest}});
    last = &row;
  }
  return result;
}

}  // namespace normalign

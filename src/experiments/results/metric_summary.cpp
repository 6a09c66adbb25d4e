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

Record metric_record(const std::string& task, const ConditionRuns& condition, const std::string& name) {
  std::vector<double> starts, ends, lowest, highest;
  for (const RunLog* run : condition.finished) {
    const std::vector<double> values = present(run->metrics, [&](const MetricRow& row) { return metric(row, name); });
    if (values.empty()) continue;
    if (const auto value = metric(run->metrics.front(), name)) starts.push_back(*value);
    if (const auto value = metric(run->metrics.back(), name)) ends.push_back(*value);
    lowest.push_back(std::ranges::min(values));
    highest.push_back(std::ranges::max(values));
  }
  return {{{"setting", ""}, task},
          {{"metric", ""}, name},
          {{"condition"}, condition.condition},
          {{"runs"}, condition.finished.size()},
          {{"start"}, mean(starts)},
          {{"end"}, mean(ends)},
          {{"end_std"}, standard_deviation(ends)},
          {{"lowest"}, mean(lowest)},
          {{"highest"}, mean(highest)}};
}

}  // namespace

TableSet metric_tables(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics) {
  for (const std::string& name : metrics) require_logged(logs, name);
  TableSet result{.legend = {"start, end: mean over the finished runs in their first and last row; end_std: standard "
                             "deviation over runs; lowest, highest: mean over runs of the extremes of all rows."},
                  .key = "metrics"};
  for (const TaskRuns& task : by_task(logs)) {
    Table& table = result.tables.emplace_back(Table{.caption = task.task});
    for (const std::string& name : metrics) {
      table.headings.emplace_back(table.rows.size(), name);
      for (const ConditionRuns& condition : task.conditions) table.add(metric_record(task.task, condition, name));
    }
  }
  return result;
}

}  // namespace normalign

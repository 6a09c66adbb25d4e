#include "experiments/results/summary.hpp"

#include <algorithm>
#include <utility>

namespace normalign {
namespace {

// From logs to rows.

std::optional<double> seconds_at_grokking(const RunLog& log) {
  for (const MetricRow& row : log.metrics)
    if (has_grokked(log) && row.epoch == log.grokking_epoch) return row.opt_time;
  return std::nullopt;
}

std::optional<double> ratio(std::optional<double> numerator, std::optional<double> denominator) {
  if (!numerator || !denominator || *denominator == 0) return std::nullopt;
  return *numerator / *denominator;
}

// In the last rows of the finished runs that did not grok.
template <class Number>
std::optional<double> mean_at_end(const ConditionRuns& condition, Number MetricRow::*metric) {
  return mean(present(condition.finished, [&](const RunLog* run) {
    const bool counts = !has_grokked(*run) && !run->metrics.empty();
    return counts ? std::optional(static_cast<double>(run->metrics.back().*metric)) : std::nullopt;
  }));
}

TaskSummary task_summary(const TaskRuns& runs) {
  TaskSummary result{.task = runs.task, .conditions = {}, .unfinished = runs.unfinished, .failed = runs.failed};
  std::vector<double> baseline_epochs, baseline_seconds;
  for (const ConditionRuns& condition : runs.conditions) {
    const std::vector<double> epochs = grokking_epochs(condition);
    const std::vector<double> seconds =
        present(condition.finished, [](const RunLog* run) { return seconds_at_grokking(*run); });
    const bool is_baseline = condition.condition == baseline_name;
    if (is_baseline) {
      baseline_epochs = epochs;
      baseline_seconds = seconds;
    }
    result.conditions.push_back({.condition = condition.condition,
                                 .runs = condition.all,
                                 .grokked = static_cast<Index>(epochs.size()),
                                 .epochs = spread(epochs),
                                 .seconds = spread(seconds),
                                 .epochs_ratio = ratio(mean(baseline_epochs), mean(epochs)),
                                 .seconds_ratio = ratio(mean(baseline_seconds), mean(seconds)),
                                 .epochs_test = is_baseline ? std::nullopt : welch_t_test(baseline_epochs, epochs),
                                 .last_epoch = mean_at_end(condition, &MetricRow::epoch),
                                 .last_train_acc = mean_at_end(condition, &MetricRow::train_acc),
                                 .last_test_acc = mean_at_end(condition, &MetricRow::test_acc)});
    for (const RunLog* run : condition.finished)
      if (has_grokked(*run) && !seconds_at_grokking(*run)) result.untimed.push_back(run->run_name);
  }
  return result;
}

// From rows to tables.

constexpr bool goes_on = true;  // to the column before, with whose heading this one's goes on

Record record(const std::string& task, const ConditionSummary& row, bool ungrokked) {
  const auto of_test = [&](double WelchTest::*member) {
    return row.epochs_test ? Cell(*row.epochs_test.*member, Digits::two) : Cell();
  };
  return {{{"setting", ""}, task},
          {{"condition"}, row.condition},
          {{"runs"}, row.runs},
          {{"grokked", ""}, row.grokked},
          {{"", "grokked"}, text(row.grokked, '/', row.runs)},
          {{"epochs_mean", "epochs: mean"}, row.epochs.mean},
          {{"epochs_std", "std", goes_on}, row.epochs.standard_deviation},
          {{"epochs_median", "median", goes_on}, row.epochs.median},
          {{"seconds_mean", "seconds: mean"}, row.seconds.mean},
          {{"seconds_std", ""}, row.seconds.standard_deviation},
          {{"seconds_median", "median", goes_on}, row.seconds.median},
          {{"epochs_ratio", "ratio: epochs"}, {row.epochs_ratio, Digits::two_decimals}},
          {{"seconds_ratio", "seconds", goes_on}, {row.seconds_ratio, Digits::two_decimals}},
          {{"welch_t", ""}, of_test(&WelchTest::t)},
          {{"welch_degrees_of_freedom", ""}, of_test(&WelchTest::degrees_of_freedom)},
          {{"welch_p_two_sided", "p"}, of_test(&WelchTest::p_two_sided)},
          {{"not_grokked_last_epoch", ungrokked ? "not grokked: epoch" : ""}, row.last_epoch},
          {{"not_grokked_train_acc", ungrokked ? "train %" : "", goes_on}, row.last_train_acc},
          {{"not_grokked_test_acc", ungrokked ? "test %" : "", goes_on}, row.last_test_acc}};
}

// Whether there is something to say about runs that did not grok.
bool has_ungrokked(const TaskSummary& task) {
  return std::ranges::any_of(task.conditions, [](const ConditionSummary& row) { return row.last_epoch.has_value(); });
}

Table task_table(const TaskSummary& task) {
  const bool ungrokked = has_ungrokked(task);
  Table table{.caption = task.task,
              .columns = columns_of(record("", {}, ungrokked)),
              .shared = 1,
              .left_out = {{"unfinished", task.unfinished},
                           {"failed", task.failed},
                           {"untimed", task.untimed, "without an opt_time at the grokking epoch"}}};
  for (const ConditionSummary& row : task.conditions) table.add(record(task.task, row, ungrokked));
  return table;
}

std::string latex_head(bool ungrokked) {
  return text(
      " & & & \\multicolumn{3}{c}{grokking epoch} & \\multicolumn{2}{c}{seconds}"
      " & \\multicolumn{2}{c}{baseline / condition} &",
      ungrokked ? " & \\multicolumn{3}{c}{not grokked}" : "",
      " \\\\\n\\cmidrule(lr){4-6} \\cmidrule(lr){7-8} \\cmidrule(lr){9-10}", ungrokked ? " \\cmidrule(lr){12-14}" : "",
      "\ncondition & runs & grokked & mean & std & median & mean & median & epochs & seconds & $p$",
      ungrokked ? " & epoch & train \\% & test \\%" : "", " \\\\\n");
}

}  // namespace

std::vector<TaskSummary> summarise(const std::vector<RunLog>& logs) {
  std::vector<TaskSummary> result;
  for (const TaskRuns& task : by_task(logs)) result.push_back(task_summary(task));
  return result;
}

TableSet tables(std::span<const TaskSummary> summary) {
  const bool ungrokked = std::ranges::any_of(summary, has_ungrokked);
  TableSet result{
      .legend = {"epochs, seconds: at which grokked runs grokked; seconds are of optimisation alone.",
                 "ratio: mean of the baseline / mean of the condition; above 1 the condition grokked sooner.",
                 "p: two-sided Welch t-test of the grokking epochs against the baseline's."},
      .key = "settings",
      .rows_key = "conditions",
      .latex_head = latex_head(ungrokked)};
  for (const TaskSummary& task : summary) result.tables.push_back(task_table(task));
  if (summary.empty()) result.tables.push_back(task_table({}));  // so that files have their head
  if (ungrokked)
    result.legend.emplace_back(
        "not grokked: last epoch and accuracies there, means over the finished runs that did not grok.");
  return result;
}

}  // namespace normalign

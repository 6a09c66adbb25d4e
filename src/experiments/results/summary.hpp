// The paper's comparison of conditions: from the logs of many runs to one table for each task.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {

/// One row of a table: the runs of one condition. What is undefined is absent.
struct ConditionSummary {
  std::string condition = {};
  Index runs = 0;     ///< all runs, unfinished and failed ones included
  Index grokked = 0;  ///< finished runs that grokked
  Spread epochs;      ///< grokking epochs of the grokked runs
  Spread seconds;     ///< their opt_time (cumulative, optimisation alone) in the metric row of that epoch
  std::optional<double> epochs_ratio = {};    ///< mean of the baseline / mean of this condition: below 1 if later
  std::optional<double> seconds_ratio = {};   ///< the same of the seconds
  std::optional<WelchTest> epochs_test = {};  ///< baseline's grokking epochs against this one's; none for the baseline
  /// Means over the finished runs that did not grok, in the last row of each.
  std::optional<double> last_epoch = {}, last_train_acc = {}, last_test_acc = {};
};

/// The table of one task, with the names of the runs that its rows count but cannot use in full.
struct TaskSummary {
  std::string task;
  std::vector<ConditionSummary> conditions;  ///< "baseline" first, then by name
  std::vector<std::string> unfinished = {};  ///< still running or killed
  std::vector<std::string> failed = {};
  std::vector<std::string> untimed = {};  ///< grokked, but no metric row of that epoch: left out of the seconds
};

/// One table for each task, as `by_task` sorts the runs: the comparison of arXiv:2605.08464. Running and failed
/// runs count as runs, not as grokked. Unlike the summary of the paper's authors this takes the
/// time at the grokking epoch, no sum of the cumulative times, and the ratio r as it is, not max(r, 1/r).
/// Lists of names keep the order of `logs` (`untimed`: within each condition), on which nothing else depends.
std::vector<TaskSummary> summarise(const std::vector<RunLog>& logs);

/// One table for each task; unusable runs are listed below. Where a finished run did not grok, three more columns
/// say how those that did not ended. JSON: {"settings": [{"setting", "conditions": [{"condition", "runs", "grokked",
/// ...}], "unfinished", "failed", "untimed"}]} with the columns of CSV, which has a line for each task and
/// condition.
TableSet tables(std::span<const TaskSummary> summary);

}  // namespace normalign

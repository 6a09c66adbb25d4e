// Any logged metrics, before and after training: from the logs of many runs to one table for each task.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// One metric of one condition's finished runs; what no row has is absent, as is the deviation of a single run.
struct MetricSummary {
  std::string task = {};
  std::string condition = {};
  std::string metric = {};
  Index runs = 0;                            ///< finished runs
  std::optional<double> start = {};          ///< mean over runs in the first row
  std::optional<double> end = {};            ///< mean over runs in the last row
  std::optional<double> end_deviation = {};  ///< standard deviation over runs there (n - 1)
  std::optional<double> lowest = {};         ///< mean over runs of the smallest value in any row
  std::optional<double> highest = {};        ///< mean over runs of the largest value in any row
};

/// The summaries of `metrics`, by task, metric in the order given, and condition. Throws InputError listing the
/// metrics there are when no run has one of them.
std::vector<MetricSummary> summarise_metrics(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics);

/// One table for each task with a heading for each metric. JSON: {"metrics": [{"setting", "metric", "condition",
/// "runs", "start", "end", "end_std", "lowest", "highest"}]}, the columns of CSV and LaTeX.
TableSet tables(std::span<const MetricSummary> summary);

}  // namespace normalign

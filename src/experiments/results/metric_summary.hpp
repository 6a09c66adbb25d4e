// Any logged metrics, before and after training: from the logs of many runs to one table for each setting.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// One metric of one condition's finished runs; what no row has is absent, as is the deviation of a single run.
struct MetricSummary {
  std::string setting = {};
  std::string condition = {};
  std::string metric = {};
  Index runs = 0;                            ///< finished runs
  std::optional<double> start = {};          ///< mean over runs in the first row
  std::optional<double> end = {};            ///< mean over runs in the last row
  std::optional<double> end_deviation = {};  ///< standard deviation over runs there (n - 1)
  std::optional<double> lowest = {};         ///< mean over runs of the smallest value in any row
  std::optional<double> highest = {};        ///< mean over runs of the largest value in any row
};

/// The summaries of `metrics`, by setting, metric in the order given, and condition. Throws InputError listing the
/// metrics there are when no run has one of them.
std::vector<MetricSummary> summarise_metrics(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics);

/// One table for each setting with a heading for each metric, four digits, "-" where undefined.
TableSet tables(std::span<const MetricSummary> summary);

/// {"metrics": [{"setting", "metric", "condition", "runs", "start", "end", "end_std", "lowest", "highest"}]}, all
/// digits, null where undefined.
nlohmann::ordered_json as_json(std::span<const MetricSummary> summary);

/// A header and one line for each entry with the columns of `as_json`, all digits, nothing between the commas where
/// undefined.
std::string as_csv(std::span<const MetricSummary> summary);

/// One tabular in the style of the package booktabs, rounded as in `tables`, "-" where undefined.
std::string as_latex(std::span<const MetricSummary> summary);

}  // namespace normalign

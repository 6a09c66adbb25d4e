// Any logged metrics, before and after training: from the logs of many runs to one table for each task.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// One table for each task with a heading for each of `metrics`, in the order given, and a row for each condition: over
/// its finished runs the mean in the first and in the last row, the deviation of the latter (n - 1), and the means of
/// the smallest and of the largest value in any row. What no row has is absent, as is the deviation of a single run.
/// JSON as docs/schema/metric_summary.schema.json says; CSV and LaTeX have the same columns. Throws InputError listing
/// the metrics there are when no run has one of them.
TableSet metric_tables(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics);

}  // namespace normalign

// The local geometry of the trained models: from the logs of many runs to one table for each task.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// The metrics of the table, as they are logged for training points; those of test points have the prefix "test_".
inline constexpr std::array geometry_metrics = {
    "centroid_alignment", "class_alignment",    "normal_alignment", "centred_normal_alignment",
    "effective_rank",     "explained_variance", "jacobian_norm",    "offset_norm",
    "centroid_norm"};

/// When in a run the table looks at it.
enum class Moment {
  memorisation,  ///< the first row with more than 99 % of the training points right
  grokking,      ///< the row of the grokking epoch
  equal_epochs   ///< the last row at or before an epoch that is the same for all conditions
};

/// Means over the runs of one condition at one moment.
struct GeometryRow {
  std::string condition = {};
  Moment moment = Moment::memorisation;
  bool is_test = false;              ///< at test points, else at training points
  Index runs = 0;                    ///< finished runs with a row of that moment, over which the means are
  std::optional<double> epoch = {};  ///< mean epoch of these rows
  /// In the order of `geometry_metrics`; over those of the runs whose row has the metric, absent where none has it.
  std::array<std::optional<double>, geometry_metrics.size()> means = {};
};

/// The table of one task.
struct GeometrySummary {
  std::string task = {};
  std::optional<double> chance_alignment = {};  ///< the logged level for random directions, mean over rows
  std::optional<double> equal_epoch = {};       ///< where `Moment::equal_epochs` is; absent where no run grokked
  std::vector<GeometryRow> rows = {};           ///< by moment, condition as `by_task` orders them, training and test
  std::vector<std::string> unfinished = {};     ///< left out: still running or killed
  std::vector<std::string> failed = {};         ///< left out
};

/// One table for each task. The equal epoch of a task is the median grokking epoch of its GrokAlign runs
/// (condition "grokalign", or "GA" with a weight as the paper's authors tag it); where none of those grokked it is the
/// smallest median grokking epoch of any condition. A run that had ended by then counts with its last row.
std::vector<GeometrySummary> summarise_geometry(const std::vector<RunLog>& logs);

/// "memorisation", "grokking" or "equal_epochs".
const char* name_of(Moment moment);

/// One table for each task, with a heading for each moment. JSON: {"settings": [{"setting", "chance_alignment",
/// "equal_epoch", "rows": [{"moment", "condition", "points" ("train" or "test"), "runs", "epoch", and the metrics}],
/// "unfinished", "failed"}]}; the columns of CSV are the same, a line for each row.
TableSet tables(std::span<const GeometrySummary> summary);

}  // namespace normalign

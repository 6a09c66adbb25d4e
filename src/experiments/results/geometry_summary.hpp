// The local geometry of the trained models: from the logs of many runs to one table for each task.
#pragma once

#include <array>
#include <span>

#include "experiments/figures/table.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {

/// The metrics of the table, as they are logged for training points; those of test points have the prefix "test_".
inline constexpr std::array geometry_metrics = {
    "centroid_alignment", "class_alignment",    "normal_alignment", "centred_normal_alignment",
    "effective_rank",     "explained_variance", "jacobian_norm",    "offset_norm",
    "centroid_norm"};

/// One table for each task: means over the finished runs of each condition, at training and at test points, at three
/// moments. Memorisation is the first row with more than 99 % of the training points right, grokking the row of the
/// grokking epoch; equal epochs are the last rows at or before the median grokking epoch of the task's GrokAlign runs
/// (condition "grokalign", or "GA" with a weight as the paper's authors tag it) or, where none of those grokked, the
/// smallest median grokking epoch of any condition. `runs` and `epoch` are of the runs with a row of that moment; a
/// mean is over those whose row has the metric, absent where none has it. JSON as
/// docs/schema/geometry_summary.schema.json says; CSV has the columns of its rows.
TableSet geometry_tables(std::span<const TaskRuns> tasks);

}  // namespace normalign

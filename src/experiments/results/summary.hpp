// The paper's comparison of conditions: from the logs of many runs to one table for each task.
#pragma once

#include <span>

#include "experiments/figures/table.hpp"
#include "experiments/results/run_set.hpp"

namespace normalign {

/// One table for each task, with a row for each condition: the comparison of arXiv:2605.08464. Running and failed runs
/// count as runs, not as grokked, and are listed below, as are grokked runs without a metric row of that epoch, which
/// the seconds leave out. Seconds are the opt_time (cumulative, optimisation alone) of that row; a ratio is the mean of
/// the baseline over that of the condition, below 1 if the condition is later. Unlike the summary of the paper's
/// authors this takes the time at the grokking epoch, no sum of the cumulative times, and the ratio r as it is, not
/// max(r, 1/r). Two tests compare the grokking epochs with the baseline's. Welch's takes the runs that grokked. The
/// Mann-Whitney test takes all finished runs: one that did not grok ranks after all that did and equal to the others
/// that did not, at whatever epoch it ended, so a condition of which few runs grok is judged too. Where a finished run
/// did not grok, three more columns say how those that did not ended: means over their last rows. What is undefined is
/// absent. Names keep the order of the logs (untimed ones: within each condition), on which nothing else depends. JSON
/// as docs/schema/summary.schema.json says, with the columns of CSV, which has a line for each task and condition.
TableSet grokking_tables(std::span<const TaskRuns> tasks);

}  // namespace normalign

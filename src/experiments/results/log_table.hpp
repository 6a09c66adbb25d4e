// What the logs of runs hold, row by row.
#pragma once

#include <filesystem>
#include <span>
#include <utility>

#include "experiments/figures/array_table.hpp"
#include "experiments/tabular/log.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// A log and the file that it is in.
template <class Log>
using LogFile = std::pair<std::filesystem::path, Log>;

/// A row for each evaluated epoch of each run, in the order of the logs: file, run, task (as `task_of` has it),
/// condition, seed, status, grokking_epoch, epoch and all metrics of any run, by their names in the logs. A metric that
/// a row lacks is missing, as are a seed and a grokking epoch. Throws UnreadableLog, naming the file, on a metric with
/// the name of another column.
ArrayTable epochs_table(std::span<const LogFile<RunLog>> logs);

/// A row for each fold of each run on a table, in the order of the logs: file, run, table, condition, protocol, seed,
/// status, fold (from 0) and the figures of the log; `robust_acc` of radius 0.1 is robust_acc_eps0.1.
ArrayTable folds_table(std::span<const LogFile<TabularLog>> logs);

}  // namespace normalign

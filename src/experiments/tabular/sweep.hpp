// Runs on many tables: which ones are asked for, and how each is done, in this process or in one of its own.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "experiments/runs/job_queue.hpp"
#include "experiments/tabular/log.hpp"
#include "experiments/tabular/source.hpp"

namespace normalign {

/// The most rows that a table may have, as in the published protocol.
inline constexpr Index most_table_rows = 100'000;

/// What is asked for: every combination.
struct TabularRequest {
  TabularSource source = {};
  std::vector<std::string> datasets = {};  ///< names; empty: all of the source
  std::vector<double> alphas = {1, 0};
  std::vector<std::string> protocols = {};  ///< empty: nested for a file, published else
  std::vector<std::int64_t> seeds = {0};
  TabularConfig config = {};  ///< everything else
  bool saves_models = false;  ///< whether each run has a `model_file`; of a file of the user's alone
};

/// One run that is asked for.
struct TabularRun {
  TabularConfig config;
  TableFacts table;
  double cost = 0;           ///< about the flops it takes
  bool saves_model = false;  ///< whether it has a `model_file`
};

/// Where the run writes its `tabular_model`: beside its log.
std::filesystem::path model_file(const TabularRun& run, const std::filesystem::path& folder);

/// The runs, the costliest first, so that the shards of a sweep have about equal shares. Tables with more than
/// `most_table_rows` rows are left out. `out` is told so, and how a CSV file was understood. Throws InputError as
/// `tables` and `check` do, naming a dataset that the source does not have, or where models are asked for of tables
/// that are no file.
std::vector<TabularRun> tabular_runs(const TabularRequest& request, std::ostream& out);

/// About the flops of a run on a table of that size: factorisations of n x n matrices, kernels, AGOPs and attacks.
double tabular_cost(const TableFacts& table, const std::string& protocol);

/// Whether the run's log in `folder` is finished and its model there, where it has one. Throws as `log_of` does.
bool is_done(const TabularRun& run, const std::filesystem::path& folder);

/// Does one run in this process and returns its log, which is the file's too; what is finished already is left as it
/// is. No other process does the same run meanwhile. Throws InputError as `log_of` and `table` do, and where the
/// table has too many rows; RunError as `tabular_run` does, with the log marked failed, and when another process is at
/// this run for seconds.
TabularLog tabular_sweep_run(const TabularRun& run, const TabularSource& source, const std::filesystem::path& folder,
                             const RidgeOptions& ridge, const TabularProgress& progress = {});

/// Does those of the runs that have no finished log, as `run_jobs` does with `options`, of which title, what is
/// finished and what marks a run failed are set here: a failed run has a log that says so, even where it had none.
JobQueueResult run_tabular_sweep(const std::vector<TabularRun>& runs, JobQueueOptions options, std::ostream& out);

}  // namespace normalign

// Many runs from one file: which runs it asks for, and how they are run, each in a process of its own.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "experiments/runs/job_queue.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/grokking.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// The runs that a sweep asks for, ordered by setting, condition, grids and seed as they are written there.
///
/// `content`: JSON with "settings" (task: fields of `RunConfig`, and "seeds" in place of the list for all),
/// "conditions" (label: fields; "condition" is the label where it is not given), "seeds" (a list, or
/// {"first", "count"}) and "overrides" (fields of every run). `file`: its name, for messages. `assignments`:
/// "NAME=VALUE" for every run. What comes later wins: defaults of the task, overrides, setting, condition, assignments.
///
/// A field that is a list of its values (for a field that is a list itself, a list of lists) is a grid: there is a run
/// for each combination of the grids' values. `task_grid` of a run names the fields that grids in "settings" and
/// "overrides" vary, unless conditions alone read them; these, and those that grids in "conditions" vary, are in
/// `condition_grid`. A run that does not read such a field is there once.
///
/// `only`: the settings whose runs are returned; all when empty. Throws InputError with the place in the file, found
/// and expected on anything else, where two runs would have one name, and on a field that none of the runs for which it
/// stands there reads.
std::vector<RunConfig> sweep_runs(const std::string& content, const std::string& file,
                                  std::span<const std::string> assignments = {},
                                  std::span<const std::string> only = {});

/// The log of that run in `folder`; none where there is no such file, or where it is that of another run which failed,
/// as it holds no result. Throws InputError, naming log and field, when it
/// is the log of another run, as `run_difference` tells, or no log at all.
std::optional<RunLog> log_of(const RunConfig& run, const std::filesystem::path& folder);

/// Does one run in this process, from its checkpoint where there is one, and returns its log, which is the file's too;
/// a run that is finished already is left as it is. No other process does the same run meanwhile: a lock file says so.
/// The observer's files are the run's own. Throws InputError as `log_of` and the task do, RunError when another process
/// is at this run for longer than `patience`.
RunLog sweep_run(const RunConfig& run, const std::filesystem::path& folder, int threads, RunObserver observer = {},
                 std::chrono::milliseconds patience = std::chrono::seconds(5));

/// Does those of the runs that have no finished log in `folder`, in their order; progress and failures go to `out`. A
/// failed run does not stop the others. Where a process ended without a word in its log, the log is marked failed. At
/// the end the folder holds logs alone, and checkpoints of failed runs. Throws InputError as `log_of` does, before
/// anything is started. Of `options` the title is set here, and what is finished and failed.
JobQueueResult run_sweep(const std::vector<RunConfig>& runs, JobQueueOptions options, std::ostream& out);

}  // namespace normalign

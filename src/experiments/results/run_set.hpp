// The runs of a folder, sorted into what tables and pictures compare: tasks, each at one point of its grid, and in each
// its conditions.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "experiments/training/run_log.hpp"

namespace normalign {

/// The runs of one condition.
struct ConditionRuns {
  std::string condition = {};
  std::vector<const RunLog*> finished = {};
  std::vector<const RunLog*> unfinished = {};  ///< still running or stopped
  Index all = 0;                               ///< unfinished and failed ones included
};

/// The runs of one task, or of one point of its grid: those that are compared.
struct TaskRuns {
  std::string task = {};                       ///< as `task_of` has it
  std::vector<ConditionRuns> conditions = {};  ///< "baseline" first, then by name and by the values of their grids
  std::vector<std::string> unfinished = {};    ///< names of those still running or killed
  std::vector<std::string> failed = {};        ///< names of those that failed
};

/// The name of the condition that the others are compared with.
inline constexpr const char* baseline_name = "baseline";

/// All logs (*.json, hidden files excepted) in `folder` and below, sorted by path. A file with a JSON object that has
/// neither `metrics` nor `run_name`, such as a table written by `normalign summary --json`, or with `folds`, which is
/// the log of a run on a table, is passed over; another of these files that is no run log is added to `unreadable`.
/// Throws InputError when the folder is missing or unreadable or holds no run log, naming the first that is unreadable.
std::vector<RunLog> read_logs(const std::filesystem::path& folder, Unreadable& unreadable);

/// The same; none where there is none.
std::vector<RunLog> read_logs_if_any(const std::filesystem::path& folder, Unreadable& unreadable);

/// What a run is a run of: the `task` of its config with the values that `task_grid` names, as in "rings hidden
/// 200x200"; where there is no task its run_name up to the condition or the word "seed". `merged`: a setting that does
/// not tell runs apart.
std::string task_of(const RunLog& log, const std::string& merged = {});

/// The runs by task and condition, tasks by name and by the values of their grids; runs and names keep the order of
/// `logs`, which must outlive the result. `merged` as for `task_of`.
std::vector<TaskRuns> by_task(const std::vector<RunLog>& logs, const std::string& merged = {});

/// Whether a run grokked and says at which epoch.
bool has_grokked(const RunLog& log);

/// Returns the row of the epoch at which a run grokked. A run that did not grok, or whose log lacks that row, has none
/// (null).
const MetricRow* grokking_row(const RunLog& log);

/// The epochs at which the finished runs grokked that did.
std::vector<double> grokking_epochs(const ConditionRuns& condition);

}  // namespace normalign

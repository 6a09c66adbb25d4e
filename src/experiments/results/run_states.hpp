// How far the runs in a folder have come, those that processes are at included.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/table.hpp"
#include "experiments/runs/log_json.hpp"
#include "experiments/runs/run_files.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// What a run is at. A `stopped` one has a log that says `running`, but no process holds its lock; a `waiting` one has
/// neither log nor process.
enum class RunState { finished, running, stopped, failed, waiting };

/// How far one run has come. What is not known is absent.
struct RunProgress {
  std::string run = {};  ///< path of its log below the folder, without .json
  RunState state = RunState::waiting;
  std::string failure = {};                  ///< why a failed run ended
  std::optional<Index> grokking_epoch = {};  ///< the epoch at which it grokked
  std::optional<Index> epoch = {};           ///< epochs done when the log was written
  std::optional<Index> epochs = {};          ///< passes over the training set at most
  std::optional<double> train_acc = {};      ///< per cent, at the last epoch that is logged; of a table, over its folds
  std::optional<double> test_acc = {};       ///< the same on the test set
  std::optional<double> elapsed_seconds = {};  ///< by the clock, over all processes of the run
  /// Of a run that goes on, for its epochs that are left at the pace of those so far.
  std::optional<double> left_seconds = {};
};

/// "finished" and so on.
const char* name_of(RunState state);

/// The run at `place`, of a network or on a table; `waiting` where there is no log and no process. It takes no lock,
/// and the run is not disturbed. Throws UnreadableLog where there is a file that is no log.
RunProgress progress_of(const RunPlace& place);

/// All runs in `folder` and below, sorted by path: those that have a log, and those whose process holds the lock but
/// has written none yet. Then those of `asked_for`, names of runs of the folder, that are neither. Files that cannot be
/// read are added to `unreadable`. Throws InputError when the folder is missing or unreadable.
std::vector<RunProgress> progress_in(const std::filesystem::path& folder, std::span<const std::string> asked_for,
                                     Unreadable& unreadable);

/// A row for each run; reasons of failures stand beneath. JSON as docs/schema/status.schema.json says.
TableSet progress_table(std::span<const RunProgress> runs);

/// "5 runs: 3 finished (2 grokked), 1 running, 1 failed".
std::string counts_of(std::span<const RunProgress> runs);

}  // namespace normalign

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

/// The state of a run. It is `stopped` if its log says `running` but no process holds its lock, and `waiting` if it has
/// neither a log nor a process.
enum class RunState { finished, running, stopped, failed, waiting };

/// How far one run has come. A value that is not known is absent.
struct RunProgress {
  std::string run = {};  ///< path of its log below the folder, without .json
  RunState state = RunState::waiting;
  std::string failure = {};                  ///< why a failed run ended
  std::optional<Index> grokking_epoch = {};  ///< the epoch at which it grokked
  std::optional<Index> epoch = {};           ///< epochs done when the log was written
  std::optional<Index> epochs = {};          ///< passes over the training set at most
  std::optional<double> train_acc =
      {};  ///< per cent (of numbers 100 R²), at the last epoch that is logged; of a table, over its folds
  std::optional<double> test_acc = {};         ///< the same on the test set
  std::optional<double> elapsed_seconds = {};  ///< by the clock, over all processes of the run
  /// The time that a running run needs for its remaining epochs at the pace so far; it may grok and end before that.
  std::optional<double> left_seconds = {};
};

/// "finished" and so on.
const char* name_of(RunState state);

/// Returns how far the run at `place` has come, be it of a network or on a table. It takes no lock, so the run is not
/// disturbed. Throws UnreadableLog if the file of the log cannot be read or holds no log.
RunProgress progress_of(const RunPlace& place);

/// Returns all runs in `folder` and below, sorted by path: those that have a log, and those whose process holds the
/// lock but has not written a log yet. The runs of `asked_for` (names, as of a sweep into the folder) that have neither
/// follow as `waiting`. Files that cannot be read are added to `unreadable`. Throws InputError if the folder is missing
/// or unreadable.
std::vector<RunProgress> progress_in(const std::filesystem::path& folder, std::span<const std::string> asked_for,
                                     Unreadable& unreadable);

/// Returns a table with a row for each run; why runs failed stands beneath it. Its JSON is what
/// docs/schema/status.schema.json says.
TableSet progress_table(std::span<const RunProgress> runs);

/// "5 runs: 3 finished (2 grokked), 1 running, 1 failed".
std::string counts_of(std::span<const RunProgress> runs);

}  // namespace normalign

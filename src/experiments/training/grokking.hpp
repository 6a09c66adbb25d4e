// The protocol of the grokking experiments: train, evaluate on a fixed grid of epochs, stop when the task is grokked.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "data/dataset.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// Says whether an epoch is evaluated and logged: every `every`-th, and the last. With `every` 0 it is the protocol's
/// grid: below 100 all, below 1000 every 10th, below 10000 every 100th, then every 1000th, and the last.
bool is_logged(Index epoch, Index last_epoch, Index every = 0);

/// Where a run reports to while it goes on.
struct RunObserver {
  /// Called after every epoch and every evaluation, with the log so far and the epochs done.
  std::function<void(const RunLog&, Index epoch)> progress = [](const RunLog&, Index) {};
  /// Asked before every pass over the training set: where it says true the run ends there, `running` in its log, and
  /// its state is kept, so that it can go on.
  std::function<bool()> stop = [] { return false; };
  /// Where the log is kept current, every two seconds and at the end; nowhere when empty.
  std::filesystem::path log_file = {};
  /// Where the run's state is kept, so that a run that was killed goes on from there; nowhere when empty. A state that
  /// is there is taken up, and the file is removed when the run ends.
  std::filesystem::path checkpoint_file = {};
  /// Seconds between two writings of the state.
  double checkpoint_seconds = 30;
  /// Where the final model goes as safetensors; nowhere when empty. A run that fails has none, and leaves what is
  /// there.
  std::filesystem::path model_file = {};
};

/// Trains the network of `config` on `data` under its condition, on `threads` threads, and returns the log.
///
/// Epoch e is evaluated before its pass over the training set, e = 0 ... config.epochs; every pass shuffles (a full
/// batch is the same in any order and is not) and keeps the last short batch. `opt_time` counts the passes alone. The
/// first logged epoch that meets the criterion is the grokking epoch. The run stops there, or with config.stop "never"
/// goes on to its last epoch. Log and numbers do not depend on `threads`, timings
/// and environment aside. A loss that is not finite ends the run: the log says so, with the epoch, and is `failed`.
/// Throws InputError on settings out of range, when `initial_model` cannot be read or does not fit, or when the model
/// cannot be written, RunError when the log cannot.
template <class T>
RunLog grokking_run(const RunConfig& config, const Split<T>& data, int threads, const RunObserver& observer);

/// "task_condition_seedN", the default name of a run and its log.
std::string run_name(const RunConfig& config);

}  // namespace normalign

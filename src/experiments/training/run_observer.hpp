// Where a training run reports to while it goes on, and what it keeps on disk.
#pragma once

#include <filesystem>
#include <functional>

#include "experiments/training/run_log.hpp"

namespace normalign {

/// Where a run reports to while it goes on.
struct RunObserver {
  /// Called after every epoch and every evaluation, with the log so far and the epochs done.
  std::function<void(const RunLog&, Index epoch)> progress = [](const RunLog&, Index) {};
  /// Asked before every pass over the training set, and about five times a second in passes and measurements, from any
  /// thread, by one at a time: where it says true the run ends there, `running` in its log, and its state is kept, so
  /// that it can go on, from before the pass where it ended after that.
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
  /// Every so many epochs the model goes to `model_file_at`, beside the final one; 0: never.
  Index save_every = 0;
};

/// Where the model of an epoch goes: RUN_epoch100.safetensors beside RUN.safetensors.
std::filesystem::path model_file_at(const std::filesystem::path& model_file, Index epoch);

/// Removes the model and those of its epochs, as far as they are there. Throws InputError where one cannot be removed.
void remove_models(const std::filesystem::path& model_file);

}  // namespace normalign

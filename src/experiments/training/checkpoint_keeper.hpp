// When a run's state is written, and taken up again.
#pragma once

#include <chrono>
#include <filesystem>
#include <utility>
#include <vector>

#include "experiments/training/checkpoint.hpp"
#include "experiments/training/run_observer.hpp"

namespace normalign {

/// Keeps the checkpoint that an observer asks for current while a run goes on; without one it does nothing.
template <class T>
class CheckpointKeeper {
 public:
  /// `state`: the matrices that training changes.
  CheckpointKeeper(const RunObserver& observer, std::vector<MatrixView<T>> state)
      : observer_(observer), state_(std::move(state)) {}

  /// Sets `at` and the state to what a former process left, and says whether it left anything. Throws as
  /// `read_checkpoint` does.
  bool take_up(Checkpoint& at) {
    if (observer_.checkpoint_file.empty()) return false;
    auto found = read_checkpoint<T>(observer_.checkpoint_file, at.log, state_);
    if (!found) return false;
    found->log.environment = at.log.environment;
    found->log.config = at.log.config;
    at = std::move(*found);
    return true;
  }
  /// Writes the state, unless it was written less than the observer's seconds ago and not `now`.
  void keep(const Checkpoint& at, bool now) {
    const std::chrono::duration<double> since = Clock::now() - last_;
    if (observer_.checkpoint_file.empty() || (!now && since.count() < observer_.checkpoint_seconds)) return;
    write_checkpoint<T>(observer_.checkpoint_file, at, state_);
    last_ = Clock::now();
  }
  void remove() {
    if (!observer_.checkpoint_file.empty()) std::filesystem::remove(observer_.checkpoint_file);
  }

 private:
  using Clock = std::chrono::steady_clock;
  const RunObserver& observer_;
  std::vector<MatrixView<T>> state_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace normalign

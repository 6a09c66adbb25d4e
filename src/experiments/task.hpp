// The tasks that can be trained by name. Each is one file in tasks/, which defines one function of the file's name.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiments/grokking.hpp"

namespace normalign {

/// A named experiment.
struct Task {
  std::string name;
  /// One line for --help.
  std::string summary;
  /// The protocol's settings.
  RunConfig defaults;
  /// Runs it on `threads` threads.
  std::function<RunLog(const RunConfig& config, int threads, const RunObserver& observer)> run;
};

/// Every task, in the alphabetical order of their files.
const std::vector<Task>& all_tasks();

/// The task of that name. Throws InputError listing the names when there is none.
const Task& task(const std::string& name);

}  // namespace normalign

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
  /// Changes them where the protocol depends on the condition, which is set; for most tasks it does nothing.
  std::function<void(RunConfig& defaults)> adapt = [](RunConfig&) {};
  /// Runs it on `threads` threads.
  std::function<RunLog(const RunConfig& config, int threads, const RunObserver& observer)> run;
};

/// The task's settings under a condition, before anyone overrides them; their `task` and `condition` are set. Throws
/// InputError on an unknown condition.
RunConfig defaults_for(const Task& task, const std::string& condition);

/// run(T{}) where T is the number type, float or double, that `config.precision` names.
template <class Run>
RunLog in_precision(const RunConfig& config, const Run& run) {
  return config.precision == "float64" ? run(double{}) : run(float{});
}

/// Every task, in the alphabetical order of their files.
const std::vector<Task>& all_tasks();

/// The task of that name. Throws InputError listing the names when there is none.
const Task& task(const std::string& name);

}  // namespace normalign

// The tasks that can be trained by name. Each is one file in tasks/, which defines one function of the file's name.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>
#include <vector>

#include "experiments/training/grokking.hpp"

namespace normalign {

/// Training and test samples in one of the two precisions.
using TaskData = std::variant<Split<float>, Split<double>>;

/// `grokking_run` in the precision of the data.
RunLog grokking_protocol(const RunConfig& config, const TaskData& data, int threads, const RunObserver& observer);

/// A named experiment.
struct Task {
  std::string name;
  /// One line for --help.
  std::string summary;
  /// The protocol's settings.
  RunConfig defaults;
  /// Changes them where the protocol depends on the condition, which is set; for most tasks it does nothing.
  std::function<void(RunConfig& defaults)> adapt = [](RunConfig&) {};
  /// The settings that `data` reads, but seed and precision.
  std::vector<std::string> data_settings = {};
  /// The samples that a config asks for, in its precision.
  std::function<TaskData(const RunConfig& config)> data;
  /// The files that `data` reads.
  std::function<std::vector<std::filesystem::path>(const RunConfig& config)> data_files = [](const RunConfig&) {
    return std::vector<std::filesystem::path>();
  };
  /// What logs and models tell of the data of a file of the user's; null for a task whose settings say it all.
  std::function<nlohmann::ordered_json(const RunConfig& config)> dataset = [](const RunConfig&) {
    return nlohmann::ordered_json();
  };
  /// Trains on them, on `threads` threads; for most tasks it is `grokking_run`.
  std::function<RunLog(const RunConfig& config, const TaskData& data, int threads, const RunObserver& observer)> train =
      grokking_protocol;
  /// The settings that `train` reads; empty where it is `grokking_protocol`.
  std::vector<std::string> train_settings = {};

  /// Makes the samples and trains on them.
  RunLog run(const RunConfig& config, int threads, const RunObserver& observer) const;
};

/// The task's settings under a condition, before anyone overrides them; their `task` and `condition` are set. Throws
/// InputError on an unknown condition.
RunConfig defaults_for(const Task& task, const std::string& condition);

/// The data that make(T{}) returns, where T is the number type, float or double, that `config.precision` names.
template <class Make>
TaskData in_precision(const RunConfig& config, const Make& make) {
  if (config.precision == "float64") return make(double{});
  return make(float{});
}

/// The samples in double, whatever they were made in.
Split<double> in_double(TaskData data);

/// Every task, in the alphabetical order of their files.
const std::vector<Task>& all_tasks();

/// The task of that name, or null.
const Task* task_if_any(const std::string& name);

/// The task of that name. Throws InputError listing the names when there is none.
const Task& task(const std::string& name);

}  // namespace normalign

// The conditions that runs are compared under. Each is one file in conditions/, which defines one function of the
// file's name; a run's condition is "baseline" or some of their names joined by "+".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "experiments/training/config.hpp"

namespace normalign {

template <class T>
struct TrainingParts;

/// What adds to the parts of a run, in either precision: a function template of the condition's file.
struct AddToParts {
  void (*in_float)(const RunConfig& config, TrainingParts<float>& parts);    ///< its instance for float
  void (*in_double)(const RunConfig& config, TrainingParts<double>& parts);  ///< and for double
  /// Calls the one of the parts' precision.
  void operator()(const RunConfig& config, TrainingParts<float>& parts) const { in_float(config, parts); }
  void operator()(const RunConfig& config, TrainingParts<double>& parts) const { in_double(config, parts); }
};

/// A change of the training that runs are compared under.
struct Condition {
  std::string name;
  /// The settings that it reads and that no run without it does, unless another condition lists them too.
  std::vector<std::string> settings = {};
  /// The values that it remembers of each parameter, for the memory that a run takes.
  double values_kept = 0;
  /// Whether a run under it is the same in rotated inputs, and its first weight in the span of start and training set.
  bool stays_in_span = true;
  /// Throws InputError, naming the setting, on a config that makes no sense under it.
  std::function<void(const RunConfig&)> check = [](const RunConfig&) {};
  /// Adds its penalties, gradient filters and noise.
  AddToParts add;
};

/// Every condition but the baseline, which adds nothing, in the alphabetical order of their files.
const std::vector<Condition>& all_conditions();

/// Those that `condition` names, in the order of `all_conditions`. Throws InputError, listing the known ones, on an
/// unknown or repeated name.
std::vector<const Condition*> conditions_of(const std::string& condition);

/// Whether the run's condition names that one. Throws as `conditions_of` does.
bool has_condition(const RunConfig& config, const std::string& name);

}  // namespace normalign

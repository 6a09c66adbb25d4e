#include "experiments/training/task.hpp"

#include <algorithm>
#include <utility>

#include "base/nearest_name.hpp"
#include "experiments/training/condition.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {

// tasks.inc is made by the Makefile from the names of the files in tasks/, one TASK(name) each.
namespace tasks {
#define TASK(name) Task name();
#include "tasks.inc"
#undef TASK
}  // namespace tasks

const std::vector<Task>& all_tasks() {
  static const std::vector<Task> all = {
#define TASK(name) tasks::name(),
#include "tasks.inc"
#undef TASK
  };
  return all;
}

RunLog grokking_protocol(const RunConfig& config, const TaskData& data, int threads, const RunObserver& observer) {
  return std::visit([&](const auto& split) { return grokking_run(config, split, threads, observer); }, data);
}

RunLog Task::run(const RunConfig& config, int threads, const RunObserver& observer) const {
  const ThreadLimit limit(threads);  // for products outside of the steps, too
  return train(config, data(config), threads, observer);
}

Split<double> in_double(TaskData data) {
  if (auto* split = std::get_if<Split<double>>(&data)) return std::move(*split);
  const auto& split = std::get<Split<float>>(data);
  return {converted<double>(split.train), converted<double>(split.test)};
}

RunConfig defaults_for(const Task& task, const std::string& condition) {
  conditions_of(condition);
  RunConfig config = task.defaults;
  config.task = task.name;
  config.condition = condition;
  task.adapt(config);
  return config;
}

const Task* task_if_any(const std::string& name) {
  const auto found = std::ranges::find(all_tasks(), name, &Task::name);
  return found == all_tasks().end() ? nullptr : &*found;
}

const Task& task(const std::string& name) { return named("task", name, all_tasks(), &Task::name); }

}  // namespace normalign

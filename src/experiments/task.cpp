#include "experiments/task.hpp"

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

RunConfig defaults_for(const Task& task, const std::string& condition) {
  conditions(condition);
  RunConfig config = task.defaults;
  config.task = task.name;
  config.condition = condition;
  task.adapt(config);
  return config;
}

const Task& task(const std::string& name) {
  std::string known;
  for (const Task& task : all_tasks()) {
    if (task.name == name) return task;
    known += text(known.empty() ? "" : ", ", task.name);
  }
  throw InputError(text("task: found '", name, "', expected one of ", known));
}

}  // namespace normalign

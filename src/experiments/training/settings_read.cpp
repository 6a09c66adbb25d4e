#include "experiments/training/settings_read.hpp"

#include <algorithm>
#include <vector>

#include "experiments/runs/settings.hpp"
#include "experiments/training/condition.hpp"
#include "experiments/training/task.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Whether samples depend on the setting, whoever makes them.
bool is_of_data(const std::string& setting) {
  return std::ranges::any_of(all_tasks(), [&](const Task& task) { return has(task.data_settings, setting); });
}

// Whether the training of the task, `grokking_run` where it has none of its own, asks for the setting.
bool trains_with(const Task* task, const std::string& setting) {
  if (task && !task->train_settings.empty()) return has(task->train_settings, setting);
  return !is_of_data(setting) && setting != "output_scale";
}

bool is_read_by(const Task* task, const std::string& setting) {
  return trains_with(task, setting) || (task ? has(task->data_settings, setting) : is_of_data(setting));
}

// The conditions that read the setting, where it is one of conditions.
std::vector<const Condition*> conditions_with(const std::string& setting) {
  std::vector<const Condition*> result;
  for (const Condition& condition : all_conditions())
    if (has(condition.settings, setting)) result.push_back(&condition);
  return result;
}

bool is_read_by_condition(const RunConfig& config, const std::string& setting) {
  const std::vector<const Condition*> reading = conditions_with(setting);
  return reading.empty() ||
         std::ranges::any_of(reading, [&](const Condition* c) { return has_condition(config, c->name); });
}

// "the task a", "the tasks a, b"
std::string listed(const std::string& what, const std::vector<std::string>& names) {
  return what + (names.size() == 1 ? " " : "s ") + joined(names, ", ");
}

}  // namespace

bool is_of_conditions(const std::string& setting) { return !conditions_with(setting).empty(); }

bool reads(const RunConfig& config, const std::string& setting) {
  if (setting == "task_grid") return !config.task_grid.empty();
  if (setting == "condition_grid") return !config.condition_grid.empty();
  if (is_identity(setting)) return true;
  const Setting<RunConfig>* row = settings::row_of(config, setting);
  return is_read_by(task_if_any(config.task), setting) && is_read_by_condition(config, setting) &&
         (!row || !row->reader.is_there || row->reader.is_there(config));
}

std::string readers(const std::string& setting) {
  const Setting<RunConfig>* row = settings::row_of(RunConfig{}, setting);
  if (row && row->reader.name) return row->reader.name;
  std::vector<std::string> names;
  for (const Condition* condition : conditions_with(setting)) names.push_back(condition->name);
  if (!names.empty()) return listed("the condition", names);
  for (const Task& task : all_tasks())
    if (is_read_by(&task, setting)) names.push_back(task.name);
  return listed("the task", names);
}

void require_read(const std::string& place, const std::string& setting, std::span<const RunConfig> runs) {
  if (runs.empty() || std::ranges::any_of(runs, [&](const RunConfig& run) { return reads(run, setting); })) return;
  const std::string where = runs.size() > 1 ? text("none of the ", runs.size(), " runs that it is given for")
                                            : text("nothing in this run (", runs[0].task, ", ", runs[0].condition, ")");
  settings::refuse_unread(place, where, setting, readers(setting));
}

Json settings_read(const RunConfig& config) {
  return settings::as_json(config, [&](const Setting<RunConfig>& row) { return reads(config, row.name); });
}

}  // namespace normalign

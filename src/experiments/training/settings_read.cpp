#include "experiments/training/settings_read.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "experiments/training/task.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// A setting that counts only where another setting has a certain value.
struct Reader {
  const char* setting;
  const char* name;  // of what reads it
  bool (*is_there)(const RunConfig&);
};

Conditions on(const RunConfig& c) { return conditions(c.condition); }
bool grokalign(const RunConfig& c) { return on(c).grokalign; }
bool hold_jacobian(const RunConfig& c) { return on(c).hold_jacobian; }
bool grokfast(const RunConfig& c) { return on(c).grokfast; }
bool adversarial_noise(const RunConfig& c) { return on(c).adversarial_noise; }
bool penalised_jacobian(const RunConfig& c) { return hold_jacobian(c) || (grokalign(c) && c.penalise_jacobian); }
bool projection(const RunConfig& c) { return penalised_jacobian(c) && c.jacobian_norm == "projection"; }
bool sgd(const RunConfig& c) { return c.optimizer == "sgd"; }
bool adamw(const RunConfig& c) { return c.optimizer == "adamw"; }
bool cross_entropy(const RunConfig& c) { return c.loss == "cross_entropy"; }
bool random_start(const RunConfig& c) { return c.initial_model.empty(); }
bool noise_criterion(const RunConfig& c) { return c.noise_criterion > 0; }
bool noise(const RunConfig& c) { return !c.noise_levels.empty() || c.noise_criterion > 0; }
bool attacks(const RunConfig& c) { return !c.attack_radii.empty(); }

constexpr const char* of_jacobian = "the conditions grokalign (with penalise_jacobian) and hold_jacobian";

constexpr Reader conditional_readers[] = {
    {"init_scale", "a random start, without initial_model", random_start},
    {"accurate_cross_entropy", "the loss cross_entropy", cross_entropy},
    {"momentum", "the optimizer sgd", sgd},
    {"beta1", "the optimizer adamw", adamw},
    {"beta2", "the optimizer adamw", adamw},
    {"epsilon", "the optimizer adamw", adamw},
    {"noise_criterion_level", "a noise_criterion above 0", noise_criterion},
    {"lambda", "the condition grokalign", grokalign},
    {"lambda_scale", "the condition grokalign", grokalign},
    {"penalise_jacobian", "the condition grokalign", grokalign},
    {"penalise_offset", "the condition grokalign", grokalign},
    {"jacobian_norm", of_jacobian, penalised_jacobian},
    {"projections", "the jacobian_norm projection of the conditions grokalign and hold_jacobian", projection},
    {"level", "the condition hold_jacobian", hold_jacobian},
    {"hold_weight", "the condition hold_jacobian", hold_jacobian},
    {"grokfast_alpha", "the condition grokfast", grokfast},
    {"grokfast_lambda", "the condition grokfast", grokfast},
    {"training_noise", "the condition adversarial_noise", adversarial_noise},
    {"least_training_noise", "the condition adversarial_noise", adversarial_noise},
    {"noise_first_column", "noise_levels and a noise_criterion above 0", noise},
    {"attack_norm", "attack_radii that are not empty", attacks},
    {"attack_steps", "attack_radii that are not empty", attacks},
    {"attack_step", "attack_radii that are not empty", attacks},
    {"attack_samples", "attack_radii that are not empty", attacks},
};

const Reader* conditional_reader(const std::string& setting) {
  const auto* found = std::ranges::find(conditional_readers, setting, [](const Reader& r) { return r.setting; });
  return found == std::end(conditional_readers) ? nullptr : found;
}

// What says which run this is, in every log.
bool is_identity(const std::string& setting) {
  return setting == "task" || setting == "condition" || setting == "label" || setting == "seed";
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

// Whether samples depend on the setting, whoever makes them.
bool is_of_data(const std::string& setting) {
  return std::ranges::any_of(all_tasks(), [&](const Task& task) { return has(task.data_settings, setting); });
}

const Task* task_of(const RunConfig& config) {
  const auto found = std::ranges::find(all_tasks(), config.task, &Task::name);
  return found == all_tasks().end() ? nullptr : &*found;
}

// Whether the training of the task, `grokking_run` where it has none of its own, asks for the setting.
bool trains_with(const Task* task, const std::string& setting) {
  if (task && !task->train_settings.empty()) return has(task->train_settings, setting);
  return !is_of_data(setting) && setting != "output_scale";
}

bool is_read_by(const Task* task, const std::string& setting) {
  return trains_with(task, setting) || (task ? has(task->data_settings, setting) : is_of_data(setting));
}

}  // namespace

bool reads(const RunConfig& config, const std::string& setting) {
  if (is_identity(setting)) return true;
  const Reader* reader = conditional_reader(setting);
  return is_read_by(task_of(config), setting) && (!reader || reader->is_there(config));
}

std::string readers(const std::string& setting) {
  if (const Reader* reader = conditional_reader(setting)) return reader->name;
  std::string list;
  int count = 0;
  for (const Task& task : all_tasks()) {
    if (!is_read_by(&task, setting)) continue;
    list += text(count++ ? ", " : "", task.name);
  }
  return text(count == 1 ? "the task " : "the tasks ", list);
}

void require_read(const std::string& place, const std::string& setting, std::span<const RunConfig> runs) {
  if (runs.empty() || std::ranges::any_of(runs, [&](const RunConfig& run) { return reads(run, setting); })) return;
  const std::string where = runs.size() > 1 ? text("none of the ", runs.size(), " runs that it is given for")
                                            : text("nothing in this run (", runs[0].task, ", ", runs[0].condition, ")");
  throw InputError(text(place, ": found ", where, " that reads ", setting, ", expected ", readers(setting)));
}

Json settings_read(const RunConfig& config) {
  Json result = Json::object();
  const Json all = to_json(config);  // which outlives its items
  for (const auto& [name, value] : all.items())
    if (reads(config, name)) result[name] = value;
  return result;
}

}  // namespace normalign

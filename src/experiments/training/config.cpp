#include "experiments/training/config.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <utility>

#include "base/json_text.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/condition.hpp"
#include "nn/activation.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using C = RunConfig;

SettingRange between(double least, double most) { return {.least = least, .most = most}; }
SettingRange count() { return between(0, 1e9); }
SettingRange size() { return between(0, 1e6); }  // of a number that may be large
SettingRange one_of(std::vector<std::string> names) { return {.names = std::move(names)}; }
SettingRange sizes_once() { return {.least = 0, .most = 1e6, .is_distinct = true}; }  // two metrics would have one name

// Readers of settings that not every run reads; those of a condition's settings are the conditions that list them.
constexpr SettingReader<C> adamw = {"the optimizer adamw", [](const C& c) { return c.optimizer == "adamw"; }};
constexpr SettingReader<C> sgd = {"the optimizer sgd", [](const C& c) { return c.optimizer == "sgd"; }};
constexpr SettingReader<C> cross_entropy = {"the loss cross_entropy",
                                            [](const C& c) { return c.loss == "cross_entropy"; }};
constexpr SettingReader<C> random_start = {"a random start, without initial_model",
                                           [](const C& c) { return c.initial_model.empty(); }};
constexpr SettingReader<C> label_in_table = {"the task table without regression or a file of labels",
                                             [](const C& c) { return !c.regression && c.labels.empty(); }};
constexpr SettingReader<C> targets_in_table = {"the task table with regression and no file of targets",
                                               [](const C& c) { return c.regression && c.labels.empty(); }};
constexpr SettingReader<C> classes = {"the task table without regression", [](const C& c) { return !c.regression; }};
constexpr SettingReader<C> own_test_rows = {"the task table without test_data",
                                            [](const C& c) { return c.test_data.empty(); }};
constexpr SettingReader<C> own_folds = {"the task table without test_data or test_share",
                                        [](const C& c) { return c.test_data.empty() && c.test_share == 0; }};
constexpr SettingReader<C> test_file = {"the task table with test_data",
                                        [](const C& c) { return !c.test_data.empty(); }};
constexpr SettingReader<C> noise_criterion = {"a noise_criterion above 0",
                                              [](const C& c) { return c.noise_criterion > 0; }};
constexpr SettingReader<C> noise = {"noise_levels and a noise_criterion above 0",
                                    [](const C& c) { return !c.noise_levels.empty() || c.noise_criterion > 0; }};
constexpr SettingReader<C> attacks = {"attack_radii that are not empty",
                                      [](const C& c) { return !c.attack_radii.empty(); }};
constexpr SettingReader<C> certified_points = {"certificate_samples above 0",
                                               [](const C& c) { return c.certificate_samples > 0; }};
constexpr SettingReader<C> attacks_or_certificates = {
    "attack_radii that are not empty, and certificate_samples above 0",
    [](const C& c) { return !c.attack_radii.empty() || c.certificate_samples > 0; }};
constexpr SettingReader<C> region_count = {"max_regions above 0", [](const C& c) { return c.max_regions > 0; }};
bool penalised_jacobian(const C& c) { return !has_condition(c, "grokalign") || c.penalise_jacobian; }
constexpr SettingReader<C> jacobian = {"the conditions grokalign (with penalise_jacobian) and hold_jacobian",
                                       penalised_jacobian};
constexpr SettingReader<C> projection = {
    "the jacobian_norm projection of the conditions grokalign and hold_jacobian",
    [](const C& c) { return penalised_jacobian(c) && c.jacobian_norm == "projection"; }};

// A setting's value in names: a list with x between its items.
std::string value_words(const Json& value) {
  if (value.is_array())
    return value.empty() ? "none" : joined(value, "x", [](const Json& item) { return value_words(item); });
  std::string result = value.is_string() ? value.get<std::string>() : settings::written(value);
  if (value.is_number_float() && result.ends_with(".0")) result.resize(result.size() - 2);
  return result.empty() ? "none" : result;
}

// Throws unless each of the names in a grid is a setting that a grid can vary.
void check_grids(const RunConfig& config) {
  for (const auto& [field, names] :
       {std::pair("task_grid", &config.task_grid), {"condition_grid", &config.condition_grid}})
    for (const std::string& name : grid_names(*names))
      if (is_identity(name) || !settings::row_of(config, name))
        throw InputError(text(field, ": found '", one_line(*names), "', expected names of settings joined by +"));
}

// Throws where classes are asked for and numbers are predicted.
void check_regression(const RunConfig& config) {
  if (!config.regression) return;
  const auto refuse = [](const char* name, const auto& found, const auto& expected) {
    throw InputError(text(name, ": found ", found, ", expected ", expected, ", as regression is true"));
  };
  if (config.loss != "mse") refuse("loss", settings::written(config.loss), "\"mse\"");
  if (config.single_output) refuse("single_output", "true", "false");
  if (!config.attack_radii.empty())
    refuse("attack_radii", config.attack_radii.front(), "none (attacks are on classes)");
  if (config.certificate_samples > 0)
    refuse("certificate_samples", config.certificate_samples, "0 (certificates are about classes)");
  if (config.targets.empty() && config.labels.empty()) refuse("targets", "none", "a column or more, or a file of them");
}

// Throws unless training in coordinates of the span is what it is in the inputs.
void check_span(const RunConfig& config) {
  const auto refuse = [](const auto&... why) {
    throw InputError(text("coordinates: found \"span\", expected \"inputs\", as ", why...));
  };
  if (config.optimizer != "sgd") refuse("the optimizer ", config.optimizer, " treats each input by itself");
  for (const Condition* condition : conditions_of(config.condition))
    if (!condition->stays_in_span) refuse("the condition ", condition->name, " leaves the span of the training set");
  if (!config.attack_radii.empty()) refuse("attack_radii is not empty, and attacks leave the span");
  if (config.certificate_samples > 0) refuse("certificate_samples is above 0, and distances are those of the inputs");
  if (config.max_regions > 0) refuse("max_regions is above 0, and regions are counted in the inputs");
}

}  // namespace

const std::vector<Setting<RunConfig>>& table_of(const RunConfig&) {  // NOLINT(readability-function-size): a table
  static const std::vector<Setting<RunConfig>> table = {
      {"task", &C::task},
      {"condition", &C::condition},
      {"label", &C::label},
      {"task_grid", &C::task_grid},
      {"condition_grid", &C::condition_grid},
      {"seed", &C::seed, {.least = 0}},
      {"hidden", &C::hidden, between(1, 1e6)},
      {"activation", &C::activation, one_of(activation_names())},
      {"bias", &C::bias},
      {"init_scale", &C::init_scale, size(), random_start},
      {"single_output", &C::single_output},
      {"precision", &C::precision, one_of({"float32", "float64"})},
      {"initial_model", &C::initial_model},
      {"coordinates", &C::coordinates, one_of({"inputs", "span"})},
      {"data", &C::data},
      {"label_column", &C::label_column, {}, label_in_table},
      {"regression", &C::regression},
      {"targets", &C::targets, {}, targets_in_table},
      {"labels", &C::labels},
      {"test_data", &C::test_data},
      {"test_labels", &C::test_labels, {}, test_file},
      {"test_share", &C::test_share, between(0, 1), own_test_rows},
      {"folds", &C::folds, between(2, 1e6), own_folds},
      {"fold", &C::fold, count(), own_folds},
      {"header", &C::header, one_of({"guess", "yes", "no"})},
      {"index_column", &C::index_column, one_of({"refuse", "drop", "keep"})},
      {"columns", &C::columns},
      {"drop", &C::drop},
      {"categories", &C::categories},
      {"missing", &C::missing, one_of({"refuse", "drop", "impute"})},
      {"standardise", &C::standardise},
      {"insist_on_classes", &C::insist_on_classes, {}, classes},
      {"train_samples", &C::train_samples, count()},
      {"test_samples", &C::test_samples, count()},
      {"features", &C::features, between(0, 1e8)},
      {"feature_scale", &C::feature_scale, size()},
      {"dimensions", &C::dimensions, between(2, 1000)},
      {"operation", &C::operation},
      {"modulus", &C::modulus},
      {"loss", &C::loss},
      {"accurate_cross_entropy", &C::accurate_cross_entropy, {}, cross_entropy},
      {"epochs", &C::epochs, count()},
      {"batch_size", &C::batch_size, count()},
      {"optimizer", &C::optimizer, one_of({"adamw", "sgd"})},
      {"learning_rate", &C::learning_rate, size()},
      {"weight_decay", &C::weight_decay, size()},
      {"momentum", &C::momentum, between(0, 1), sgd},
      {"beta1", &C::beta1, between(0, 0.999999999), adamw},
      {"beta2", &C::beta2, between(0, 0.999999999), adamw},
      {"epsilon", &C::epsilon, between(0, 1), adamw},
      {"gradient_clip", &C::gradient_clip, between(0, 1e30)},
      {"output_scale", &C::output_scale, between(0, 1e30)},
      {"eval_every", &C::eval_every, count()},
      {"stop", &C::stop, one_of({"grokked", "never"})},
      {"train_criterion", &C::train_criterion, between(0, 100)},
      {"test_criterion", &C::test_criterion, between(0, 100)},
      {"noise_criterion", &C::noise_criterion, between(0, 100)},
      {"noise_criterion_level", &C::noise_criterion_level, size(), noise_criterion},
      {"lambda", &C::lambda, size()},
      {"lambda_scale", &C::lambda_scale, size()},
      {"jacobian_norm", &C::jacobian_norm, one_of({"projection", "exact"}), jacobian},
      {"projections", &C::projections, between(1, 1e6), projection},
      {"penalise_jacobian", &C::penalise_jacobian},
      {"penalise_offset", &C::penalise_offset},
      {"penalty_share", &C::penalty_share, between(1e-6, 1)},
      {"level", &C::level, size()},
      {"hold_weight", &C::hold_weight, size()},
      {"grokfast_alpha", &C::grokfast_alpha, between(0, 1)},
      {"grokfast_lambda", &C::grokfast_lambda, size()},
      {"training_noise", &C::training_noise, size()},
      {"least_training_noise", &C::least_training_noise, size()},
      {"geometry_samples", &C::geometry_samples, count()},
      {"noise_levels", &C::noise_levels, sizes_once()},
      {"noise_first_column", &C::noise_first_column, count(), noise},
      {"attack_radii", &C::attack_radii, sizes_once()},
      {"attack_norm", &C::attack_norm, one_of({"linf", "l2"}), attacks_or_certificates},
      {"attack_steps", &C::attack_steps, between(1, 1e6), attacks},
      {"attack_step", &C::attack_step, size(), attacks},
      {"attack_samples", &C::attack_samples, count(), attacks},
      {"certificate_samples", &C::certificate_samples, count()},
      {"certificate_parts", &C::certificate_parts, count(), certified_points},
      {"max_regions", &C::max_regions, count()},
      {"region_box", &C::region_box, between(0, 1e30), region_count}};
  return table;
}

std::string condition_label(const RunConfig& config) {
  const std::string& name = config.label.empty() ? config.condition : config.label;
  return config.condition_grid.empty() ? name
                                       : text(name, ' ', grid_words(settings::as_json(config), config.condition_grid));
}

std::vector<std::string> grid_names(const std::string& names) {
  std::vector<std::string> result;
  std::istringstream parts(names);
  for (std::string name; std::getline(parts, name, '+');) result.push_back(name);
  return result;
}

std::string grid_words(const Json& config, const std::string& names) {
  std::string result;
  for (const std::string& name : grid_names(names))
    if (config.contains(name)) result += text(result.empty() ? "" : ", ", name, ' ', value_words(config[name]));
  return result;
}

std::string task_label(const std::string& task, const std::string& data) {
  const std::string stem = std::filesystem::path(data).stem().string();
  return task == "table" && !stem.empty() ? stem : task;
}

std::string run_name(const RunConfig& config) {
  const std::string grids = config.task_grid + '+' + config.condition_grid;
  const Json values = grids.size() > 1 ? settings::as_json(config) : Json::object();
  std::string result =
      text(task_label(config.task, config.data), "_", config.label.empty() ? config.condition : config.label);
  for (const std::string& name : grid_names(grids))
    if (values.contains(name)) {
      std::string value = value_words(values[name]);
      std::ranges::replace_if(
          value, [](char c) { return c == '/' || (c >= 0 && c < ' '); }, '-');
      result += text('_', name, value);
    }
  return text(result, "_seed", config.seed);
}

bool is_identity(std::string_view setting) {
  constexpr std::array names = {"task", "condition", "label", "task_grid", "condition_grid", "seed"};
  return std::ranges::find(names, setting) != names.end();
}

void set_dependent_defaults(RunConfig& config, const std::function<bool(const std::string& setting)>& is_given) {
  if (config.regression && !is_given("loss")) config.loss = "mse";
}

void check(const RunConfig& config) {
  for (const Condition* condition : conditions_of(config.condition)) condition->check(config);
  if (std::ranges::any_of(config.label, [](char c) { return c == '/' || (c >= 0 && c < ' '); }))
    throw InputError(
        text("label: found ", settings::written(config.label), ", expected a name without slash or line break"));
  if (config.single_output && config.loss == "cross_entropy")
    throw InputError("single_output: found true, expected false, as loss is cross_entropy");
  check_grids(config);
  settings::check(config);
  check_regression(config);
  if (config.test_share == 1) throw InputError("test_share: found 1, expected less, as some rows are for training");
  if (config.coordinates == "span") check_span(config);
}

std::optional<std::string> config_difference(const Json& found, const Json& expected) {
  return settings::difference(found, expected, settings::as_json(RunConfig{}), "data");
}

}  // namespace normalign

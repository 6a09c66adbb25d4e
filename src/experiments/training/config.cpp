#include "experiments/training/config.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json_text.hpp"
#include "base/nearest_name.hpp"
#include "experiments/runs/config_fields.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

void whole(const char* field, std::int64_t found, std::int64_t least, std::int64_t most) {
  if (found < least || found > most)
    throw InputError(text(field, ": found ", found, ", expected a whole number from ", least, " to ", most));
}

// Two metrics would have one name.
void each_once(const char* field, std::vector<double> values) {
  std::ranges::sort(values);
  if (const auto twice = std::ranges::adjacent_find(values); twice != values.end())
    throw InputError(text(field, ": found ", *twice, " twice, expected different numbers"));
}

void number(const char* field, double found, double least, double most) {
  if (!(found >= least && found <= most))
    throw InputError(text(field, ": found ", found, ", expected a number from ", least, " to ", most));
}

void one_of(const char* field, const std::string& found, const std::vector<std::string>& known) {
  if (std::ranges::find(known, found) == known.end())
    throw InputError(text(field, ": found '", found, "', ", expected_one_of(found, known)));
}

}  // namespace

// Calls visit(name, field) for every field of a config, const or not, in the order in which logs have them.
template <class Config, class Visit>
static void for_each_field(Config& c, const Visit& visit) {
  visit("task", c.task);
  visit("condition", c.condition);
  visit("label", c.label);
  visit("seed", c.seed);
  visit("hidden", c.hidden);
  visit("activation", c.activation);
  visit("bias", c.bias);
  visit("init_scale", c.init_scale);
  visit("single_output", c.single_output);
  visit("precision", c.precision);
  visit("initial_model", c.initial_model);
  visit("data", c.data);
  visit("train_samples", c.train_samples);
  visit("test_samples", c.test_samples);
  visit("features", c.features);
  visit("feature_scale", c.feature_scale);
  visit("operation", c.operation);
  visit("modulus", c.modulus);
  visit("loss", c.loss);
  visit("accurate_cross_entropy", c.accurate_cross_entropy);
  visit("epochs", c.epochs);
  visit("batch_size", c.batch_size);
  visit("optimizer", c.optimizer);
  visit("learning_rate", c.learning_rate);
  visit("weight_decay", c.weight_decay);
  visit("momentum", c.momentum);
  visit("beta1", c.beta1);
  visit("beta2", c.beta2);
  visit("epsilon", c.epsilon);
  visit("gradient_clip", c.gradient_clip);
  visit("output_scale", c.output_scale);
  visit("eval_every", c.eval_every);
  visit("stop", c.stop);
  visit("train_criterion", c.train_criterion);
  visit("test_criterion", c.test_criterion);
  visit("noise_criterion", c.noise_criterion);
  visit("noise_criterion_level", c.noise_criterion_level);
  visit("lambda", c.lambda);
  visit("lambda_scale", c.lambda_scale);
  visit("jacobian_norm", c.jacobian_norm);
  visit("projections", c.projections);
  visit("penalise_jacobian", c.penalise_jacobian);
  visit("penalise_offset", c.penalise_offset);
  visit("level", c.level);
  visit("hold_weight", c.hold_weight);
  visit("grokfast_alpha", c.grokfast_alpha);
  visit("grokfast_lambda", c.grokfast_lambda);
  visit("training_noise", c.training_noise);
  visit("least_training_noise", c.least_training_noise);
  visit("geometry_samples", c.geometry_samples);
  visit("noise_levels", c.noise_levels);
  visit("noise_first_column", c.noise_first_column);
  visit("attack_radii", c.attack_radii);
  visit("attack_norm", c.attack_norm);
  visit("attack_steps", c.attack_steps);
  visit("attack_step", c.attack_step);
  visit("attack_samples", c.attack_samples);
}

Conditions conditions(const std::string& condition) {
  Conditions result;
  if (condition == "baseline") return result;
  const std::pair<const char*, bool*> known[] = {{"grokfast", &result.grokfast},
                                                 {"orthograd", &result.orthograd},
                                                 {"grokalign", &result.grokalign},
                                                 {"adversarial_noise", &result.adversarial_noise},
                                                 {"hold_jacobian", &result.hold_jacobian}};
  std::istringstream parts(condition + '+');
  for (std::string part; std::getline(parts, part, '+');) {
    const auto* found = std::ranges::find(known, part, [](const auto& entry) { return std::string(entry.first); });
    if (found == std::end(known) || *found->second) {
      std::vector<std::string> names;
      if (part == condition) names.emplace_back("baseline");
      for (const auto& [name, is_on] : known) names.emplace_back(name);
      throw InputError(text("condition: found '", condition,
                            "', expected baseline, or grokfast, orthograd, grokalign, adversarial_noise, "
                            "hold_jacobian, each at most once, joined by +",
                            found == std::end(known) ? did_you_mean(part, names) : ""));
    }
    *found->second = true;
  }
  if (result.grokalign && result.hold_jacobian)
    throw InputError(text("condition: found '", condition,
                          "', expected not both of grokalign, which shrinks the Jacobian, and hold_jacobian"));
  return result;
}

const std::string& condition_label(const RunConfig& config) {
  return config.label.empty() ? config.condition : config.label;
}

void check(const RunConfig& config) {
  if (conditions(config.condition).grokalign && !config.penalise_jacobian && !config.penalise_offset)
    throw InputError("penalise_offset: found false, as penalise_jacobian is, expected one of them under grokalign");
  if (std::ranges::any_of(config.label, [](char c) { return c == '/' || (c >= 0 && c < ' '); }))
    throw InputError(
        text("label: found ", config_fields::written(config.label), ", expected a name without slash or line break"));
  whole("seed", config.seed, 0, std::numeric_limits<std::int64_t>::max());
  for (Index width : config.hidden) whole("hidden", width, 1, 1'000'000);
  number("init_scale", config.init_scale, 0, 1e6);
  if (config.single_output && config.loss == "cross_entropy")
    throw InputError("single_output: found true, expected false, as loss is cross_entropy");
  one_of("precision", config.precision, {"float32", "float64"});
  whole("train_samples", config.train_samples, 0, 1'000'000'000);
  whole("test_samples", config.test_samples, 0, 1'000'000'000);
  whole("features", config.features, 0, 100'000'000);
  number("feature_scale", config.feature_scale, 0, 1e6);
  whole("epochs", config.epochs, 0, 1'000'000'000);
  whole("batch_size", config.batch_size, 0, 1'000'000'000);
  one_of("optimizer", config.optimizer, {"adamw", "sgd"});
  number("learning_rate", config.learning_rate, 0, 1e6);
  number("weight_decay", config.weight_decay, 0, 1e6);
  number("momentum", config.momentum, 0, 1);
  number("beta1", config.beta1, 0, 0.999999999);
  number("beta2", config.beta2, 0, 0.999999999);
  number("epsilon", config.epsilon, 0, 1);
  number("gradient_clip", config.gradient_clip, 0, 1e30);
  number("output_scale", config.output_scale, 0, 1e30);
  whole("eval_every", config.eval_every, 0, 1'000'000'000);
  one_of("stop", config.stop, {"grokked", "never"});
  number("train_criterion", config.train_criterion, 0, 100);
  number("test_criterion", config.test_criterion, 0, 100);
  number("noise_criterion", config.noise_criterion, 0, 100);
  number("noise_criterion_level", config.noise_criterion_level, 0, 1e6);
  number("lambda", config.lambda, 0, 1e6);
  number("lambda_scale", config.lambda_scale, 0, 1e6);
  one_of("jacobian_norm", config.jacobian_norm, {"projection", "exact"});
  whole("projections", config.projections, 1, 1'000'000);
  number("level", config.level, 0, 1e6);
  number("hold_weight", config.hold_weight, 0, 1e6);
  number("grokfast_alpha", config.grokfast_alpha, 0, 1);
  number("grokfast_lambda", config.grokfast_lambda, 0, 1e6);
  number("training_noise", config.training_noise, 0, 1e6);
  number("least_training_noise", config.least_training_noise, 0, 1e6);
  whole("geometry_samples", config.geometry_samples, 0, 1'000'000'000);
  for (double level : config.noise_levels) number("noise_levels", level, 0, 1e6);
  each_once("noise_levels", config.noise_levels);
  whole("noise_first_column", config.noise_first_column, 0, 1'000'000'000);
  for (double radius : config.attack_radii) number("attack_radii", radius, 0, 1e6);
  each_once("attack_radii", config.attack_radii);
  one_of("attack_norm", config.attack_norm, {"linf", "l2"});
  whole("attack_steps", config.attack_steps, 1, 1'000'000);
  number("attack_step", config.attack_step, 0, 1e6);
  whole("attack_samples", config.attack_samples, 0, 1'000'000'000);
}

Json to_json(const RunConfig& config) { return config_fields::as_json(config); }

std::optional<std::string> config_difference(const Json& found, const Json& expected) {
  return config_fields::difference(found, expected, to_json(RunConfig{}), "data");
}

void set_field(RunConfig& config, const std::string& name, const Json& value) {
  config_fields::set(config, name, value);
}

std::pair<std::string, Json> assignment(const std::string& given) {
  const auto equals = given.find('=');
  if (equals == std::string::npos) throw InputError(text("setting: found '", given, "', expected NAME=VALUE"));
  const std::string value = given.substr(equals + 1);
  const auto json = [&]() -> Json {
    try {
      return parsed_json<Json>(value);
    } catch (const InputError&) {
      return value;
    }
  };
  return {given.substr(0, equals), json()};
}

}  // namespace normalign

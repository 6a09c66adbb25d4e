#include "experiments/config.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

namespace normalign {
namespace {

void whole(const char* field, std::int64_t found, std::int64_t least, std::int64_t most) {
  if (found < least || found > most)
    throw InputError(text(field, ": found ", found, ", expected a whole number from ", least, " to ", most));
}

void number(const char* field, double found, double least, double most) {
  if (!(found >= least && found <= most))
    throw InputError(text(field, ": found ", found, ", expected a number from ", least, " to ", most));
}

void one_of(const char* field, const std::string& found, std::initializer_list<std::string_view> known) {
  std::string list;
  for (std::string_view name : known) {
    if (found == name) return;
    list += text(list.empty() ? "" : ", ", name);
  }
  throw InputError(text(field, ": found '", found, "', expected one of ", list));
}

}  // namespace

Conditions conditions(const std::string& condition) {
  Conditions result;
  if (condition == "baseline") return result;
  std::istringstream parts(condition + '+');
  for (std::string part; std::getline(parts, part, '+');) {
    bool* flag = part == "grokfast"    ? &result.grokfast
                 : part == "orthograd" ? &result.orthograd
                 : part == "grokalign" ? &result.grokalign
                                       : nullptr;
    if (!flag || *flag)
      throw InputError(text("condition: found '", condition,
                            "', expected baseline, or grokfast, orthograd, grokalign, each at most once, joined by +"));
    *flag = true;
  }
  return result;
}

void check(const RunConfig& config) {
  conditions(config.condition);
  whole("seed", config.seed, 0, std::numeric_limits<std::int64_t>::max());
  for (Index width : config.hidden) whole("hidden", width, 1, 1'000'000);
  number("init_scale", config.init_scale, 0, 1e6);
  whole("epochs", config.epochs, 0, 1'000'000'000);
  whole("batch_size", config.batch_size, 0, 1'000'000'000);
  one_of("optimizer", config.optimizer, {"adamw", "sgd"});
  number("learning_rate", config.learning_rate, 0, 1e6);
  number("weight_decay", config.weight_decay, 0, 1e6);
  number("momentum", config.momentum, 0, 1);
  number("beta1", config.beta1, 0, 0.999999999);
  number("beta2", config.beta2, 0, 0.999999999);
  number("epsilon", config.epsilon, 0, 1);
  number("train_criterion", config.train_criterion, 0, 100);
  number("test_criterion", config.test_criterion, 0, 100);
  number("lambda", config.lambda, 0, 1e6);
  one_of("jacobian_norm", config.jacobian_norm, {"projection", "exact"});
  whole("projections", config.projections, 1, 1'000'000);
  if (config.level) number("level", *config.level, 0, 1e6);
  number("grokfast_alpha", config.grokfast_alpha, 0, 1);
  number("grokfast_lambda", config.grokfast_lambda, 0, 1e6);
}

nlohmann::ordered_json to_json(const RunConfig& c) {
  nlohmann::ordered_json json = {{"task", c.task},
                                 {"condition", c.condition},
                                 {"seed", c.seed},
                                 {"hidden", c.hidden},
                                 {"activation", c.activation},
                                 {"bias", c.bias},
                                 {"init_scale", c.init_scale},
                                 {"loss", c.loss},
                                 {"epochs", c.epochs},
                                 {"batch_size", c.batch_size},
                                 {"optimizer", c.optimizer},
                                 {"learning_rate", c.learning_rate},
                                 {"weight_decay", c.weight_decay},
                                 {"momentum", c.momentum},
                                 {"beta1", c.beta1},
                                 {"beta2", c.beta2},
                                 {"epsilon", c.epsilon},
                                 {"train_criterion", c.train_criterion},
                                 {"test_criterion", c.test_criterion},
                                 {"lambda", c.lambda},
                                 {"jacobian_norm", c.jacobian_norm},
                                 {"projections", c.projections},
                                 {"penalise_jacobian", c.penalise_jacobian},
                                 {"penalise_offset", c.penalise_offset},
                                 {"level", nullptr},
                                 {"grokfast_alpha", c.grokfast_alpha},
                                 {"grokfast_lambda", c.grokfast_lambda},
                                 {"operation", c.operation},
                                 {"modulus", c.modulus}};
  if (c.level) json["level"] = *c.level;
  return json;
}

}  // namespace normalign

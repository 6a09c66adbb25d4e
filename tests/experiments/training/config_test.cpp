#include "experiments/training/config.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/infinity.hpp"
#include "experiments/runs/settings.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("every field out of its range is refused by its name, with what was found and expected") {
  struct Row {
    const char* field;
    std::function<void(RunConfig&)> spoil;
    const char* found;
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto set = [](auto RunConfig::*field, auto value) { return [=](RunConfig& c) { c.*field = value; }; };
  const Row rows[] = {
      {"seed", set(&RunConfig::seed, -1), "-1"},
      {"hidden", set(&RunConfig::hidden, std::vector<Index>{5, 0}), "0"},
      {"hidden", set(&RunConfig::hidden, std::vector<Index>{2'000'000}), "2000000"},
      {"noise_levels", set(&RunConfig::noise_levels, std::vector<double>{0.5, 1, 0.5}), "0.5 twice"},
      {"attack_radii", set(&RunConfig::attack_radii, std::vector<double>{2, 2}), "2 twice"},
      {"init_scale", set(&RunConfig::init_scale, -1.0), "-1"},
      {"init_scale", set(&RunConfig::init_scale, infinity), "inf"},
      {"epochs", set(&RunConfig::epochs, -1), "-1"},
      {"epochs", set(&RunConfig::epochs, 2'000'000'000), "2000000000"},
      {"batch_size", set(&RunConfig::batch_size, -3), "-3"},
      {"eval_every", set(&RunConfig::eval_every, -1), "-1"},
      {"stop", set(&RunConfig::stop, "later"), "'later'"},
      {"optimizer", set(&RunConfig::optimizer, "adagrad"), "'adagrad'"},
      {"learning_rate", set(&RunConfig::learning_rate, -0.5), "-0.5"},
      {"learning_rate", set(&RunConfig::learning_rate, nan), "nan"},
      {"weight_decay", set(&RunConfig::weight_decay, infinity), "inf"},
      {"momentum", set(&RunConfig::momentum, 1.5), "1.5"},
      {"beta1", set(&RunConfig::beta1, 1.0), "1"},
      {"beta2", set(&RunConfig::beta2, nan), "nan"},
      {"epsilon", set(&RunConfig::epsilon, -1e-8), "-1e-08"},
      {"train_criterion", set(&RunConfig::train_criterion, 101.0), "101"},
      {"test_criterion", set(&RunConfig::test_criterion, -1.0), "-1"},
      {"lambda", set(&RunConfig::lambda, -0.1), "-0.1"},
      {"lambda", set(&RunConfig::lambda, nan), "nan"},
      {"jacobian_norm", set(&RunConfig::jacobian_norm, "spectral"), "'spectral'"},
      {"projections", set(&RunConfig::projections, 0), "0"},
      {"penalty_share", set(&RunConfig::penalty_share, 0.0), "0"},
      {"penalty_share", set(&RunConfig::penalty_share, 1.5), "1.5"},
      {"penalty_share", set(&RunConfig::penalty_share, nan), "nan"},
      {"label", set(&RunConfig::label, "a/b"), "\"a/b\""},
      {"precision", set(&RunConfig::precision, "float16"), "'float16'"},
      {"coordinates", set(&RunConfig::coordinates, "outputs"), "'outputs'"},
      {"coordinates", set(&RunConfig::coordinates, "span"), "\"span\""},
      {"train_samples", set(&RunConfig::train_samples, -1), "-1"},
      {"test_samples", set(&RunConfig::test_samples, -1), "-1"},
      {"features", set(&RunConfig::features, -1), "-1"},
      {"feature_scale", set(&RunConfig::feature_scale, nan), "nan"},
      {"gradient_clip", set(&RunConfig::gradient_clip, -1.0), "-1"},
      {"output_scale", set(&RunConfig::output_scale, -2.0), "-2"},
      {"noise_criterion", set(&RunConfig::noise_criterion, 101.0), "101"},
      {"noise_criterion_level", set(&RunConfig::noise_criterion_level, nan), "nan"},
      {"noise_levels", set(&RunConfig::noise_levels, std::vector<double>{0.1, -0.1}), "-0.1"},
      {"noise_first_column", set(&RunConfig::noise_first_column, -1), "-1"},
      {"lambda_scale", set(&RunConfig::lambda_scale, -1.0), "-1"},
      {"hold_weight", set(&RunConfig::hold_weight, -1.0), "-1"},
      {"training_noise", set(&RunConfig::training_noise, -1.0), "-1"},
      {"least_training_noise", set(&RunConfig::least_training_noise, infinity), "inf"},
      {"geometry_samples", set(&RunConfig::geometry_samples, -1), "-1"},
      {"attack_radii", set(&RunConfig::attack_radii, std::vector<double>{nan}), "nan"},
      {"attack_norm", set(&RunConfig::attack_norm, "l1"), "'l1'"},
      {"attack_steps", set(&RunConfig::attack_steps, 0), "0"},
      {"attack_step", set(&RunConfig::attack_step, -1.0), "-1"},
      {"attack_samples", set(&RunConfig::attack_samples, -1), "-1"},
      {"max_regions", set(&RunConfig::max_regions, -1), "-1"},
      {"region_box", set(&RunConfig::region_box, -0.5), "-0.5"},
      {"dimensions", set(&RunConfig::dimensions, 1), "1"},
      {"condition", set(&RunConfig::condition, "grokalign+hold_jacobian"), "'grokalign+hold_jacobian'"},
      {"level", set(&RunConfig::level, -1.0), "-1"},
      {"level", set(&RunConfig::level, nan), "nan"},
      {"grokfast_alpha", set(&RunConfig::grokfast_alpha, 1.5), "1.5"},
      {"grokfast_lambda", set(&RunConfig::grokfast_lambda, -1.0), "-1"},
      {"condition", set(&RunConfig::condition, "nothing"), "'nothing'"},
  };
  CHECK(message_of([] { check(RunConfig{}); }) == "nothing was thrown");
  for (const Row& row : rows) {
    RunConfig config;
    row.spoil(config);
    const std::string message = message_of([&] { check(config); });
    CAPTURE(row.field, message);
    CHECK(message.starts_with(std::string(row.field) + ": found " + row.found + ", expected "));
    CHECK_FALSE(contains(message, "\n"));
  }
}

TEST_CASE("coordinates of the span are refused where training in them is not the same, with the reason") {
  const RunConfig good{.coordinates = "span", .optimizer = "sgd"};
  CHECK(message_of([&] { check(good); }) == "nothing was thrown");
  const auto refusal = [&](const auto& spoil) {
    RunConfig config = good;
    spoil(config);
    return message_of([&] { check(config); });
  };
  for (const char* condition : {"grokalign", "hold_jacobian", "grokfast", "orthograd", "grokalign+grokfast"})
    CHECK(refusal([&](RunConfig& config) { config.condition = condition; }) == "nothing was thrown");
  const std::string found = "coordinates: found \"span\", expected \"inputs\", as ";
  CHECK(refusal([](RunConfig& config) { config.optimizer = "adamw"; }) ==
        found + "the optimizer adamw treats each input by itself");
  CHECK(refusal([](RunConfig& config) { config.condition = "grokfast+adversarial_noise"; }) ==
        found + "the condition adversarial_noise leaves the span of the training set");
  CHECK(refusal([](RunConfig& config) { config.attack_radii = {0.1}; }) ==
        found + "attack_radii is not empty, and attacks leave the span");
  CHECK(refusal([](RunConfig& config) { config.max_regions = 5; }) ==
        found + "max_regions is above 0, and regions are counted in the inputs");
  CHECK(refusal([](RunConfig& config) { config.certificate_samples = 5; }) ==
        found + "certificate_samples is above 0, and distances are those of the inputs");
}

TEST_CASE("the bounds themselves are accepted") {
  RunConfig config{.seed = std::numeric_limits<std::int64_t>::max(), .init_scale = 0};
  config.learning_rate = config.weight_decay = config.momentum = config.beta1 = config.epsilon = 0;
  config.train_criterion = 100;
  config.test_criterion = 0;
  config.level = 0;
  config.grokfast_alpha = 1;
  CHECK(message_of([&] { check(config); }) == "nothing was thrown");
}

TEST_CASE("the settings as JSON hold every field under its name") {
  RunConfig config{.task = "t", .condition = "grokalign", .seed = 7, .hidden = {3, 4}};
  config.lambda = 0.25;
  nlohmann::ordered_json json = settings::as_json(config);
  CHECK(json.at("task") == "t");
  CHECK(json.at("condition") == "grokalign");
  CHECK(json.at("seed") == 7);
  CHECK(json.at("hidden") == nlohmann::ordered_json({3, 4}));
  CHECK(json.at("lambda") == 0.25);
  CHECK(json.at("epsilon") == 1e-25);
  CHECK(json.at("penalise_offset") == true);
}

// How many fields a struct of that kind has, counted by the compiler: the most values it can be made from.
struct Anything {
  template <class T>
  operator T() const;
};
template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}
template <class T, std::size_t count = 128>
constexpr std::size_t field_count() {
  if constexpr (takes<T>(std::make_index_sequence<count>()))
    return count;
  else
    return field_count<T, count - 1>();
}

TEST_CASE("no field of the settings is missing in the JSON") {
  CHECK(settings::as_json(RunConfig{}).size() == field_count<RunConfig>());
}

TEST_CASE("every field is set by its name and read back") {
  RunConfig other;
  const nlohmann::ordered_json defaults = settings::as_json(RunConfig{});
  for (const auto& [name, value] : defaults.items()) {
    CAPTURE(name);
    const bool is_list_of_texts = name == "columns" || name == "drop" || name == "categories" || name == "targets";
    const auto changed = value.is_string()         ? nlohmann::ordered_json("other")
                         : is_list_of_texts        ? nlohmann::ordered_json({"3", "5"})
                         : value.is_boolean()      ? nlohmann::ordered_json(!value.get<bool>())
                         : value.is_array()        ? nlohmann::ordered_json({3, 5})
                         : value.is_number_float() ? nlohmann::ordered_json(0.375)
                                                   : nlohmann::ordered_json(17);
    settings::set(other, name, changed);
    CHECK(settings::as_json(other).at(name) == changed);
  }
}

TEST_CASE("a regression's loss is mse unless another is given, which is refused as is all that is about classes") {
  const auto nothing = [](const std::string&) { return false; };
  RunConfig classes;
  set_dependent_defaults(classes, nothing);
  CHECK(classes.loss == "cross_entropy");
  RunConfig config{.task = "table", .regression = true, .targets = {"y"}};
  set_dependent_defaults(config, [](const std::string& name) { return name == "loss"; });
  CHECK(message_of([&] { check(config); }) == "loss: found \"cross_entropy\", expected \"mse\", as regression is true");
  set_dependent_defaults(config, nothing);
  CHECK(config.loss == "mse");
  CHECK(message_of([&] { check(config); }) == "nothing was thrown");
  const auto refusal = [&](auto change) {
    RunConfig changed = config;
    change(changed);
    return message_of([&] { check(changed); });
  };
  CHECK(refusal([](RunConfig& c) { c.single_output = true; }).starts_with("single_output: found true, expected false"));
  CHECK(refusal([](RunConfig& c) { c.attack_radii = {0.5}; }).starts_with("attack_radii: found 0.5, expected none"));
  CHECK(refusal([](RunConfig& c) { c.certificate_samples = 5; }) ==
        "certificate_samples: found 5, expected 0 (certificates are about classes), as regression is true");
  CHECK(refusal([](RunConfig& c) { c.targets = {}; }).starts_with("targets: found none, expected a column or more"));
  CHECK(refusal([](RunConfig& c) {
          c.targets = {};
          c.labels = "y.csv";
        }) == "nothing was thrown");
}

TEST_CASE("a misspelled field or choice is answered with the nearest") {
  RunConfig config{.optimizer = "adam"};
  CHECK(message_of([&] { check(config); }).ends_with("; did you mean adamw?"));
  CHECK(message_of([&] { settings::set(config, "lamda", 1); }).ends_with("region_box; did you mean lambda?"));
}

TEST_CASE("a field that does not exist or a value of another type is refused by name") {
  RunConfig config;
  const auto refusal = [&](const char* name, const nlohmann::ordered_json& value) {
    return message_of([&] { settings::set(config, name, value); });
  };
  CHECK(refusal("lamda", 1).starts_with("lamda: unknown field, expected one of task, condition"));
  CHECK(refusal("lambda", "x") == "lambda: found \"x\", expected a number");
  CHECK(refusal("epochs", 1.5) == "epochs: found 1.5, expected a whole number");
  CHECK(refusal("epochs", 18446744073709551615u) == "epochs: found 18446744073709551615, expected a whole number");
  CHECK(refusal("bias", 1) == "bias: found 1, expected true or false");
  CHECK(refusal("task", 1) == "task: found 1, expected a text");
  CHECK(refusal("hidden", {3, "x"}) == "hidden: found [3,\"x\"], expected a list of whole numbers");
  CHECK(refusal("noise_levels", 0.5) == "noise_levels: found 0.5, expected a list of numbers");
  CHECK(settings::as_json(config) == settings::as_json(RunConfig{}));
}

TEST_CASE("configs differ in the first field that makes another run, wherever the data lie") {
  const auto config = settings::as_json(RunConfig{.task = "t"});
  auto other = config;
  other["data"] = "elsewhere";
  CHECK_FALSE(config_difference(config, other));
  other["lambda"] = 0.5;
  CHECK(config_difference(config, other) == "lambda: found 0.0, expected 0.5");
  // A field that a log does not have yet is at its default.
  other = config;
  other.erase("momentum");
  CHECK_FALSE(config_difference(config, other));
  CHECK_FALSE(config_difference(other, config));
  other["momentum"] = 0.5;
  auto older = config;
  older.erase("momentum");
  CHECK(config_difference(older, other) == "momentum: found 0.0, expected 0.5");
  other = config;
  other["unheard_of"] = 1;
  CHECK(config_difference(other, config) == "unheard_of: found 1, expected nothing");
}

TEST_CASE("a label names the condition in logs and tables") {
  CHECK(condition_label({.condition = "grokalign"}) == "grokalign");
  CHECK(condition_label({.condition = "grokalign", .label = "J only"}) == "J only");
}

}  // namespace
}  // namespace normalign::tests

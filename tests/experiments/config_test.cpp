#include "experiments/config.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a condition names filters and the penalty in any order") {
  const auto flags = [](const char* condition) {
    const Conditions c = conditions(condition);
    return std::vector<bool>{c.grokfast, c.orthograd, c.grokalign};
  };
  using Flags = std::vector<bool>;
  CHECK(flags("baseline") == Flags{false, false, false});
  CHECK(flags("grokfast") == Flags{true, false, false});
  CHECK(flags("orthograd") == Flags{false, true, false});
  CHECK(flags("grokalign") == Flags{false, false, true});
  CHECK(flags("grokalign+grokfast") == Flags{true, false, true});
  CHECK(flags("grokfast+grokalign") == Flags{true, false, true});
  CHECK(flags("orthograd+grokalign+grokfast") == Flags{true, true, true});
}

TEST_CASE("an unknown, repeated or empty condition is refused with the known ones") {
  for (const char* condition : {"", "grok", "Baseline", "grokfast+", "+grokfast", "grokfast++orthograd",
                                "grokfast+grokfast", "baseline+grokfast", "grokfast, orthograd", "grokalign "}) {
    CAPTURE(condition);
    CHECK(message_of([&] { conditions(condition); }) ==
          std::string("condition: found '") + condition +
              "', expected baseline, or grokfast, orthograd, grokalign, each at most once, joined by +");
  }
}

TEST_CASE("every field out of its range is refused by its name, with what was found and expected") {
  struct Row {
    const char* field;
    std::function<void(RunConfig&)> spoil;
    const char* found;
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto set = [](auto RunConfig::*field, auto value) { return [=](RunConfig& c) { c.*field = value; }; };
  const Row rows[] = {
      {"seed", set(&RunConfig::seed, -1), "-1"},
      {"hidden", set(&RunConfig::hidden, std::vector<Index>{5, 0}), "0"},
      {"hidden", set(&RunConfig::hidden, std::vector<Index>{2'000'000}), "2000000"},
      {"init_scale", set(&RunConfig::init_scale, -1.0), "-1"},
      {"init_scale", set(&RunConfig::init_scale, inf), "inf"},
      {"epochs", set(&RunConfig::epochs, -1), "-1"},
      {"epochs", set(&RunConfig::epochs, 2'000'000'000), "2000000000"},
      {"batch_size", set(&RunConfig::batch_size, -3), "-3"},
      {"optimizer", set(&RunConfig::optimizer, "adagrad"), "'adagrad'"},
      {"learning_rate", set(&RunConfig::learning_rate, -0.5), "-0.5"},
      {"learning_rate", set(&RunConfig::learning_rate, nan), "nan"},
      {"weight_decay", set(&RunConfig::weight_decay, inf), "inf"},
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
  nlohmann::ordered_json json = to_json(config);
  // The fields of the struct, counted by hand; a new one must be added to to_json and here.
  CHECK(json.size() == 29);
  CHECK(json.at("task") == "t");
  CHECK(json.at("condition") == "grokalign");
  CHECK(json.at("seed") == 7);
  CHECK(json.at("hidden") == nlohmann::ordered_json({3, 4}));
  CHECK(json.at("lambda") == 0.25);
  CHECK(json.at("level").is_null());
  CHECK(json.at("epsilon") == 1e-25);
  CHECK(json.at("penalise_offset") == true);
  config.level = 5;
  CHECK(to_json(config).at("level") == 5);
}

TEST_CASE("an assignment's value is JSON, or a text where it is none") {
  using Json = nlohmann::ordered_json;
  const std::pair<const char*, std::pair<std::string, Json>> rows[] = {{"beta2=0.5", {"beta2", 0.5}},
                                                                       {"bias=false", {"bias", false}},
                                                                       {"hidden=[3, 4]", {"hidden", {3, 4}}},
                                                                       {"activation=tanh", {"activation", "tanh"}},
                                                                       {"data=\"12\"", {"data", "12"}},
                                                                       {"data=a=b", {"data", "a=b"}},
                                                                       {"data=", {"data", ""}},
                                                                       {"=3", {"", 3}},
                                                                       {"data=\xff", {"data", "\xff"}},
                                                                       {"label=J only", {"label", "J only"}}};
  for (const auto& [given, expected] : rows) {
    CAPTURE(given);
    CHECK(assignment(given) == expected);
  }
  for (const char* given : {"", "beta2", "beta2 0.5"})
    CHECK(message_of([&] { assignment(given); }) == std::string("setting: found '") + given + "', expected NAME=VALUE");
}

}  // namespace
}  // namespace normalign::tests

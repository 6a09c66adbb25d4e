#include "experiments/runs/settings.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

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
    CHECK(settings::assignment(given) == expected);
  }
  for (const char* given : {"", "beta2", "beta2 0.5"})
    CHECK(message_of([&] { settings::assignment(given); }) ==
          std::string("setting: found '") + given + "', expected NAME=VALUE");
}

struct Two {
  Index count = 1;
  std::vector<double> levels = {};
};

const std::vector<Setting<Two>>& table_of(const Two&) {
  static const std::vector<Setting<Two>> table = {
      {"count", &Two::count, {.least = 1}},
      {"levels", &Two::levels, {.least = 0, .most = 2, .is_distinct = true}, {"a count", nullptr}}};
  return table;
}

TEST_CASE("settings: JSON, ranges and messages follow from a config's table") {
  Two two;
  settings::set(two, "levels", {0.5, 1});
  CHECK(settings::as_json(two).dump() == R"({"count":1,"levels":[0.5,1.0]})");
  CHECK(message_of([&] { settings::check(two); }) == "nothing was thrown");
  two.levels = {2, 2.5};
  CHECK(message_of([&] { settings::check(two); }) == "levels: found 2.5, expected a number from 0 to 2");
  two.levels = {1, 1};
  CHECK(message_of([&] { settings::check(two); }) == "levels: found 1 twice, expected different numbers");
  two = {.count = 0};
  CHECK(message_of([&] { settings::check(two); }) == "count: found 0, expected a whole number from 1");
  CHECK(message_of([&] { settings::set(two, "level", 1); }) ==
        "level: unknown field, expected one of count, levels; did you mean levels?");
  CHECK(settings::row_of(two, "levels")->reader.name == std::string("a count"));
  CHECK_FALSE(settings::row_of(two, "other"));
}

TEST_CASE("settings: two values of one setting are refused, with how each was given") {
  settings::GivenOnce once;
  once.add("--count", "count");
  once.add("--set levels", "levels");
  CHECK(message_of([&] { once.add("--set count", "count"); }) ==
        "--set count: found after --count, expected one value of count");
}

}  // namespace
}  // namespace normalign::tests

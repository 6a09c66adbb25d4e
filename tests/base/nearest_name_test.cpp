#include "base/nearest_name.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

const std::vector<std::string> names = {"train", "sweep", "summary", "weight_decay", "--weight-decay", "l2"};

TEST_CASE("the nearest name is the one with the fewest letters to change") {
  for (const auto& [found, expected] : {std::pair{"trian", "train"},  // swapped
                                        {"trein", "train"},           // wrong
                                        {"trin", "train"},            // missing
                                        {"traain", "train"},          // surplus
                                        {"Train", "train"},
                                        {"sumary", "summary"},
                                        {"sum", "summary"},  // a beginning
                                        {"weight-decay", "weight_decay"},
                                        {"--weight_decay", "--weight-decay"},
                                        {"--wieght-decya", "--weight-decay"}}) {
    CAPTURE(found);
    CHECK(nearest_name(found, names) == std::string(expected));
  }
  CHECK(nearest_name("abcf", {"abcd", "abce"}) == "abcd");  // the first of several
}

TEST_CASE("a name that is like none has no nearest") {
  for (const char* found : {"", "tr", "plot", "tarni", "l3", "frobnicate", "swamp"}) {
    CAPTURE(found);
    CHECK_FALSE(nearest_name(found, names));
  }
  CHECK_FALSE(nearest_name("train", {}));
}

TEST_CASE("a message lists every name, and ends with the nearest") {
  CHECK(expected_one_of("b", {"a1", "b1", "c1"}) == "expected one of a1, b1, c1");
  CHECK(expected_one_of("lamda", {"level", "lambda"}) == "expected one of level, lambda; did you mean lambda?");
  const std::vector<std::string> many(60, "a_name_of_some_length");
  CHECK(expected_one_of("x", many).size() == std::string("expected one of ").size() + 60 * 21 + 59 * 2);
}

TEST_CASE("the entry of a name is found, and one that is not there is refused by the field with those that are") {
  const std::pair<const char*, int> entries[] = {{"level", 1}, {"lambda", 2}};
  const auto name_of = [](const auto& entry) { return entry.first; };
  CHECK(&named("setting", "lambda", entries, name_of) == &entries[1]);
  CHECK(message_of<InputError>([&] { named("setting", "lamda", entries, name_of); }) ==
        "setting: found 'lamda', expected one of level, lambda; did you mean lambda?");
}

}  // namespace
}  // namespace normalign::tests

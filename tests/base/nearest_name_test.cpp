#include "base/nearest_name.hpp"

#include "support/catch.hpp"

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

}  // namespace
}  // namespace normalign::tests

#include "experiments/training/condition.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

std::vector<std::string> names(const std::string& condition) {
  std::vector<std::string> result;
  for (const Condition* c : conditions_of(condition)) result.push_back(c->name);
  return result;
}

TEST_CASE("a condition names filters, penalties and noise in any order") {
  using Names = std::vector<std::string>;
  CHECK(names("baseline").empty());
  CHECK(names("grokfast") == Names{"grokfast"});
  CHECK(names("grokfast+grokalign") == Names{"grokalign", "grokfast"});
  CHECK(names("orthograd+grokalign+grokfast") == Names{"grokalign", "grokfast", "orthograd"});
  CHECK(has_condition({.condition = "orthograd+grokfast"}, "orthograd"));
  CHECK_FALSE(has_condition({.condition = "orthograd+grokfast"}, "grokalign"));
}

TEST_CASE("an unknown, repeated or empty condition is refused with the known ones") {
  for (const char* condition : {"", "grok", "Baseline", "grokfast+", "+grokfast", "grokfast++orthograd",
                                "grokfast+grokfast", "baseline+grokfast", "grokfast, orthograd", "grokalign "}) {
    CAPTURE(condition);
    CHECK(message_of([&] { conditions_of(condition); })
              .starts_with(std::string("condition: found '") + condition +
                           "', expected baseline, or adversarial_noise, grokalign, grokfast, hold_jacobian, orthograd, "
                           "each at most once, joined by +"));
  }
  CHECK(message_of([] { conditions_of("grokalgin"); }).ends_with("; did you mean grokalign?"));
  CHECK(message_of([] { conditions_of("baselin"); }).ends_with("; did you mean baseline?"));
  CHECK(message_of([] { conditions_of("grokfast+orthogard"); }).ends_with("; did you mean orthograd?"));
  CHECK(message_of([] { conditions_of("grokfast+grokfast"); }).ends_with("joined by +"));
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/training/condition.hpp"

#include <algorithm>
#include <sstream>

#include "base/nearest_name.hpp"

namespace normalign {

// conditions.inc is made by the Makefile from the names of the files in conditions/, one CONDITION(name) each.
namespace conditions {
#define CONDITION(name) Condition name();
#include "conditions.inc"
#undef CONDITION
}  // namespace conditions

const std::vector<Condition>& all_conditions() {
  static const std::vector<Condition> all = {
#define CONDITION(name) conditions::name(),
#include "conditions.inc"
#undef CONDITION
  };
  return all;
}

std::vector<const Condition*> conditions_of(const std::string& condition) {
  if (condition == "baseline") return {};
  std::vector<std::string> named, known;
  for (const Condition& c : all_conditions()) known.push_back(c.name);
  const std::string list = joined(known, ", ");
  std::istringstream parts(condition + '+');
  for (std::string part; std::getline(parts, part, '+'); named.push_back(part)) {
    const bool is_known = std::ranges::find(known, part) != known.end();
    if (is_known && std::ranges::find(named, part) == named.end()) continue;
    if (part == condition) known.emplace_back("baseline");
    throw InputError(text("condition: found '", condition, "', expected baseline, or ", list,
                          ", each at most once, joined by +", is_known ? "" : did_you_mean(part, known)));
  }
  std::vector<const Condition*> result;
  for (const Condition& c : all_conditions())
    if (std::ranges::find(named, c.name) != named.end()) result.push_back(&c);
  return result;
}

bool has_condition(const RunConfig& config, const std::string& name) {
  return std::ranges::any_of(conditions_of(config.condition), [&](const Condition* c) { return c->name == name; });
}

}  // namespace normalign

#include "base/natural_order.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace normalign {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Removes the digits that `name` begins with, and returns them without leading zeros.
std::string_view taken_number(std::string_view& name) {
  const auto end = std::ranges::find_if_not(name, is_digit);
  std::string_view digits = name.substr(0, static_cast<std::size_t>(end - name.begin()));
  name.remove_prefix(digits.size());
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

}  // namespace

NameOrder natural_order(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const std::string_view left = taken_number(a), right = taken_number(b);
      const int sign = left.size() != right.size() ? (left.size() < right.size() ? -1 : 1) : left.compare(right);
      if (sign != 0) return {sign, true};
      continue;
    }
    if (a.front() != b.front()) break;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return {a.compare(b), false};
}

std::string listed(std::vector<std::string> names) {
  constexpr std::size_t most = 8;
  std::ranges::sort(names, [](const auto& a, const auto& b) { return natural_order(a, b).sign < 0; });
  const std::string rest = names.size() > most ? text(" and ", names.size() - most, " more") : "";
  names.resize(std::min(names.size(), most));
  return joined(names, ", ", one_line) + rest;
}

}  // namespace normalign

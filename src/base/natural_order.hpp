// The order in which people count names: net2 comes before net10.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace normalign {

/// How two names compare.
struct NameOrder {
  int sign = 0;  ///< below 0 where the first comes first, above 0 where the second does, 0 where they are equal
  bool is_by_number = false;  ///< whether their first difference is one of numbers
};

/// The natural order of two names: their digits are read as numbers of any length, leading zeros aside, and all else
/// byte by byte.
NameOrder natural_order(std::string_view a, std::string_view b);

/// Names from outside for a message, in natural order and each as `one_line` shows it: the first 8 of them, and how
/// many more there are.
std::string listed(std::vector<std::string> names);

}  // namespace normalign

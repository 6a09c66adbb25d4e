// Names that are not known: what a message says of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace normalign {

/// Returns the entry of `known` that `found` most likely misspells, the first of several, or nothing when none is near.
/// An entry is near when at most a third of its letters are wrong, missing, surplus or swapped with the next one, or
/// when `found` has at least three letters and is its beginning. Case does not count, and - and _ are the same.
std::optional<std::string> nearest_name(std::string_view found, const std::vector<std::string>& known);

/// Returns "; did you mean b?", the end of a message, with the nearest entry; "" when none is near.
std::string did_you_mean(std::string_view found, const std::vector<std::string>& known);

/// Returns how a message goes on after what was found: "expected one of a, b, c", and `did_you_mean` behind it. The
/// list is never cut.
std::string expected_one_of(std::string_view found, const std::vector<std::string>& known);

}  // namespace normalign

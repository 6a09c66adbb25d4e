// Names that are not known: what a message says of them.
#pragma once

#include <functional>
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

/// Throws InputError: "FIELD: found 'x', expected one of ...".
[[noreturn]] void refuse_name(const char* field, const std::string& found, const std::vector<std::string>& known);

/// The entry of that name among `entries`, `name_of(entry)` being an entry's name. Throws InputError, "FIELD: found
/// 'x', expected one of ...", when there is none.
template <class Entries, class NameOf>
const auto& named(const char* field, const std::string& name, const Entries& entries, const NameOf& name_of) {
  std::vector<std::string> known;
  for (const auto& entry : entries) {
    known.emplace_back(std::invoke(name_of, entry));
    if (known.back() == name) return entry;
  }
  refuse_name(field, name, known);
}

}  // namespace normalign

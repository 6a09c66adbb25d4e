#include "base/nearest_name.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace normalign {
namespace {

std::string folded(std::string_view name) {
  std::string result(name);
  for (char& letter : result) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (letter == '_') letter = '-';
  }
  return result;
}

// How many letters have to be replaced, inserted, removed or swapped with their neighbour to make b of a.
std::size_t edits(const std::string& a, const std::string& b) {
  // Rows of the table for the first i - 2, i - 1 and i letters of a.
  std::vector<std::size_t> older(b.size() + 1), old(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) now[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(older, old);
    std::swap(old, now);
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({old[j - 1] + (a[i - 1] != b[j - 1]), old[j] + 1, now[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], older[j - 2] + 1);
    }
  }
  return now[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view found, const std::vector<std::string>& known) {
  const std::string wrong = folded(found);
  std::optional<std::string> nearest;
  std::size_t fewest = 0;
  for (const std::string& name : known) {
    const std::string right = folded(name);
    const bool is_beginning = wrong.size() >= 3 && right.starts_with(wrong);
    const std::size_t needed =
        is_beginning ? std::min<std::size_t>(1, right.size() - wrong.size()) : edits(wrong, right);
    if (!is_beginning && 3 * needed > right.size()) continue;
    if (nearest && needed >= fewest) continue;
    nearest = name;
    fewest = needed;
  }
  return nearest;
}

std::string did_you_mean(std::string_view found, const std::vector<std::string>& known) {
  const auto nearest = nearest_name(found, known);
  return nearest ? "; did you mean " + *nearest + '?' : "";
}

void refuse_name(const char* field, const std::string& found, const std::vector<std::string>& known) {
  throw InputError(text(field, ": found '", one_line(found), "', ", expected_one_of(found, known)));
}

std::string expected_one_of(std::string_view found, const std::vector<std::string>& known) {
  return "expected one of " + joined(known, ", ") + did_you_mean(found, known);
}

}  // namespace normalign

#include "data/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace normalign {
namespace {

std::string_view trimmed(std::string_view field) {
  const auto first = field.find_first_not_of(" \r"), last = field.find_last_not_of(" \r");
  return first == field.npos ? std::string_view() : field.substr(first, last - first + 1);
}

std::optional<double> number(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::vector<std::string_view> fields(std::string_view line) {
  const char separator = line.find(',') == line.npos ? '\t' : ',';
  std::vector<std::string_view> result;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(separator, begin), line.size());
    result.push_back(trimmed(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return result;
}

}  // namespace

Dataset<double> csv(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file || std::filesystem::is_directory(path)) throw InputError(text(path.string(), ": cannot be read"));
  std::vector<double> values;
  std::vector<std::int32_t> labels;
  std::size_t columns = 0;
  std::string line;
  for (Index at = 1; std::getline(file, line); ++at) {
    if (trimmed(line).empty()) continue;
    const auto refuse = [&](const auto&... parts) {
      throw InputError(text(path.string(), ": line ", at, ": ", parts...));
    };
    const std::vector<std::string_view> found = fields(line);
    if (columns == 0 && !number(found.front()) && at == 1) continue;
    if (columns == 0) columns = found.size();
    if (columns < 2) refuse("found 1 field, expected features and a label");
    if (found.size() != columns) refuse("found ", found.size(), " fields, expected ", columns);
    for (std::size_t j = 0; j < columns; ++j) {
      const std::optional<double> value = number(found[j]);
      if (!value) refuse("field ", j + 1, ": found '", one_line(found[j]), "', expected a finite number");
      if (j + 1 < columns) {
        values.push_back(*value);
      } else {
        if (!(*value >= 0 && *value <= 32767 && *value == std::floor(*value)))
          refuse("field ", j + 1, ": found '", one_line(found[j]),
                 "', expected a label, a whole number from 0 to 32767");
        labels.push_back(static_cast<std::int32_t>(*value));
      }
    }
  }
  if (labels.empty())
    throw InputError(text(path.string(), ": found no samples, expected at least one line of numbers"));
  const std::int32_t classes = *std::ranges::max_element(labels) + 1;
  const auto rows = static_cast<Index>(labels.size());
  return {Matrix<double>(rows, static_cast<Index>(columns) - 1, std::move(values)), std::move(labels), classes};
}

}  // namespace normalign

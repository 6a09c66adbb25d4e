#include "data/tables/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {

// Whether a column is given by its place, and by which.
std::optional<Index> place(std::string_view called) {
  const bool backwards = called.starts_with('-');
  const auto distance = whole_number(called.substr(backwards ? 1 : 0));
  if (!distance) return std::nullopt;
  return backwards ? -*distance : *distance;
}

}  // namespace

bool DataColumn::is_missing(Index row) const {
  const auto i = static_cast<std::size_t>(row);
  return is_text() ? codes[i] < 0 : std::isnan(numbers[i]);
}

std::string DataColumn::called() const {
  return name.empty() ? text("column ", place) : text("column ", place, " (", one_line(name), ')');
}

std::string DataTable::place_of(Index row) const {
  return lines.empty() ? text("row ", row + 1) : text("line ", lines[static_cast<std::size_t>(row)]);
}

std::string DataTable::advice_at(Index row) const {
  return row == 0 && first_row_may_be_header ? " (--header yes: this line names the columns)" : "";
}

std::size_t DataTable::column_at(const std::string& called, const char* what) const {
  const std::string shown = one_line(called);
  const auto named = std::ranges::find(columns, called, &DataColumn::name);
  if (!called.empty() && named != columns.end()) {
    if (std::ranges::count(columns, called, &DataColumn::name) > 1)
      refuse(what, ": found more than one '", shown, "', expected one");
    return static_cast<std::size_t>(named - columns.begin());
  }
  const auto given = place(called);
  if (!given) {
    std::vector<std::string> names;
    for (const DataColumn& column : columns) names.push_back(one_line(column.name));
    if (std::ranges::all_of(names, &std::string::empty))
      refuse(what, ": found '", shown, "' but no names of columns, expected a whole number");
    refuse(what, ": found no '", shown, "', ", expected_one_of(shown, names));
  }
  const Index at = *given < 0 ? places + *given + 1 : *given;
  const auto found = std::ranges::find(columns, at, &DataColumn::place);
  if (*given == 0 || found == columns.end())
    refuse(what, ": found ", *given, ", expected 1 to ", places, " or -", places, " to -1");
  return static_cast<std::size_t>(found - columns.begin());
}

std::vector<std::size_t> DataTable::columns_at(const std::string& called, const char* what) const {
  std::vector<std::size_t> result;
  for (std::size_t j = 0; j < columns.size(); ++j)
    if (!called.empty() && columns[j].group == called) result.push_back(j);
  return result.empty() ? std::vector{column_at(called, what)} : result;
}

bool is_missing_mark(std::string_view field) {
  static constexpr std::string_view marks[] = {
      "",    "?",    "NA",   "na",  "N/A",  "n/a",  "#N/A", "#N/A N/A", "#NA",     "<NA>",    "NaN",
      "nan", "-NaN", "-nan", "NAN", "NULL", "null", "None", "1.#IND",   "-1.#IND", "1.#QNAN", "-1.#QNAN"};
  return std::ranges::find(marks, field) != std::end(marks);
}

void set_texts(DataColumn& column, const std::vector<std::optional<std::string>>& rows) {
  column.levels.clear();
  for (const auto& row : rows)
    if (row) column.levels.push_back(*row);
  std::ranges::sort(column.levels);
  column.levels.erase(std::unique(column.levels.begin(), column.levels.end()), column.levels.end());
  column.codes.clear();
  for (const auto& row : rows)
    column.codes.push_back(
        row ? static_cast<std::int32_t>(std::ranges::lower_bound(column.levels, *row) - column.levels.begin()) : -1);
  column.numbers.clear();
}

DataColumn as_text(DataColumn column) {
  if (column.is_text()) return column;
  std::vector<std::optional<std::string>> rows;
  for (const double value : column.numbers)
    rows.push_back(std::isnan(value) ? std::nullopt : std::optional(number_text(value)));
  set_texts(column, rows);
  return column;
}

}  // namespace normalign

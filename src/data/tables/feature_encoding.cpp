#include "data/tables/feature_encoding.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {

// Whether the text has the form of a date, digits d and other characters as they are: "dddd-dd-dd", with a time behind
// it or not.
bool is_date(std::string_view words) {
  std::string form;
  for (const char c : words.substr(0, words.find_first_of("T ")))
    form += c >= '0' && c <= '9' ? 'd' : c == '/' ? '-' : c;
  for (const char* date : {"dddd-dd-dd", "dddd-d-d", "dddd-dd-d", "dddd-d-dd", "dd-dd-dddd", "d-d-dddd", "dd-d-dddd",
                           "d-dd-dddd", "dd-dd-dd", "dd.dd.dddd", "d.d.dddd", "dd.d.dddd", "d.dd.dddd"})
    if (form == date) return true;
  return false;
}

bool has_decimal_comma(std::string_view words) {
  std::string pointed(words);
  std::ranges::replace(pointed, ',', '.');
  return words.find(',') != words.npos && number_in(pointed);
}

// Throws where the texts of a column are no categories.
void check_categories(const DataTable& table, const DataColumn& column) {
  constexpr Index always = 20, rows_each = 20;
  const auto refuse = [&](const std::string& what) {
    table.refuse(column.called(), ": found ", what, ", expected numbers or categories (--drop ",
                 column.name.empty() ? text(column.place) : one_line(column.name), " leaves it out)");
  };
  const std::string& first = column.levels.front();
  if (std::ranges::all_of(column.levels, is_date)) refuse(text("dates such as '", one_line(first), '\''));
  if (std::ranges::all_of(column.levels, has_decimal_comma))
    refuse(text("'", one_line(first), "', numbers with decimal commas where other numbers have points"));
  const auto different = static_cast<Index>(column.levels.size());
  if (different > std::max(always, table.rows / rows_each))
    refuse(text(different, " different texts in ", table.rows, " rows, such as '", one_line(first), '\''));
}

std::vector<bool> chosen_columns(const DataTable& table, std::span<const std::size_t> labels,
                                 const FeatureOptions& options) {
  std::vector<bool> result(table.columns.size(), options.columns.empty());
  const auto features_at = [&](const std::string& called, const char* what) {
    std::vector<std::size_t> found = table.columns_at(called, what);
    for (const std::size_t at : found)
      if (std::ranges::find(labels, at) != labels.end())
        table.refuse(what, ": found '", one_line(called), "', that of the labels, expected a feature");
    return found;
  };
  const auto choose = [&](const std::vector<std::string>& names, const char* what, bool is_chosen) {
    for (const std::string& called : names)
      for (const std::size_t at : features_at(called, what)) result[at] = is_chosen;
  };
  choose(options.columns, "--columns", true);
  choose(options.drop, "--drop", false);
  for (const std::size_t label : labels) result[label] = false;
  for (const std::string& called : options.categories)
    for (const std::size_t at : features_at(called, "--categories"))
      if (!result[at])
        table.refuse("--categories: found '", one_line(called), "', which is left out, expected a feature");
  return result;
}

// Finds the columns of a table that an encoding means: by name, and by place where there is no name or several columns
// have it.
class ColumnFinder {
 public:
  explicit ColumnFinder(const DataTable& table) : table_(table) {
    for (const DataColumn& column : table.columns) {
      places_[column.place] = &column;
      const auto [at, is_new] = names_.emplace(column.name, &column);
      if (!is_new) at->second = nullptr;
    }
  }

  const DataColumn& operator()(const FeatureColumn& feature) const {
    const auto named = feature.name.empty() ? names_.end() : names_.find(feature.name);
    const auto placed = places_.find(feature.place);
    const DataColumn* column = named != names_.end() ? named->second : nullptr;
    if (!column && placed != places_.end() && placed->second->name == feature.name) column = placed->second;
    if (!column)  // which refuses it
      column = &table_.columns[table_.column_at(feature.name.empty() ? text(feature.place) : feature.name, "feature")];
    if (!column->fault.empty()) table_.refuse(column->fault);
    return *column;
  }

 private:
  const DataTable& table_;
  std::unordered_map<std::string_view, const DataColumn*> names_;  // null where several have it
  std::unordered_map<Index, const DataColumn*> places_;
};

[[noreturn]] void refuse_missing(const DataTable& table, const DataColumn& column, Index row) {
  table.refuse(table.place_of(row), ": ", column.called(), ": found '", column.missing_mark,
               "', a missing value, expected ", column.is_text() ? "a category" : "a finite number",
               table.advice_at(row).empty() ? " (--missing drop leaves such rows out, impute fills them in)"
                                            : table.advice_at(row));
}

// Each value of a column, as a number or a place in the levels, at these rows; NaN where missing.
std::vector<double> values_of(const FeatureColumn& feature, const DataTable& table, const DataColumn& column,
                              std::span<const Index> rows) {
  std::vector<double> result;
  result.reserve(rows.size());
  constexpr double missing = std::numeric_limits<double>::quiet_NaN();
  if (feature.levels.empty()) {
    for (const Index row : rows) {
      if (column.is_text() && !column.is_missing(row))
        table.refuse(table.place_of(row), ": ", column.called(), ": found '",
                     one_line(column.levels[static_cast<std::size_t>(column.codes[static_cast<std::size_t>(row)])]),
                     "', expected a finite number");
      result.push_back(column.is_text() ? missing : column.numbers[static_cast<std::size_t>(row)]);
    }
    return result;
  }
  const DataColumn texts = as_text(column);
  std::vector<double> places;  // of the table's levels among the encoding's
  for (const std::string& level : texts.levels) {
    const auto at = std::ranges::lower_bound(feature.levels, level);
    const bool is_known = at != feature.levels.end() && *at == level;
    places.push_back(is_known ? static_cast<double>(at - feature.levels.begin()) : missing);
  }
  for (const Index row : rows) {
    const std::int32_t code = texts.codes[static_cast<std::size_t>(row)];
    const double value = code < 0 ? missing : places[static_cast<std::size_t>(code)];
    if (code >= 0 && std::isnan(value)) {
      const std::string found = one_line(texts.levels[static_cast<std::size_t>(code)]);
      table.refuse(table.place_of(row), ": ", column.called(), ": found '", found, "', ",
                   expected_one_of(found, feature.levels));
    }
    result.push_back(value);
  }
  return result;
}

double fill_of(const FeatureColumn& feature, const std::vector<double>& values) {
  if (feature.levels.empty()) {
    double sum = 0;
    Index count = 0;
    for (const double value : values)
      if (!std::isnan(value)) {
        ++count;
        sum += (value - sum) / static_cast<double>(count);  // the mean so far, which does not overflow
      }
    return sum;
  }
  std::vector<Index> counts(feature.levels.size());
  for (const double value : values)
    if (!std::isnan(value)) ++counts[static_cast<std::size_t>(value)];
  return static_cast<double>(std::ranges::max_element(counts) - counts.begin());
}

constexpr std::array<std::string_view, 3> missing_names = {"refuse", "drop", "impute"};

}  // namespace

std::string_view name(MissingValues missing) { return missing_names[static_cast<std::size_t>(missing)]; }

MissingValues missing_values(const std::string& what, const std::string& name) {
  const auto found = std::ranges::find(missing_names, name);
  if (found == missing_names.end()) refuse_name(what.c_str(), name, {missing_names.begin(), missing_names.end()});
  return static_cast<MissingValues>(found - missing_names.begin());
}

Index FeatureEncoding::size() const {
  Index result = 0;
  for (const FeatureColumn& column : columns)
    result += column.levels.empty() ? 1 : static_cast<Index>(column.levels.size());
  return result;
}

std::vector<std::string> FeatureEncoding::names() const {
  std::vector<std::string> result;
  for (const FeatureColumn& column : columns) {
    const std::string name = column.name.empty() ? text("column ", column.place) : column.name;
    if (column.levels.empty()) result.push_back(name);
    for (const std::string& level : column.levels) result.push_back(name + '=' + level);
  }
  return result;
}

FeatureEncoding feature_encoding(const DataTable& table, std::span<const std::size_t> labels,
                                 const FeatureOptions& options) {
  const std::vector<bool> is_feature = chosen_columns(table, labels, options);
  std::vector<bool> is_category(table.columns.size());
  for (const std::string& called : options.categories)
    for (const std::size_t at : table.columns_at(called, "--categories")) is_category[at] = true;
  FeatureEncoding result{.missing = options.missing};
  for (std::size_t j = 0; j < table.columns.size(); ++j) {
    if (!is_feature[j]) continue;
    const DataColumn& column = table.columns[j];
    if (!column.fault.empty()) table.refuse(column.fault);
    if (column.missing == table.rows && options.missing != MissingValues::refuse)
      table.refuse(column.called(), ": found no value, expected some (--drop ",
                   column.name.empty() ? text(column.place) : one_line(column.name), " leaves it out)");
    FeatureColumn feature{.name = column.name, .place = column.place};
    if (is_category[j])
      feature.levels = as_text(column).levels;
    else if (column.is_text()) {
      check_categories(table, column);
      feature.levels = column.levels;
    }
    result.columns.push_back(std::move(feature));
  }
  if (result.columns.empty()) table.refuse("found no column but labels and index, expected a feature");
  return result;
}

std::vector<Index> rows_with_features(const FeatureEncoding& encoding, const DataTable& table) {
  std::vector<Index> result;
  std::vector<const DataColumn*> columns;
  const ColumnFinder column_of(table);
  for (const FeatureColumn& feature : encoding.columns) columns.push_back(&column_of(feature));
  for (Index row = 0; row < table.rows; ++row) {
    const auto missing =
        std::ranges::find_if(columns, [&](const DataColumn* column) { return column->is_missing(row); });
    if (missing != columns.end() && encoding.missing == MissingValues::refuse) refuse_missing(table, **missing, row);
    if (missing == columns.end() || encoding.missing == MissingValues::impute) result.push_back(row);
  }
  return result;
}

void settle(FeatureEncoding& encoding, const DataTable& table, std::span<const Index> rows, bool standardise) {
  const ColumnFinder column_of(table);
  for (FeatureColumn& feature : encoding.columns)
    feature.fill = fill_of(feature, values_of(feature, table, column_of(feature), rows));
  encoding.scales.reset();
  if (!standardise) return;
  encoding.scales = column_scales(encoded(encoding, table, rows));
}

Matrix<double> encoded(const FeatureEncoding& encoding, const DataTable& table, std::span<const Index> rows) {
  Matrix<double> result(static_cast<Index>(rows.size()), encoding.size());
  const ColumnFinder column_of(table);
  Index first = 0;
  for (const FeatureColumn& feature : encoding.columns) {
    const DataColumn& column = column_of(feature);
    const std::vector<double> values = values_of(feature, table, column, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool is_missing = std::isnan(values[i]);
      if (is_missing && encoding.missing != MissingValues::impute) refuse_missing(table, column, rows[i]);
      const double value = is_missing ? feature.fill : values[i];
      if (feature.levels.empty())
        result(static_cast<Index>(i), first) = value;
      else
        result(static_cast<Index>(i), first + static_cast<Index>(value)) = 1;
    }
    first += feature.levels.empty() ? 1 : static_cast<Index>(feature.levels.size());
  }
  if (encoding.scales) scale_columns(result, *encoding.scales);
  return result;
}

}  // namespace normalign

#include "data/tables/labelled_table.hpp"

#include <algorithm>
#include <cmath>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"
#include "data/tables/array_table.hpp"
#include "data/tables/numpy.hpp"

namespace normalign {
namespace {

constexpr Index most_classes = 32768;

// The number of each key among the different ones in order; `names` are these.
template <class Key>
std::vector<std::int32_t> ranks(const std::vector<Key>& keys, std::vector<Key>& names) {
  names = keys;
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<std::int32_t> result;
  result.reserve(keys.size());
  for (const Key& key : keys)
    result.push_back(static_cast<std::int32_t>(std::ranges::lower_bound(names, key) - names.begin()));
  return result;
}

// Refuses numbers that look like a regression target.
void check_classes(const DataTable& table, const DataColumn& column, const std::vector<std::string>& labels) {
  constexpr std::size_t always = 20, most = 200;
  std::vector<double> values;
  bool fraction = false;
  for (const std::string& label : labels) {
    const auto value = number_in(label);
    if (!value) return;
    fraction = fraction || (!exact_whole_number(label) && *value != std::floor(*value));
    values.push_back(*value);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const std::size_t allowed = std::clamp(labels.size() / 10, always, most);
  if (fraction || values.size() > allowed)
    table.refuse(column.called(), " of the labels: found ", values.size(), " different numbers in ", labels.size(),
                 " rows", fraction ? ", not all whole" : "",
                 ", which looks like a regression target; expected classes: names, or ", allowed,
                 " different whole numbers at most (--classes takes each number for a class)");
}

// The labels as they are written.
std::vector<std::string> written_labels(const DataTable& table, const DataColumn& column, std::span<const Index> rows,
                                        bool numbered) {
  const DataColumn texts = as_text(column);
  std::vector<std::string> result;
  for (const Index row : rows) {
    const std::int32_t code = texts.codes[static_cast<std::size_t>(row)];
    const std::string found = code < 0 ? column.missing_mark : texts.levels[static_cast<std::size_t>(code)];
    const auto number = numbered ? exact_whole_number(found) : std::nullopt;
    if (code < 0 || (numbered && !(number && *number >= 0 && *number < most_classes)))
      table.refuse(table.place_of(row), ": ", column.called(), ": found '", one_line(found), "'",
                   code < 0 ? ", a missing value" : "", ", expected a label",
                   numbered ? ", a whole number from 0 to 32767" : "");
    result.push_back(found);
  }
  return result;
}

// "colour (3), kind (2)"
std::string categories_of(const FeatureEncoding& encoding) {
  std::vector<std::string> result;
  for (const FeatureColumn& column : encoding.columns)
    if (!column.levels.empty())
      result.push_back(text(column.name.empty() ? text("column ", column.place) : one_line(column.name), " in ",
                            column.levels.size()));
  return joined(result, ", ");
}

// The table in a file of either kind.
DataTable table_in(const std::filesystem::path& path, const std::optional<std::string>& label,
                   const TableOptions& options) {
  if (!is_numpy_file(path))
    return csv_table(path, {.label = label,
                            .texts = options.features.categories,
                            .delimiter = options.delimiter,
                            .header = options.header,
                            .index_column = options.index_column});
  const auto refuse = [&](const char* option) {
    throw InputError(text(path.string(), ": ", option, ": found it for a file of arrays, expected it for a CSV file"));
  };
  if (options.header) refuse("--header");
  if (options.index_column != IndexColumn::refuse) refuse("--index-column");
  return array_table(path, label);
}

}  // namespace

ClassLabels class_labels(const DataTable& table, std::size_t label, std::span<const Index> rows,
                         const TableOptions& options) {
  const DataColumn& column = table.columns[label];
  const std::vector<std::string> labels = written_labels(table, column, rows, options.numbered_classes);
  if (!options.numbered_classes && !options.insist_on_classes) check_classes(table, column, labels);
  ClassLabels result;
  std::vector<std::int64_t> values, distinct;
  for (const std::string& written : labels)
    if (const auto value = exact_whole_number(written)) values.push_back(*value);
  if (values.size() < labels.size()) {
    result.labels = ranks(labels, result.names);
  } else if (options.numbered_classes) {
    for (const std::int64_t value : values) result.labels.push_back(static_cast<std::int32_t>(value));
    for (std::int64_t c = 0; c <= std::ranges::max(values); ++c) distinct.push_back(c);
  } else {
    result.labels = ranks(values, distinct);
  }
  for (const std::int64_t value : distinct) result.names.push_back(text(value));
  if (static_cast<Index>(result.names.size()) > most_classes)
    table.refuse("found ", result.names.size(), " different labels, expected at most ", most_classes, " (is ",
                 column.called(), " that of the labels?)");
  return result;
}

TableWithLabels table_with_labels(const std::filesystem::path& path, const TableOptions& options) {
  const auto label = options.labels.empty() ? std::optional(options.label) : std::nullopt;
  TableWithLabels result{.table = table_in(path, label, options)};
  DataTable& table = result.table;
  if (label) {
    result.label = table.column_at(*label, "label column");
    return result;
  }
  DataTable labels = table_in(options.labels, std::nullopt, options);
  if (labels.columns.size() != 1)
    labels.refuse("found ", labels.columns.size(), " columns, expected one, that of the labels");
  if (labels.rows != table.rows)
    labels.refuse("found ", labels.rows, " labels, expected ", table.rows, ", one for each row of ", table.source);
  result.label = table.columns.size();
  table.columns.push_back(as_text(std::move(labels.columns.front())));
  table.columns.back().place = ++table.places;
  return result;
}

std::vector<std::int32_t> labels_among(const std::vector<std::string>& class_names, const DataTable& table,
                                       std::size_t label, std::span<const Index> rows) {
  const DataColumn& column = table.columns[label];
  std::vector<std::int32_t> result;
  const std::vector<std::string> labels = written_labels(table, column, rows, false);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto whole = exact_whole_number(labels[i]);
    auto found = std::ranges::find(class_names, whole ? text(*whole) : labels[i]);
    if (found == class_names.end()) found = std::ranges::find(class_names, labels[i]);
    if (found == class_names.end())
      table.refuse(table.place_of(rows[i]), ": ", column.called(), ": found '", one_line(labels[i]), "', ",
                   expected_one_of(one_line(labels[i]), class_names));
    result.push_back(static_cast<std::int32_t>(found - class_names.begin()));
  }
  return result;
}

std::vector<Index> labelled_rows(const FeatureEncoding& encoding, const DataTable& table, std::size_t label) {
  std::vector<Index> rows = rows_with_features(encoding, table);
  if (encoding.missing == MissingValues::drop)
    std::erase_if(rows, [&](Index row) { return table.columns[label].is_missing(row); });
  if (rows.empty()) table.refuse("found no row without a missing value, expected at least one");
  return rows;
}

std::string reading_of(const DataTable& table, const TableEncoding& encoding, std::size_t label, Index rows,
                       const std::string& asked) {
  const auto count = [](Index n, const char* one, const char* more) { return text(n, ' ', n == 1 ? one : more); };
  const Index features = encoding.features.size(), columns = static_cast<Index>(encoding.features.columns.size());
  std::string result =
      text(one_line(std::filesystem::path(table.source).filename().string()), ": ", count(rows, "row", "rows"),
           rows < table.rows ? text(" of ", table.rows) : "", ", ", count(features, "feature", "features"));
  if (const std::string categories = categories_of(encoding.features); !categories.empty())
    result += text(" of ", count(columns, "column", "columns"), " (categories: ", categories, ')');
  const DataColumn& column = table.columns[label];
  result +=
      text(", label ", column.name.empty() ? text("column ", column.place) : text('\'', one_line(column.name), '\''));
  const auto place = exact_whole_number(asked);
  const Index from_left = place && *place < 0 ? table.places + *place + 1 : place.value_or(0);
  if (column.name == asked && from_left != column.place && from_left > 0 && from_left <= table.places)
    result += text(", the column of that name, not column ", from_left);
  return result + text(" (", count(static_cast<Index>(encoding.class_names.size()), "class", "classes"), ')',
                       table.reading.empty() ? "" : "; ", table.reading);
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding) {
  TableOptions as_before = options;
  as_before.label = encoding.label;
  as_before.features.categories.clear();
  for (const FeatureColumn& column : encoding.features.columns)
    if (!column.levels.empty())
      as_before.features.categories.push_back(column.name.empty() ? text(column.place) : column.name);
  const auto [table, label] = table_with_labels(path, as_before);
  const std::vector<Index> rows = labelled_rows(encoding.features, table, label);
  return {.data = {encoded(encoding.features, table, rows), labels_among(encoding.class_names, table, label, rows),
                   static_cast<Index>(encoding.class_names.size())},
          .encoding = encoding,
          .reading = reading_of(table, encoding, label, static_cast<Index>(rows.size()), encoding.label)};
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options) {
  const auto [table, label] = table_with_labels(path, options);
  const DataColumn& column = table.columns[label];
  LabelledTable result;
  FeatureEncoding& features = result.encoding.features;
  features = feature_encoding(table, {&label, 1}, options.features);
  const std::vector<Index> rows = labelled_rows(features, table, label);
  settle(features, table, rows, options.features.standardise);
  ClassLabels labels = class_labels(table, label, rows, options);
  result.data = {encoded(features, table, rows), std::move(labels.labels), static_cast<Index>(labels.names.size())};
  result.encoding.class_names = std::move(labels.names);
  result.encoding.label = column.name.empty() ? text(column.place) : column.name;
  result.reading = reading_of(table, result.encoding, label, result.data.inputs.rows(), options.label);
  return result;
}

}  // namespace normalign

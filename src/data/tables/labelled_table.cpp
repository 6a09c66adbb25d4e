#include "data/tables/labelled_table.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

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

// "colour in 3, kind in 2"
std::string categories_of(const FeatureEncoding& encoding) {
  std::vector<std::string> result;
  for (const FeatureColumn& column : encoding.columns)
    if (!column.levels.empty())
      result.push_back(text(column.name.empty() ? text("column ", column.place) : one_line(column.name), " in ",
                            column.levels.size()));
  return joined(result, ", ");
}

// The table in a file of either kind. With an index column to drop, or a header to tell, it must be a CSV file.
DataTable table_in(const std::filesystem::path& path, const CsvOptions& options) {
  if (!is_numpy_file(path)) return csv_table(path, options);
  const auto refuse = [&](const char* option) {
    throw InputError(text(path.string(), ": ", option, ": found it for a file of arrays, expected it for a CSV file"));
  };
  if (options.header) refuse("--header");
  if (options.index_column != IndexColumn::refuse) refuse("--index-column");
  return array_table(path, options.label);
}

// Labels as class numbers, and the classes by number.
struct ClassLabels {
  std::vector<std::int32_t> labels;
  std::vector<std::string> names;
};

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

// The labels as numbers of known classes: whole numbers are the same however they are written.
std::vector<std::int32_t> labels_among(const std::vector<std::string>& class_names, const DataTable& table,
                                       std::size_t label, std::span<const Index> rows) {
  std::unordered_map<std::string, std::int32_t> numbers;
  for (const std::string& name : class_names) numbers.emplace(name, static_cast<std::int32_t>(numbers.size()));
  const DataColumn& column = table.columns[label];
  const std::vector<std::string> labels = written_labels(table, column, rows, false);
  std::vector<std::int32_t> result;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto whole = exact_whole_number(labels[i]);
    auto found = numbers.find(whole ? text(*whole) : labels[i]);
    if (found == numbers.end()) found = numbers.find(labels[i]);
    if (found == numbers.end())
      table.refuse(table.place_of(rows[i]), ": ", column.called(), ": found '", one_line(labels[i]), "', ",
                   expected_one_of(one_line(labels[i]), class_names));
    result.push_back(found->second);
  }
  return result;
}

// The table with its labels, of another file where they are in one of their own.
EncodableTable read(const std::filesystem::path& path, const TableOptions& options) {
  CsvOptions csv{.label = options.label,
                 .texts = options.features.categories,
                 .delimiter = options.delimiter,
                 .header = options.header,
                 .index_column = options.index_column};
  EncodableTable result;
  DataTable& table = result.table;
  if (options.labels.empty()) {
    table = table_in(path, csv);
    result.label = table.column_at(options.label, "label column");
    return result;
  }
  csv.label.reset();
  // A header is told of both files, or of the only one that may have one.
  if (is_numpy_file(path) && !is_numpy_file(options.labels)) csv.header.reset();
  table = table_in(path, csv);
  const bool may_have_header = !is_numpy_file(options.labels) || is_numpy_file(path);
  DataTable labels = table_in(
      options.labels,
      {.texts = {"1"}, .delimiter = options.delimiter, .header = may_have_header ? options.header : std::nullopt});
  if (labels.columns.size() != 1)
    labels.refuse("found ", labels.columns.size(), " columns, expected one, that of the labels");
  if (labels.rows != table.rows)
    labels.refuse("found ", labels.rows, " labels, expected ", table.rows, ", one for each row of ", table.source,
                  labels.reading.empty() ? "" : "; " + labels.reading);
  if (!labels.columns.front().fault.empty()) labels.refuse(labels.columns.front().fault);
  result.label = table.columns.size();
  table.columns.push_back(as_text(std::move(labels.columns.front())));
  table.columns.back().place = ++table.places;
  return result;
}

// Those with features, and with MissingValues::drop a label.
std::vector<Index> rows_of_samples(const FeatureEncoding& encoding, const DataTable& table, std::size_t label) {
  std::vector<Index> rows = rows_with_features(encoding, table);
  if (encoding.missing == MissingValues::drop)
    std::erase_if(rows, [&](Index row) { return table.columns[label].is_missing(row); });
  if (rows.empty()) table.refuse("found no row without a missing value, expected at least one");
  return rows;
}

// A name that `column_at` finds the column by.
std::string name_or_place(const std::string& name, Index place) { return name.empty() ? text(place) : name; }

LabelledTable labelled(const EncodableTable& table, const std::string& asked) {
  return {.data = samples_at(table, table.rows), .encoding = table.encoding, .reading = reading_of(table, asked)};
}

}  // namespace

std::optional<GivenOption> given_option(const TableOptions& options) {
  using Given = std::optional<GivenOption>;
  const FeatureOptions& features = options.features;
  if (options.header) return Given({"--header", *options.header ? "yes" : "no"});
  if (options.index_column != IndexColumn::refuse)
    return Given({"--index-column", options.index_column == IndexColumn::drop ? "drop" : "keep"});
  for (const auto& [option, columns] : {std::pair("--columns", &features.columns), std::pair("--drop", &features.drop),
                                        std::pair("--categories", &features.categories)})
    if (!columns->empty()) return Given({option, text('\'', one_line(columns->front()), '\'')});
  if (!options.labels.empty()) return Given({"--labels", text('\'', one_line(options.labels.string()), '\'')});
  if (features.missing != MissingValues::refuse) return Given({"--missing", std::string(name(features.missing))});
  if (options.insist_on_classes) return Given({"--classes", "it"});
  return std::nullopt;
}

EncodableTable encodable_table(const std::filesystem::path& path, const TableOptions& options) {
  EncodableTable result = read(path, options);
  const DataColumn& column = result.table.columns[result.label];
  result.encoding = {.features = feature_encoding(result.table, {&result.label, 1}, options.features),
                     .label = name_or_place(column.name, column.place)};
  result.rows = rows_of_samples(result.encoding.features, result.table, result.label);
  ClassLabels found = class_labels(result.table, result.label, result.rows, options);
  result.classes = std::move(found.labels);
  result.encoding.class_names = std::move(found.names);
  return result;
}

Dataset<double> samples_at(const EncodableTable& table, std::span<const Index> rows) {
  const TableEncoding& encoding = table.encoding;
  return {encoded(encoding.features, table.table, rows),
          labels_among(encoding.class_names, table.table, table.label, rows),
          static_cast<Index>(encoding.class_names.size())};
}

std::string reading_of(const EncodableTable& table, const std::string& asked) {
  const auto count = [](std::size_t n, const char* one, const char* more) { return text(n, ' ', n == 1 ? one : more); };
  const TableEncoding& encoding = table.encoding;
  const DataTable& all = table.table;
  std::string result = text(one_line(std::filesystem::path(all.source).filename().string()), ": ",
                            count(table.rows.size(), "row", "rows"),
                            static_cast<Index>(table.rows.size()) < all.rows ? text(" of ", all.rows) : "", ", ",
                            count(static_cast<std::size_t>(encoding.features.size()), "feature", "features"));
  if (const std::string categories = categories_of(encoding.features); !categories.empty())
    result +=
        text(" of ", count(encoding.features.columns.size(), "column", "columns"), " (categories: ", categories, ')');
  const DataColumn& column = all.columns[table.label];
  result +=
      text(", label ", column.name.empty() ? text("column ", column.place) : text('\'', one_line(column.name), '\''));
  const auto place = exact_whole_number(asked);
  const Index from_left = place && *place < 0 ? all.places + *place + 1 : place.value_or(0);
  if (column.name == asked && from_left != column.place && from_left > 0 && from_left <= all.places)
    result += text(", the column of that name, not column ", from_left);
  return result + text(" (", count(encoding.class_names.size(), "class", "classes"), ')',
                       all.reading.empty() ? "" : "; ", all.reading);
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options) {
  EncodableTable table = encodable_table(path, options);
  settle(table.encoding.features, table.table, table.rows, options.features.standardise);
  return labelled(table, options.label);
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding) {
  TableOptions as_before = options;
  as_before.label = encoding.label;
  as_before.features.categories.clear();
  for (const FeatureColumn& column : encoding.features.columns)
    if (!column.levels.empty()) as_before.features.categories.push_back(name_or_place(column.name, column.place));
  EncodableTable table = read(path, as_before);
  table.encoding = encoding;
  table.rows = rows_of_samples(encoding.features, table.table, table.label);
  return labelled(table, encoding.label);
}

}  // namespace normalign

#include "data/tables/labelled_table.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/nearest_name.hpp"
#include "base/number_text.hpp"
#include "data/tables/array_file.hpp"

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
                 " different whole numbers at most (--classes takes each number for a class, --target predicts the "
                 "numbers)");
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

// The table in a file of either kind. With an index column to drop, or a header to tell, it must be a CSV file. Of
// arrays those count that have as many rows as the one of `predicted`, a label or a target.
DataTable table_in(const std::filesystem::path& path, const CsvOptions& options,
                   const std::optional<std::string>& predicted = {}, ArrayPart part = ArrayPart::all,
                   const char* what = "label column") {
  if (!is_array_file(path)) return csv_table(path, options);
  const auto refuse = [&](const char* option) {
    throw InputError(text(path.string(), ": ", option, ": found it for a file of arrays, expected it for a CSV file"));
  };
  if (options.header) refuse("--header");
  if (options.index_column != IndexColumn::refuse) refuse("--index-column");
  return array_table(path, predicted, part, what);
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

CsvOptions csv_options(const TableOptions& options) {
  return {.texts = options.features.categories,
          .delimiter = options.delimiter,
          .header = options.header,
          .index_column = options.index_column};
}

// The places of the targets in the table, each once.
std::vector<std::size_t> places_of_targets(const DataTable& table, const std::vector<std::string>& targets) {
  std::vector<std::size_t> result;
  for (const std::string& called : targets)
    for (const std::size_t at : table.columns_at(called, "--target")) {
      if (std::ranges::count(result, at) > 0)
        table.refuse("--target: found ", table.columns[at].called(), " twice, expected it once");
      result.push_back(at);
    }
  if (result.empty()) throw InputError("--target: found none, expected a column, or a file of --targets");
  return result;
}

// The table with its labels or targets, of another file where they are in one of their own.
EncodableTable read(const std::filesystem::path& path, const TableOptions& options) {
  if (!options.labels.empty() && !options.targets.empty())
    throw InputError(text("--target: found '", one_line(options.targets.front()), "' beside the file ",
                          options.labels.string(), ", expected one of them"));
  CsvOptions csv = csv_options(options);
  EncodableTable result;
  DataTable& table = result.table;
  if (options.labels.empty() && options.regression) {
    table = table_in(path, csv, options.targets.empty() ? std::nullopt : std::optional(options.targets.front()),
                     options.part, "--target");
    result.labels = places_of_targets(table, options.targets);
    return result;
  }
  if (options.labels.empty()) {
    csv.label = options.label;
    table = table_in(path, csv, options.label, options.part);
    result.labels = {table.column_at(options.label, "label column")};
    return result;
  }
  // A header is told of both files, or of the only one that may have one.
  if (is_array_file(path) && !is_array_file(options.labels)) csv.header.reset();
  table = table_in(path, csv, std::nullopt, options.part);
  const bool may_have_header = !is_array_file(options.labels) || is_array_file(path);
  CsvOptions of_labels{.delimiter = options.delimiter, .header = may_have_header ? options.header : std::nullopt};
  if (!options.regression) of_labels.texts = {"1"};
  DataTable labels = table_in(options.labels, of_labels);
  if (!options.regression && labels.columns.size() != 1)
    labels.refuse("found ", labels.columns.size(), " columns, expected one, that of the labels");
  if (labels.rows != table.rows)
    labels.refuse("found ", labels.rows, options.regression ? " rows" : " labels", ", expected ", table.rows,
                  ", one for each row of ", table.source, labels.reading.empty() ? "" : "; " + labels.reading);
  for (DataColumn& column : labels.columns) {
    if (!column.fault.empty()) labels.refuse(column.fault);
    result.labels.push_back(table.columns.size());
    table.columns.push_back(options.regression ? std::move(column) : as_text(std::move(column)));
    table.columns.back().place = ++table.places;
  }
  return result;
}

// Those with features, and with MissingValues::drop a label or all targets.
std::vector<Index> rows_of_samples(const FeatureEncoding& encoding, const DataTable& table,
                                   std::span<const std::size_t> labels) {
  std::vector<Index> rows = rows_with_features(encoding, table);
  if (encoding.missing == MissingValues::drop)
    std::erase_if(rows, [&](Index row) {
      return std::ranges::any_of(labels, [&](std::size_t at) { return table.columns[at].is_missing(row); });
    });
  if (rows.empty()) table.refuse("found no row without a missing value, expected at least one");
  return rows;
}

// A name that `column_at` finds the column by.
std::string name_or_place(const std::string& name, Index place) { return name.empty() ? text(place) : name; }

// Refuses a target that is no number in one of these rows.
void check_targets(const EncodableTable& table) {
  for (const std::size_t at : table.labels) {
    const DataColumn& column = table.table.columns[at];
    if (!column.fault.empty()) table.table.refuse(column.fault);
    if (column.is_text())
      table.table.refuse(column.called(), ": found texts, such as '", one_line(column.levels.front()),
                         "', expected numbers to predict (--label predicts classes)");
    for (const Index row : table.rows)
      if (column.is_missing(row))
        table.table.refuse(table.table.place_of(row), ": ", column.called(), ": found '", one_line(column.missing_mark),
                           "', a missing value, expected a number to predict", table.table.advice_at(row));
  }
}

// m x k, as they are written.
Matrix<double> targets_at(const EncodableTable& table, std::span<const Index> rows) {
  Matrix<double> result(static_cast<Index>(rows.size()), static_cast<Index>(table.labels.size()));
  for (std::size_t j = 0; j < table.labels.size(); ++j) {
    const std::vector<double>& numbers = table.table.columns[table.labels[j]].numbers;
    for (std::size_t i = 0; i < rows.size(); ++i)
      result(static_cast<Index>(i), static_cast<Index>(j)) = numbers[static_cast<std::size_t>(rows[i])];
  }
  return result;
}

// "'price', 'rent'"
std::string names_of_targets(const EncodableTable& table) {
  return joined(table.labels, ", ", [&](std::size_t at) {
    const DataColumn& column = table.table.columns[at];
    return column.name.empty() ? text("column ", column.place) : text('\'', one_line(column.name), '\'');
  });
}

// These options, for a table that is to be read as the one of that encoding was.
TableOptions as_before(TableOptions options, const TableEncoding& encoding) {
  options.label = encoding.label;
  options.regression = encoding.is_regression();
  options.targets = options.labels.empty() ? encoding.targets : std::vector<std::string>();
  options.features.categories.clear();
  for (const FeatureColumn& column : encoding.features.columns)
    if (!column.levels.empty()) options.features.categories.push_back(name_or_place(column.name, column.place));
  return options;
}

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
  if (!options.targets.empty()) return Given({"--target", text('\'', one_line(options.targets.front()), '\'')});
  if (!options.labels.empty())
    return Given({options.regression ? "--targets" : "--labels", text('\'', one_line(options.labels.string()), '\'')});
  if (features.missing != MissingValues::refuse) return Given({"--missing", std::string(name(features.missing))});
  if (options.insist_on_classes) return Given({"--classes", "it"});
  return std::nullopt;
}

EncodableTable encodable_table(const std::filesystem::path& path, const TableOptions& options) {
  EncodableTable result = read(path, options);
  result.encoding.features = feature_encoding(result.table, result.labels, options.features);
  if (options.regression) check_targets(result);  // before rows are left out, as all of a wrong column would be
  result.rows = rows_of_samples(result.encoding.features, result.table, result.labels);
  if (options.regression) {
    check_targets(result);
    for (const std::size_t at : result.labels)
      result.encoding.targets.push_back(name_or_place(result.table.columns[at].name, result.table.columns[at].place));
    result.classes.resize(result.rows.size());
    return result;
  }
  const DataColumn& column = result.table.columns[result.labels.front()];
  result.encoding.label = name_or_place(column.name, column.place);
  ClassLabels found = class_labels(result.table, result.labels.front(), result.rows, options);
  result.classes = std::move(found.labels);
  result.encoding.class_names = std::move(found.names);
  return result;
}

void settle(EncodableTable& table, std::span<const Index> rows, bool standardise) {
  settle(table.encoding.features, table.table, rows, standardise);
  table.encoding.target_scales.reset();
  if (standardise && table.encoding.is_regression())
    table.encoding.target_scales = column_scales(targets_at(table, rows));
}

Dataset<double> samples_at(const EncodableTable& table, std::span<const Index> rows) {
  const TableEncoding& encoding = table.encoding;
  Dataset<double> result{encoded(encoding.features, table.table, rows), {}, 0};
  if (encoding.is_regression()) {
    result.targets = targets_at(table, rows);
    if (encoding.target_scales) scale_columns(result.targets, *encoding.target_scales);
  } else {
    result.labels = labels_among(encoding.class_names, table.table, table.labels.front(), rows);
    result.classes = static_cast<Index>(encoding.class_names.size());
  }
  return result;
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
  const std::string remark = all.reading.empty() ? "" : "; " + all.reading;
  if (encoding.is_regression())
    return result + text(table.labels.size() == 1 ? ", target " : ", targets ", names_of_targets(table), remark);
  const DataColumn& column = all.columns[table.labels.front()];
  result +=
      text(", label ", column.name.empty() ? text("column ", column.place) : text('\'', one_line(column.name), '\''));
  const auto place = exact_whole_number(asked);
  const Index from_left = place && *place < 0 ? all.places + *place + 1 : place.value_or(0);
  if (column.name == asked && from_left != column.place && from_left > 0 && from_left <= all.places)
    result += text(", the column of that name, not column ", from_left);
  return result + text(" (", count(encoding.class_names.size(), "class", "classes"), ')', remark);
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options) {
  EncodableTable table = encodable_table(path, options);
  settle(table, table.rows, options.features.standardise);
  return labelled(table, options.label);
}

LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding) {
  EncodableTable table = read(path, as_before(options, encoding));
  table.encoding = encoding;
  table.rows = rows_of_samples(encoding.features, table.table, table.labels);
  if (encoding.is_regression()) {
    if (table.labels.size() != encoding.targets.size())
      table.table.refuse("found ", table.labels.size(), " targets, expected ", encoding.targets.size());
    check_targets(table);
  }
  return labelled(table, encoding.label);
}

bool names_parts(const TableEncoding& encoding) {
  const std::vector<FeatureColumn>& columns = encoding.features.columns;
  return !columns.empty() && part_of(columns.front().name) != ArrayPart::all;
}

FeatureRows feature_rows(const std::filesystem::path& path, const TableOptions& options,
                         const TableEncoding& encoding) {
  const std::string first = encoding.features.columns.empty() ? "" : encoding.features.columns.front().name;
  const bool by_parts = options.part == ArrayPart::all && !names_parts(encoding) && has_parts(path);
  const DataTable table =
      table_in(path, csv_options(as_before(options, encoding)), first.empty() ? std::nullopt : std::optional(first),
               by_parts ? ArrayPart::train : options.part, "column");
  FeatureRows result{.rows = rows_with_features(encoding.features, table), .file_rows = table.rows};
  result.inputs = encoded(encoding.features, table, result.rows);
  const std::vector<std::string> answers = encoding.is_regression() ? encoding.targets : std::vector{encoding.label};
  result.has_answers = std::ranges::all_of(answers, [&](const std::string& name) {
    return std::ranges::count(table.columns, name, &DataColumn::name) == 1;
  });
  return result;
}

FeatureRows feature_rows(const std::filesystem::path& path, const TableOptions& options) {
  const DataTable table = table_in(path, csv_options(options), std::nullopt, options.part);
  for (const DataColumn& column : table.columns)
    if (column.is_text())
      table.refuse(column.called(), ": found texts, such as '", one_line(column.levels.front()),
                   "', expected numbers, as the model does not say how its table was read");
  const FeatureEncoding features = feature_encoding(table, {}, {});
  FeatureRows result{.rows = rows_with_features(features, table), .file_rows = table.rows};
  result.inputs = encoded(features, table, result.rows);
  return result;
}

}  // namespace normalign

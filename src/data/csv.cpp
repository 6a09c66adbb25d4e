#include "data/csv.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "base/number_text.hpp"
#include "data/csv_records.hpp"

namespace normalign {
namespace {

using namespace detail;

constexpr Index most_classes = 32768;

bool is_missing(std::string_view field) {
  static constexpr std::string_view marks[] = {
      "",    "?",    "NA",   "na",  "N/A",  "n/a",  "#N/A", "#N/A N/A", "#NA",     "<NA>",    "NaN",
      "nan", "-NaN", "-nan", "NAN", "NULL", "null", "None", "1.#IND",   "-1.#IND", "1.#QNAN", "-1.#QNAN"};
  return std::ranges::find(marks, field) != std::end(marks);
}

// The whole number that a decimal number is exactly, such as 12, -12.0 and 1.2e1, if it has at most 17 digits.
std::optional<std::int64_t> whole(std::string_view field) {
  if (!number_in(field)) return std::nullopt;
  constexpr std::int64_t most = 100'000'000'000'000'000;
  const bool negative = field.front() == '-';
  const std::size_t e = std::min(field.find_first_of("eE"), field.size());
  std::string digits;
  std::int64_t exponent = 0;
  bool fraction = false;
  for (const char c : field.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    digits += c;
    exponent -= fraction;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.find_first_not_of('0') == digits.npos) return 0;
  if (e < field.size()) exponent += static_cast<std::int64_t>(*number_in(field.substr(e + 1)));
  if (exponent < 0) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits)
    if (value = 10 * value + (c - '0'); value >= most) return std::nullopt;
  for (; exponent > 0; --exponent)
    if (value *= 10; value >= most) return std::nullopt;
  return negative ? -value : value;
}

// What a column holds below the first line, which may be a header.
struct Column {
  Index numbers = 0, missing = 0;
  bool is_empty = true;  // the first line too
};

// What is known of a file before it is decided what is what in it.
struct Survey {
  std::vector<std::string> first;  // line
  std::vector<Column> columns;
  Index others = 0;  // lines
  Index whole = 0;   // numbers below the first line in the first column
  // What the first column counts from below the first line, where it counts.
  std::optional<std::int64_t> counts_from = {};
};

Survey survey_of(const CsvFile& file) {
  Survey survey;
  CsvRecords records(file);
  if (!records.next()) return survey;
  const Index line = records.record().front().line;
  for (const CsvField& field : records.record()) {
    survey.first.emplace_back(field.text);
    survey.columns.push_back({.is_empty = field.text.empty()});
  }
  const std::size_t columns = survey.first.size();
  if (columns < 2) file.refuse("line ", line, ": found 1 field, expected features and a label");
  for (; records.next(); ++survey.others) {
    const auto& record = records.record();
    if (record.size() != columns)
      file.refuse("line ", record.front().line, ": found ", record.size(), " fields, expected ", columns);
    for (std::size_t j = 0; j < columns; ++j) {
      Column& column = survey.columns[j];
      column.numbers += number_in(record[j].text).has_value();
      column.missing += is_missing(record[j].text);
      column.is_empty = column.is_empty && record[j].text.empty();
    }
    const auto number = whole(record.front().text);
    survey.whole += number.has_value();
    if (survey.others == 0) survey.counts_from = number;
    if (!number || !survey.counts_from || *number != *survey.counts_from + survey.others) survey.counts_from.reset();
  }
  // A delimiter behind the last field of each line.
  if (columns > 2 && survey.columns.back().is_empty) {
    survey.first.pop_back();
    survey.columns.pop_back();
  }
  return survey;
}

bool is_name(std::string_view field) { return !number_in(field) && !is_missing(field); }

// How many fields of the first line count the columns from 0 or 1 on; none where one that is no name of the labels and
// no empty one in front does not.
std::optional<Index> counting_fields(const Survey& survey, std::size_t label) {
  std::optional<std::int64_t> from;
  Index count = 0;
  for (std::size_t j = 0; j < survey.first.size(); ++j) {
    if (j == 0 && label != 0 && is_missing(survey.first[j])) continue;  // of the index
    const auto number = whole(survey.first[j]);
    if (!number && j == label && is_name(survey.first[j])) continue;
    if (!number || (!from && *number != 0 && *number != 1)) return std::nullopt;
    const std::int64_t found = *number - static_cast<std::int64_t>(j);
    if (found != from.value_or(found)) return std::nullopt;
    from = found;
    ++count;
  }
  return count;
}

// Whether no other line has the first one's label, as it is with a tenth of the others at most, of ten or more.
bool is_label_alone(const CsvFile& file, const Survey& survey, std::size_t label) {
  constexpr Index enough = 10;
  std::map<std::string, Index, std::less<>> lines;
  CsvRecords records(file);
  records.next();
  while (records.next()) {
    const std::string_view found = records.record()[label].text;
    const auto at = lines.find(found);
    if (at == lines.end())
      lines.emplace(found, 1);
    else
      ++at->second;
  }
  const Index alone = std::ranges::count(lines, 1, [](const auto& entry) { return entry.second; });
  return survey.others >= enough && enough * alone <= survey.others && !lines.contains(survey.first[label]);
}

bool is_header(const CsvFile& file, const Survey& survey, std::size_t label) {
  bool number = false, name = false;
  for (std::size_t j = 0; j < survey.first.size(); ++j) {
    if (j == label) continue;
    number = number || number_in(survey.first[j]);
    name = name || is_name(survey.first[j]);
  }
  if (name && !number) return true;
  const Column& labels = survey.columns[label];
  if (is_name(survey.first[label]) && labels.numbers > 0 && labels.numbers + labels.missing == survey.others)
    return true;
  return counting_fields(survey, label).value_or(0) >= 2 && is_label_alone(file, survey, label);
}

// Whether a label column is given by its place, and by which.
std::optional<Index> place(std::string_view label) {
  const bool backwards = label.starts_with('-');
  const auto distance = whole_number(label.substr(backwards ? 1 : 0));
  if (!distance) return std::nullopt;
  return backwards ? -*distance : *distance;
}

// What is what in a file.
struct Layout {
  bool header = false;
  std::size_t label = 0;
  std::size_t begin = 0;                  // the first column that is read
  std::optional<Index> by_place = {};     // the other column that --label could mean
  std::optional<std::size_t> index = {};  // the index column
};

// "column 2 (width)", without a header "column 2".
std::string column_name(const Survey& survey, const Layout& layout, std::size_t column) {
  return layout.header ? text("column ", column + 1, " (", one_line(survey.first[column]), ')')
                       : text("column ", column + 1);
}

// Finds header and label column. A name in the header goes before a place.
Layout label_and_header(const CsvFile& file, const Survey& survey, const CsvOptions& options) {
  const auto columns = static_cast<Index>(survey.first.size());
  const std::string called = one_line(options.label);
  const auto named = std::ranges::find(survey.first, options.label);
  const auto of_name = static_cast<std::size_t>(named - survey.first.begin());
  const bool is_there = named != survey.first.end();
  const auto given = place(options.label);
  const Index at = given.value_or(0) < 0 ? columns + *given : given.value_or(0) - 1;
  const bool is_place = given && *given != 0 && at >= 0 && at < columns;
  const auto of_place = static_cast<std::size_t>(at);
  if (!given && options.header == false)
    file.refuse("label column: found '", called, "' but no header, expected a whole number");
  const bool header = options.header.value_or(!given || (is_there && is_header(file, survey, of_name)) ||
                                              (is_place && is_header(file, survey, of_place)));
  if (header && is_there) {
    if (std::ranges::count(survey.first, options.label) > 1)
      file.refuse("label column: found more than one '", called, "', expected one");
    const bool both = is_place && of_place != of_name;
    return {.header = true, .label = of_name, .by_place = both ? std::optional(at + 1) : std::nullopt};
  }
  if (!given) {
    std::vector<std::string> names;
    for (const std::string& name : survey.first) names.push_back(one_line(name));
    file.refuse("label column: found no '", called, "', ", expected_one_of(called, names));
  }
  if (!is_place) file.refuse("label column: found ", *given, ", expected 1 to ", columns, " or -", columns, " to -1");
  return {.header = header, .label = of_place};
}

// Finds the index column, and refuses it unless it may be there.
void find_index(const CsvFile& file, const Survey& survey, const CsvOptions& options, Layout& layout) {
  constexpr Index enough = 3;
  if (options.index_column == IndexColumn::drop) {
    if (layout.label == 0)
      file.refuse("index column: found the labels in the first column, expected an index or none to leave out");
    layout.index = 0;
    layout.begin = 1;
    return;
  }
  const Column& column = survey.columns.front();
  const std::string& name = survey.first.front();
  const bool unnamed = layout.header && (name.empty() || name.starts_with("Unnamed: "));
  const bool labels_rows =
      unnamed && survey.others > 0 && (survey.whole == survey.others || (column.numbers == 0 && column.missing == 0));
  const std::int64_t from = survey.counts_from.value_or(-1) - (layout.header ? 0 : 1);
  const bool counts = survey.first.size() > 2 && survey.others + !layout.header >= enough && (from == 0 || from == 1) &&
                      (layout.header || whole(name) == from);
  if (layout.label == 0 || !(labels_rows || counts)) return;
  layout.index = 0;
  if (options.index_column == IndexColumn::refuse)
    file.refuse(column_name(survey, layout, 0), ": found ",
                counts ? text("the numbers of the rows from ", from, " on")
                       : std::string(column.numbers > 0 ? "numbers" : "names") + " of the rows without a name",
                ", expected no index column (--index-column drop leaves it out, keep makes it a feature)");
}

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
void check_classes(const CsvFile& file, const std::string& column, const std::vector<std::string>& labels) {
  constexpr std::size_t always = 20, most = 200;
  std::vector<double> values;
  bool fraction = false;
  for (const std::string& label : labels) {
    const auto value = number_in(label);
    if (!value) return;
    fraction = fraction || (!whole(label) && *value != std::floor(*value));
    values.push_back(*value);
  }
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  const std::size_t allowed = std::clamp(labels.size() / 10, always, most);
  if (fraction || values.size() > allowed)
    file.refuse(column, " of the labels: found ", values.size(), " different numbers in ", labels.size(), " rows",
                fraction ? ", not all whole" : "",
                ", which looks like a regression target; expected classes: names, or ", allowed,
                " different whole numbers at most (--classes takes each number for a class)");
}

// Fills in the labels and their names.
void classify(const std::vector<std::string>& labels, bool numbered, CsvDataset& set) {
  std::vector<std::int64_t> values, distinct;
  for (const std::string& label : labels)
    if (const auto value = whole(label)) values.push_back(*value);
  if (values.size() < labels.size()) {
    set.data.labels = ranks(labels, set.class_names);
  } else {
    if (numbered) {
      for (const std::int64_t value : values) set.data.labels.push_back(static_cast<std::int32_t>(value));
      for (std::int64_t c = 0; c <= *std::ranges::max_element(values); ++c) distinct.push_back(c);
    } else {
      set.data.labels = ranks(values, distinct);
    }
    for (const std::int64_t value : distinct) set.class_names.push_back(text(value));
  }
  set.data.classes = static_cast<Index>(set.class_names.size());
}

std::string reading(const CsvFile& file, const Survey& survey, const Layout& layout, const CsvOptions& options,
                    const Dataset<double>& data) {
  const auto name = [&](std::size_t column) {
    return layout.header ? text('\'', one_line(survey.first[column]), '\'') : text("column ", column + 1);
  };
  const auto count = [](Index n, const char* one) { return text(n, one, n == 1 ? "" : "s"); };
  std::string result = text(one_line(file.path().filename().string()), ": header ", layout.header ? "yes, " : "no, ",
                            count(data.inputs.rows(), " row"), ", ", count(data.inputs.cols(), " feature"), ", label ",
                            name(layout.label));
  if (layout.by_place) result += text(", the column of that name, not column ", *layout.by_place);
  result += text(" (", data.classes, data.classes == 1 ? " class)" : " classes)");
  if (layout.index)
    result += text(", index column ", name(*layout.index),
                   options.index_column == IndexColumn::drop ? " dropped" : " kept as a feature");
  if (file.delimiter() != ',')
    result += file.delimiter() == '\t' ? std::string(", tabs between fields")
                                       : text(", '", file.delimiter(), "' between fields");
  return result;
}

}  // namespace

CsvDataset csv(const std::filesystem::path& path, const CsvOptions& options) {
  if (options.delimiter && csv_delimiters.find(*options.delimiter) == csv_delimiters.npos)
    throw InputError(text("delimiter: found '", one_line({&*options.delimiter, 1}),
                          "', expected a comma, a semicolon, a tab or '|'"));
  const CsvFile file(path, options.delimiter);
  const Survey survey = survey_of(file);
  const auto refuse_empty = [&] { file.refuse("found no samples, expected at least one line of them"); };
  if (survey.first.empty()) refuse_empty();
  Layout layout = label_and_header(file, survey, options);
  find_index(file, survey, options, layout);
  const std::size_t columns = survey.first.size();

  CsvDataset set;
  for (std::size_t j = layout.begin; j < columns; ++j)
    if (j != layout.label) set.features.push_back(column_name(survey, layout, j));
  if (set.features.empty()) file.refuse("found no column but labels and index, expected a feature");
  const std::string label_name = column_name(survey, layout, layout.label);

  LargeVector<double> values;
  std::vector<std::string> labels;
  CsvRecords records(file);
  if (layout.header) records.next();
  while (records.next()) {
    for (std::size_t j = layout.begin; j < columns; ++j) {
      const auto& [field, line] = records.record()[j];
      const auto value = number_in(field);
      const char* expected = nullptr;
      if (j != layout.label)
        expected = value ? nullptr : "a finite number";
      else if (options.numbered_classes)
        expected =
            whole(field) && *value >= 0 && *value < most_classes ? nullptr : "a label, a whole number from 0 to 32767";
      else
        expected = is_missing(field) ? "a label" : nullptr;
      if (expected) {
        const bool may_be_name = j != layout.label && labels.empty() && !layout.header && !options.header;
        file.refuse("line ", line, ": ", column_name(survey, layout, j), ": found '", one_line(field), "'",
                    is_missing(field) ? ", a missing value" : "", ", expected ", expected,
                    may_be_name ? " (--header yes: this line names the columns)" : "");
      }
      if (j == layout.label)
        labels.emplace_back(field);
      else
        values.push_back(*value);
    }
  }
  if (labels.empty()) refuse_empty();
  if (!options.numbered_classes && !options.insist_on_classes) check_classes(file, label_name, labels);

  set.data.inputs =
      Matrix<double>(static_cast<Index>(labels.size()), static_cast<Index>(set.features.size()), std::move(values));
  classify(labels, options.numbered_classes, set);
  if (set.data.classes > most_classes)
    file.refuse("found ", set.data.classes, " different labels, expected at most ", most_classes, " (is ", label_name,
                " that of the labels?)");
  set.reading = reading(file, survey, layout, options, set.data);
  return set;
}

}  // namespace normalign

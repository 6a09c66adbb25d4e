#include "data/tables/csv.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "base/number_text.hpp"
#include "data/tables/csv_records.hpp"

namespace normalign {
namespace {

using namespace detail;

// The number in a field, where a comma may be its decimal point.
std::optional<double> number(std::string_view field, bool decimal_commas) {
  if (!decimal_commas || field.find(',') == field.npos) return number_in(field);
  std::string pointed(field);
  pointed[field.find(',')] = '.';
  return number_in(pointed);
}

// What a column holds below the first line, which may be a header.
struct Survey {
  struct Field {
    Index numbers = 0, missing = 0;
    bool is_empty = true;  // the first line too
  };
  std::vector<std::string> first;  // line
  std::vector<Field> columns;
  Index others = 0;  // lines
  Index whole = 0;   // numbers below the first line in the first column
  // What the first column counts from below the first line, where it counts.
  std::optional<std::int64_t> counts_from = {};
  bool decimal_commas = false;
};

// Whether numbers have decimal commas: some do, and none a decimal point.
bool has_decimal_commas(const CsvFile& file) {
  if (file.delimiter() == ',') return false;
  bool commas = false;
  for (CsvRecords records(file); records.next();)
    for (const CsvField& field : records.record()) {
      if (field.text.find('.') != field.text.npos && number_in(field.text)) return false;
      commas = commas || (field.text.find(',') != field.text.npos && number(field.text, true));
    }
  return commas;
}

Survey survey_of(const CsvFile& file, std::size_t least_columns) {
  Survey survey;
  survey.decimal_commas = has_decimal_commas(file);
  CsvRecords records(file);
  if (!records.next()) return survey;
  const Index line = records.record().front().line;
  for (const CsvField& field : records.record()) {
    survey.first.emplace_back(field.text);
    survey.columns.push_back({.is_empty = field.text.empty()});
  }
  const std::size_t columns = survey.first.size();
  if (columns < least_columns) file.refuse("line ", line, ": found 1 field, expected features and a label");
  for (; records.next(); ++survey.others) {
    const auto& record = records.record();
    if (record.size() != columns)
      file.refuse("line ", record.front().line, ": found ", record.size(), " fields, expected ", columns);
    for (std::size_t j = 0; j < columns; ++j) {
      Survey::Field& column = survey.columns[j];
      column.numbers += number(record[j].text, survey.decimal_commas).has_value();
      column.missing += is_missing_mark(record[j].text);
      column.is_empty = column.is_empty && record[j].text.empty();
    }
    const auto first = exact_whole_number(record.front().text);
    survey.whole += first.has_value();
    if (survey.others == 0) survey.counts_from = first;
    if (!first || !survey.counts_from || *first != *survey.counts_from + survey.others) survey.counts_from.reset();
  }
  // A delimiter behind the last field of each line.
  if (columns > least_columns && survey.columns.back().is_empty) {
    survey.first.pop_back();
    survey.columns.pop_back();
  }
  return survey;
}

// No column.
constexpr std::size_t none = static_cast<std::size_t>(-1);

bool is_name(std::string_view field) { return !number_in(field) && !is_missing_mark(field); }

// How many fields of the first line count the columns from 0 or 1 on; none where one that is no name of the labels and
// no empty one in front does not.
std::optional<Index> counting_fields(const Survey& survey, std::size_t label) {
  std::optional<std::int64_t> from;
  Index count = 0;
  for (std::size_t j = 0; j < survey.first.size(); ++j) {
    if (j == 0 && label != 0 && is_missing_mark(survey.first[j])) continue;  // of the index
    const auto found = exact_whole_number(survey.first[j]);
    if (!found && j == label && is_name(survey.first[j])) continue;
    if (!found || (!from && *found != 0 && *found != 1)) return std::nullopt;
    const std::int64_t start = *found - static_cast<std::int64_t>(j);
    if (start != from.value_or(start)) return std::nullopt;
    from = start;
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
  bool numbers = false, names = false;
  for (std::size_t j = 0; j < survey.first.size(); ++j) {
    if (j == label) continue;
    numbers = numbers || number(survey.first[j], survey.decimal_commas);
    names = names || is_name(survey.first[j]);
  }
  if (names && !numbers) return true;
  if (label == none) return false;
  const Survey::Field& labels = survey.columns[label];
  if (is_name(survey.first[label]) && labels.numbers > 0 && labels.numbers + labels.missing == survey.others)
    return true;
  return counting_fields(survey, label).value_or(0) >= 2 && is_label_alone(file, survey, label);
}

// What is what in a file.
struct Layout {
  bool header = false;
  std::size_t label = none;
  bool index = false;  // whether the first column is one
};

// The first line as the table that `column_at` looks a name up in.
DataTable names_of(const CsvFile& file, const Survey& survey, bool header) {
  DataTable result{.source = file.path().string(), .places = static_cast<Index>(survey.first.size())};
  for (const std::string& name : survey.first)
    result.columns.push_back({.name = header ? name : "", .place = static_cast<Index>(result.columns.size()) + 1});
  return result;
}

// Finds header and label column. A name in the header goes before a place.
Layout label_and_header(const CsvFile& file, const Survey& survey, const CsvOptions& options) {
  if (!options.label) return {.header = options.header.value_or(is_header(file, survey, none))};
  const auto at = [&](bool header) { return names_of(file, survey, header).column_at(*options.label, "label column"); };
  const bool is_place = whole_number(options.label->substr(options.label->starts_with('-') ? 1 : 0)).has_value();
  if (!is_place && options.header == false)
    file.refuse("label column: found '", one_line(*options.label), "' but no header, expected a whole number");
  if (!is_place) return {.header = true, .label = at(true)};
  const auto named = std::ranges::find(survey.first, *options.label);
  const bool is_named = named != survey.first.end();
  const std::size_t by_name = is_named ? static_cast<std::size_t>(named - survey.first.begin()) : none;
  if (is_named && options.header.value_or(is_header(file, survey, by_name))) return {.header = true, .label = at(true)};
  const std::size_t by_place = at(false);
  const bool header = options.header.value_or(is_header(file, survey, by_place));
  return {.header = header, .label = is_named && header ? at(true) : by_place};
}

// Finds the index column, and refuses it unless it may be there.
void find_index(const CsvFile& file, const Survey& survey, const CsvOptions& options, Layout& layout) {
  constexpr Index enough = 3;
  if (options.index_column == IndexColumn::drop) {
    if (layout.label == 0)
      file.refuse("index column: found the labels in the first column, expected an index or none to leave out");
    layout.index = true;
    return;
  }
  const Survey::Field& column = survey.columns.front();
  const std::string& name = survey.first.front();
  const bool unnamed = layout.header && (name.empty() || name.starts_with("Unnamed: "));
  const bool labels_rows =
      unnamed && survey.others > 0 && (survey.whole == survey.others || (column.numbers == 0 && column.missing == 0));
  const std::int64_t from = survey.counts_from.value_or(-1) - (layout.header ? 0 : 1);
  const bool counts = survey.first.size() > (layout.label == none ? 1 : 2) &&
                      survey.others + !layout.header >= enough && (from == 0 || from == 1) &&
                      (layout.header || exact_whole_number(name) == from);
  if (layout.label == 0 || !(labels_rows || counts)) return;
  layout.index = true;
  if (options.index_column == IndexColumn::refuse)
    file.refuse(names_of(file, survey, layout.header).columns.front().called(), ": found ",
                counts ? text("the numbers of the rows from ", from, " on")
                       : std::string(column.numbers > 0 ? "numbers" : "names") + " of the rows without a name",
                ", expected no index column (--index-column drop leaves it out, keep makes it a feature)");
}

std::string reading(const CsvFile& file, const Survey& survey, const Layout& layout, const CsvOptions& options) {
  std::string result = layout.header ? "header yes" : "header no";
  if (layout.index)
    result += text(", index column ", layout.header ? text('\'', one_line(survey.first.front()), '\'') : "1",
                   options.index_column == IndexColumn::drop ? " dropped" : " kept as a feature");
  if (file.delimiter() != ',')
    result += file.delimiter() == '\t' ? std::string(", tabs between fields")
                                       : text(", '", file.delimiter(), "' between fields");
  if (survey.decimal_commas) result += ", decimal commas";
  return result;
}

// Which columns hold texts: those that are called so, and those without a number where something is not missing.
std::vector<bool> text_columns(const Survey& survey, const Layout& layout, const CsvOptions& options,
                               const DataTable& names) {
  std::vector<bool> result(survey.columns.size());
  for (std::size_t j = 0; j < result.size(); ++j) {
    const bool is_data = !layout.header;  // the first line
    const Index rows = survey.others + is_data;
    const Index numbers = survey.columns[j].numbers + (is_data && number(survey.first[j], survey.decimal_commas));
    const Index missing = survey.columns[j].missing + (is_data && is_missing_mark(survey.first[j]));
    result[j] = numbers == 0 && missing < rows;
  }
  if (layout.label != none) result[layout.label] = true;
  for (const std::string& called : options.texts) result[names.column_at(called, "column")] = true;
  return result;
}

}  // namespace

DataTable csv_table(const std::filesystem::path& path, const CsvOptions& options) {
  if (options.delimiter && csv_delimiters.find(*options.delimiter) == csv_delimiters.npos)
    throw InputError(text("delimiter: found '", one_line({&*options.delimiter, 1}),
                          "', expected a comma, a semicolon, a tab or '|'"));
  const CsvFile file(path, options.delimiter);
  const Survey survey = survey_of(file, options.label ? 2 : 1);
  const auto refuse_empty = [&] { file.refuse("found no samples, expected at least one line of them"); };
  if (survey.first.empty()) refuse_empty();
  Layout layout = label_and_header(file, survey, options);
  find_index(file, survey, options, layout);

  DataTable table = names_of(file, survey, layout.header);
  table.first_row_may_be_header = !layout.header && !options.header;
  table.reading = reading(file, survey, layout, options);
  const std::vector<bool> is_text = text_columns(survey, layout, options, table);
  std::vector<std::vector<std::optional<std::string>>> texts(table.columns.size());
  CsvRecords records(file);
  if (layout.header) records.next();
  for (; records.next(); ++table.rows) {
    table.lines.push_back(records.record().front().line);
    for (std::size_t j = 0; j < table.columns.size(); ++j) {
      const auto& [field, line] = records.record()[j];
      DataColumn& column = table.columns[j];
      const bool is_missing = is_missing_mark(field);
      if (is_missing && column.missing++ == 0) column.missing_mark = field;
      const auto value = is_text[j] ? std::nullopt : number(field, survey.decimal_commas);
      if (!is_text[j] && !value && !is_missing && column.fault.empty())
        column.fault = text("line ", line, ": ", column.called(), ": found '", one_line(field),
                            "', expected a finite number", table.advice_at(table.rows));
      if (is_text[j])
        texts[j].push_back(is_missing ? std::nullopt : std::optional<std::string>(field));
      else
        column.numbers.push_back(value.value_or(std::numeric_limits<double>::quiet_NaN()));
    }
  }
  if (table.rows == 0) refuse_empty();
  for (std::size_t j = 0; j < table.columns.size(); ++j)
    if (is_text[j]) set_texts(table.columns[j], texts[j]);
  if (options.index_column == IndexColumn::drop) table.columns.erase(table.columns.begin());
  return table;
}

}  // namespace normalign

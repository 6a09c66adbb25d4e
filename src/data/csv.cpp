#include "data/csv.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "data/plain_text.hpp"
#include "linalg/error.hpp"
#include "linalg/nearest_name.hpp"
#include "linalg/number_text.hpp"

namespace normalign {
namespace {

constexpr Index most_classes = 32768;

std::string_view trimmed(std::string_view field) {
  const auto first = field.find_first_not_of(' ');
  return first == field.npos ? std::string_view() : field.substr(first, field.find_last_not_of(' ') + 1 - first);
}

bool is_missing(std::string_view field) {
  std::string lower(field.substr(0, 4));
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower.empty() || lower == "?" || lower == "na" || lower == "nan";
}

struct Field {
  std::string_view text;
  Index line;  // on which it begins, from 1 on
};

using Record = std::vector<Field>;

// The records of a file, one after the other. Fields point into `content_`, where doubled quotes are made single ones.
class Records {
 public:
  Records(const std::filesystem::path& path, std::optional<char> delimiter)
      : path_(path), content_(file_content(path)), delimiter_(delimiter) {
    if (content_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // the byte order mark
  }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  /// Puts the next record that is no blank line into `record`; false at the end.
  bool next(Record& record) {
    record.clear();
    while (at_ < content_.size() && blank_line()) end_line();
    if (at_ >= content_.size()) return false;
    if (!delimiter_) delimiter_ = delimiter_of_line();
    while (true) {
      record.push_back(field(static_cast<Index>(record.size()) + 1));
      if (at_line_end()) break;
      ++at_;  // the delimiter
    }
    end_line();
    return true;
  }

  template <class... Parts>
  [[noreturn]] void refuse(Index line, const Parts&... parts) const {
    throw InputError(text(path_.string(), ": line ", line, ": ", parts...));
  }

 private:
  bool at_line_end(std::size_t at) const {
    if (at < content_.size() && content_[at] == '\r') ++at;
    return at >= content_.size() || content_[at] == '\n';
  }
  bool at_line_end() const { return at_line_end(at_); }

  void end_line() {
    at_ = std::min(content_.find('\n', at_), content_.size() - 1) + 1;
    ++line_;
  }

  bool blank_line() const { return at_line_end(std::min(content_.find_first_not_of(' ', at_), content_.size())); }

  char delimiter_of_line() const {
    bool semicolon = false, quoted = false;
    for (std::size_t i = at_; i < content_.size() && (quoted || content_[i] != '\n'); ++i) {
      if (content_[i] == '"') quoted = !quoted;
      if (!quoted && content_[i] == '\t') return '\t';
      if (!quoted && content_[i] == ';') semicolon = true;
    }
    return semicolon ? ';' : ',';
  }

  // The field at `at_`, which is then at the delimiter or the line end behind it.
  Field field(Index column) {
    const Index line = line_;
    const std::size_t begin = at_;
    at_ = std::min(content_.find_first_not_of(' ', at_), content_.size());
    if (at_ < content_.size() && content_[at_] == '"') return {quoted_field(column), line};
    while (!at_line_end() && content_[at_] != delimiter_) ++at_;
    return {trimmed(std::string_view(content_).substr(begin, at_ - begin)), line};
  }

  // The same where `at_` is at an opening quote.
  std::string_view quoted_field(Index column) {
    const Index line = line_;
    const std::size_t begin = ++at_;
    std::size_t end = begin;
    bool closed = false;
    while (!closed && at_ < content_.size()) {
      const char c = content_[at_++];
      const bool doubled = c == '"' && at_ < content_.size() && content_[at_] == '"';
      closed = c == '"' && !doubled;
      if (closed) break;
      if (doubled) ++at_;
      if (c == '\n') ++line_;
      content_[end++] = c;
    }
    if (!closed) refuse(line, "column ", column, ": found a quote that is not closed, expected another one behind it");
    at_ = std::min(content_.find_first_not_of(' ', at_), content_.size());
    if (!at_line_end() && content_[at_] != delimiter_)
      refuse(line_, "column ", column, ": found '", one_line(std::string_view(content_).substr(at_, 1)),
             "' behind a closing quote, expected the next field or the end of the line");
    return std::string_view(content_).substr(begin, end - begin);
  }

  const std::filesystem::path& path_;
  std::string content_;
  std::optional<char> delimiter_;
  std::size_t at_ = 0;
  Index line_ = 1;
};

bool is_header(const Record& record, std::size_t label) {
  bool named = false;
  for (std::size_t j = 0; j < record.size(); ++j) {
    if (j == label) continue;
    if (number_in(record[j].text)) return false;
    named = named || !is_missing(record[j].text);
  }
  return named;
}

// Whether a label column is given by its place, and by which.
std::optional<Index> place(std::string_view label) {
  const bool backwards = label.starts_with('-');
  const auto distance = whole_number(label.substr(backwards ? 1 : 0));
  if (!distance) return std::nullopt;
  return backwards ? -*distance : *distance;
}

// The index of the label column; `record` is the first of the file.
std::size_t label_column(const std::filesystem::path& path, const Record& record, const CsvOptions& options) {
  const auto columns = static_cast<Index>(record.size());
  if (const auto given = place(options.label)) {
    const Index column = *given < 0 ? columns + *given : *given - 1;
    if (*given == 0 || column < 0 || column >= columns)
      throw InputError(text(path.string(), ": label column: found ", *given, ", expected 1 to ", columns, " or -",
                            columns, " to -1"));
    return static_cast<std::size_t>(column);
  }
  const std::string called = one_line(options.label);
  if (options.header == false)
    throw InputError(
        text(path.string(), ": label column: found '", called, "' but no header, expected a whole number"));
  const auto found = std::ranges::find(record, options.label, &Field::text);
  if (found == record.end()) {
    std::vector<std::string> names;
    for (const Field& field : record) names.push_back(one_line(field.text));
    throw InputError(text(path.string(), ": label column: found no '", called, "', ", expected_one_of(called, names)));
  }
  if (std::ranges::count(record, options.label, &Field::text) > 1)
    throw InputError(text(path.string(), ": label column: found more than one '", called, "', expected one"));
  return static_cast<std::size_t>(found - record.begin());
}

std::optional<double> whole(std::string_view label) {
  const auto value = number_in(label);
  return value && *value == std::floor(*value) && std::abs(*value) <= 0x1p53 ? value : std::nullopt;
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

// Fills in all but the inputs.
void classify(const std::vector<std::string>& labels, bool numbered, CsvDataset& set) {
  std::vector<double> values, distinct;
  for (const std::string& label : labels)
    if (const auto value = whole(label)) values.push_back(*value);
  if (values.size() < labels.size()) {
    set.data.labels = ranks(labels, set.class_names);
  } else {
    if (numbered) {
      for (const double value : values) set.data.labels.push_back(static_cast<std::int32_t>(value));
      for (Index c = 0; c <= *std::ranges::max_element(set.data.labels); ++c)
        distinct.push_back(static_cast<double>(c));
    } else {
      set.data.labels = ranks(values, distinct);
    }
    for (const double value : distinct) set.class_names.push_back(text(static_cast<std::int64_t>(value)));
  }
  set.data.classes = static_cast<Index>(set.class_names.size());
}

}  // namespace

CsvDataset csv(const std::filesystem::path& path, const CsvOptions& options) {
  if (options.delimiter && std::string_view(",;|\t").find(*options.delimiter) == std::string_view::npos)
    throw InputError(text("delimiter: found '", one_line({&*options.delimiter, 1}),
                          "', expected a comma, a semicolon, a tab or '|'"));
  Records records(path, options.delimiter);
  Record record;
  bool more = records.next(record);
  const std::size_t columns = record.size();
  std::size_t label = 0;
  std::vector<std::string> names(columns);
  if (more) {
    if (columns < 2) records.refuse(record.front().line, "found 1 field, expected features and a label");
    label = label_column(path, record, options);
    if (options.header.value_or(!place(options.label) || is_header(record, label))) {
      for (std::size_t j = 0; j < columns; ++j) names[j] = text(" (", one_line(record[j].text), ")");
      more = records.next(record);
    }
  }

  LargeVector<double> values;
  std::vector<std::string> labels;
  for (; more; more = records.next(record)) {
    if (record.size() != columns)
      records.refuse(record.front().line, "found ", record.size(), " fields, expected ", columns);
    for (std::size_t j = 0; j < columns; ++j) {
      const auto& [field, line] = record[j];
      const auto value = number_in(field);
      const char* expected = nullptr;
      if (j != label)
        expected = value ? nullptr : "a finite number";
      else if (options.numbered_classes)
        expected =
            whole(field) && *value >= 0 && *value < most_classes ? nullptr : "a label, a whole number from 0 to 32767";
      else
        expected = is_missing(field) ? "a label" : nullptr;
      if (expected)
        records.refuse(line, "column ", j + 1, names[j], ": found '", one_line(field), "'",
                       is_missing(field) ? ", a missing value" : "", ", expected ", expected);
      if (j == label)
        labels.emplace_back(field);
      else
        values.push_back(*value);
    }
  }
  if (labels.empty()) throw InputError(text(path.string(), ": found no samples, expected at least one line of them"));

  CsvDataset set{
      .data = {Matrix<double>(static_cast<Index>(labels.size()), static_cast<Index>(columns) - 1, std::move(values)),
               {},
               0},
      .class_names = {}};
  classify(labels, options.numbered_classes, set);
  if (set.data.classes > most_classes)
    throw InputError(text(path.string(), ": found ", set.data.classes, " different labels, expected at most ",
                          most_classes, " (is column ", label + 1, names[label], " that of the labels?)"));
  return set;
}

}  // namespace normalign

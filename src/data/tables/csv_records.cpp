#include "data/tables/csv_records.hpp"

#include <algorithm>

#include "base/file_content.hpp"

namespace normalign::detail {
namespace {

std::string_view trimmed(std::string_view field) {
  const auto first = field.find_first_not_of(' ');
  return first == field.npos ? std::string_view() : field.substr(first, field.find_last_not_of(' ') + 1 - first);
}

}  // namespace

CsvFile::CsvFile(const std::filesystem::path& path, std::optional<char> delimiter)
    : path_(path), content_(file_content(path)) {
  delimiter_ = delimiter ? *delimiter : guessed_delimiter();
}

// Whether the delimiter cuts the first lines into equally many fields, two or more.
bool CsvFile::is_regular() const {
  constexpr int lines = 100;
  try {
    CsvRecords records(*this);
    std::size_t columns = 0;
    for (int i = 0; i < lines && records.next(); ++i) {
      if (i == 0) columns = records.record().size();
      if (columns < 2 || records.record().size() != columns) return false;
    }
    return columns >= 2;
  } catch (const InputError&) {
    return false;  // quotes that are none with this delimiter
  }
}

// Tries one after the other, as records are read with the one that is set.
char CsvFile::guessed_delimiter() {
  for (const char candidate : csv_delimiters) {
    delimiter_ = candidate;
    if (is_regular()) return candidate;
  }
  bool quoted = false;
  std::string outside;
  const std::size_t begin = std::min(content_.find_first_not_of(" \r\n"), content_.size());
  for (const char c : std::string_view(content_).substr(begin)) {
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '\n') break;
    if (!quoted) outside += c;
  }
  for (const char candidate : csv_delimiters)
    if (outside.find(candidate) != outside.npos) return candidate;
  return ',';
}

CsvRecords::CsvRecords(const CsvFile& file) : file_(file), content_(file.content()) {
  if (content_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // the byte order mark
}

bool CsvRecords::next() {
  record_.clear();
  unquoted_.clear();
  while (at_ < content_.size() && blank_line()) end_line();
  if (at_ >= content_.size()) return false;
  while (true) {
    record_.push_back(field(static_cast<Index>(record_.size()) + 1));
    if (at_line_end()) break;
    ++at_;  // the delimiter
  }
  end_line();
  return true;
}

bool CsvRecords::at_line_end(std::size_t at) const {
  if (at < content_.size() && content_[at] == '\r') ++at;
  return at >= content_.size() || content_[at] == '\n';
}
bool CsvRecords::blank_line() const {
  return at_line_end(std::min(content_.find_first_not_of(' ', at_), content_.size()));
}

void CsvRecords::end_line() {
  at_ = std::min(content_.find('\n', at_), content_.size() - 1) + 1;
  ++line_;
}

// The field at `at_`, which is then at the delimiter or the line end behind it.
CsvField CsvRecords::field(Index column) {
  const Index line = line_;
  const std::size_t begin = at_;
  at_ = std::min(content_.find_first_not_of(' ', at_), content_.size());
  if (at_ < content_.size() && content_[at_] == '"') return {quoted_field(column), line};
  while (!at_line_end() && content_[at_] != file_.delimiter()) ++at_;
  return {trimmed(content_.substr(begin, at_ - begin)), line};
}

// The same where `at_` is at an opening quote.
std::string_view CsvRecords::quoted_field(Index column) {
  const Index line = line_;
  const std::size_t begin = ++at_;
  bool closed = false, has_quotes = false;
  while (!closed && at_ < content_.size()) {
    const char c = content_[at_++];
    const bool doubled = c == '"' && at_ < content_.size() && content_[at_] == '"';
    closed = c == '"' && !doubled;
    if (doubled) {
      has_quotes = true;
      ++at_;
    }
    if (c == '\n') ++line_;
  }
  if (!closed)
    file_.refuse("line ", line, ": column ", column,
                 ": found a quote that is not closed, expected another one behind it");
  const std::string_view inside = content_.substr(begin, at_ - 1 - begin);
  at_ = std::min(content_.find_first_not_of(' ', at_), content_.size());
  if (!at_line_end() && content_[at_] != file_.delimiter())
    file_.refuse("line ", line_, ": column ", column, ": found '", one_line(content_.substr(at_, 1)),
                 "' behind a closing quote, expected the next field or the end of the line");
  return has_quotes ? unquoted(inside) : inside;
}

// With single quotes for doubled ones.
std::string_view CsvRecords::unquoted(std::string_view inside) {
  std::string& result = unquoted_.emplace_back();
  for (std::size_t i = 0; i < inside.size(); ++i) {
    result += inside[i];
    if (inside[i] == '"') ++i;
  }
  return result;
}

}  // namespace normalign::detail

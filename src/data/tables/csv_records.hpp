// A CSV file as lines of fields, before it is decided what is what in it.
#pragma once

#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "linalg/matrix.hpp"

namespace normalign::detail {

/// The characters that may stand between two fields.
inline constexpr std::string_view csv_delimiters = "\t;|,";

/// The content of a file and its delimiter.
class CsvFile {
 public:
  /// Reads the file. Without a `delimiter` it is the first of `csv_delimiters` that cuts the first hundred records into
  /// equally many fields, two or more; where none does, the first that stands outside of quotes on the first line; else
  /// a comma. Throws InputError, naming the file, when it cannot be read.
  CsvFile(const std::filesystem::path& path, std::optional<char> delimiter);

  /// Where it was read from.
  const std::filesystem::path& path() const { return path_; }
  /// All bytes.
  std::string_view content() const { return content_; }
  /// What stands between two fields.
  char delimiter() const { return delimiter_; }

  /// Throws InputError, which opens with the file and says what is wrong with it.
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw InputError(text(path_.string(), ": ", parts...));
  }

 private:
  bool is_regular() const;
  char guessed_delimiter();

  std::filesystem::path path_;
  std::string content_;
  char delimiter_ = ',';
};

/// One field, without its quotes and the blanks around it.
struct CsvField {
  std::string_view text;
  Index line;  ///< on which it begins, from 1 on
};

/// The records of a file, one after the other: fields may be quoted as in RFC 4180, line ends are LF or CR LF, blank
/// lines and a UTF-8 byte order mark do not count.
class CsvRecords {
 public:
  /// Borrows the file and begins in front of its first record.
  explicit CsvRecords(const CsvFile& file);

  /// Goes to the next record that is no blank line; false at the end. Throws InputError, naming line and column, on a
  /// quote that is not closed, or that something but a delimiter follows.
  bool next();
  /// The fields of the record, valid until `next` is called again.
  const std::vector<CsvField>& record() const { return record_; }

 private:
  bool at_line_end(std::size_t at) const;
  bool at_line_end() const { return at_line_end(at_); }
  bool blank_line() const;
  void end_line();
  CsvField field(Index column);
  std::string_view quoted_field(Index column);
  std::string_view unquoted(std::string_view inside);

  const CsvFile& file_;
  std::string_view content_;
  std::vector<CsvField> record_;
  std::deque<std::string> unquoted_;  // what fields of the record point to, where it is not the content
  std::size_t at_ = 0;
  Index line_ = 1;
};

}  // namespace normalign::detail

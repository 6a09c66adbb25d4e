// Tables: columns of numbers or of texts, whatever file they come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// One column of a table: numbers, or texts. Rows of it may be missing.
struct DataColumn {
  std::string name = {};                 ///< empty where it has none
  std::string group = {};                ///< of the array that it is a column of; empty for a column by itself
  Index place = 0;                       ///< in the file, from 1 on
  std::vector<double> numbers = {};      ///< finite, or NaN where missing; empty where it holds texts
  std::vector<std::int32_t> codes = {};  ///< of texts: each row's place in `levels`, -1 where missing; else empty
  std::vector<std::string> levels = {};  ///< the different texts, in byte order
  Index missing = 0;                     ///< how many rows are
  std::string missing_mark = {};         ///< what stands for a missing value, in the first row that has one
  /// Why it can be used as neither, as in "line 7: column 2: found 'x', expected a finite number"; else empty.
  std::string fault = {};

  /// Whether it holds texts.
  bool is_text() const { return !codes.empty(); }
  /// Whether that row is missing.
  bool is_missing(Index row) const;
  /// "column 2 (width)", without a name "column 2".
  std::string called() const;
};

/// Columns of equally many rows.
struct DataTable {
  std::string source = {};  ///< the file, with which messages begin
  Index rows = 0;
  std::vector<DataColumn> columns = {};
  Index places = 0;                      ///< columns in the file, of which some may be left out
  std::vector<Index> lines = {};         ///< the line on which each row begins; empty where the file has no lines
  bool first_row_may_be_header = false;  ///< nothing but a guess says that it is no header
  std::string reading = {};              ///< what was taken for what, such as "header yes, ';' between fields"

  /// Throws InputError, which opens with the source and says what is wrong with it.
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    throw InputError(text(source, ": ", parts...));
  }
  /// "line 7", or "row 7", from 1 on, where the file has no lines.
  std::string place_of(Index row) const;
  /// What a message on that row ends with: how to say that it is a header, where it may be one.
  std::string advice_at(Index row) const;
  /// The place in `columns` of the one of that name or, where none has it and `called` is a whole number, of the one
  /// that stands there in the file, from 1 on or, from the last one backwards, from -1 on. Throws InputError, opened by
  /// the source and `what` ("label column"), where it is none or more than one.
  std::size_t column_at(const std::string& called, const char* what) const;
  /// The places of all columns of the group of that name or, where there is none, of the column as `column_at` has it.
  std::vector<std::size_t> columns_at(const std::string& called, const char* what) const;
};

/// Whether a field of a text file stands for a missing value: it is empty or a mark that R, pandas or others write,
/// such as `?`, `NA`, `nan` and `NULL`. docs/formats.md lists them.
bool is_missing_mark(std::string_view field);

/// Fills codes and levels of a column from its rows as texts, where a missing row is no text.
void set_texts(DataColumn& column, const std::vector<std::optional<std::string>>& rows);

/// The column with its numbers as texts of the shortest digits, and one of texts as it is.
DataColumn as_text(DataColumn column);

}  // namespace normalign

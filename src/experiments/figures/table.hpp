// Tables: rows of cells below columns, which text, CSV, LaTeX and JSON (table_json.hpp) follow from.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace normalign {

/// How a number is shown; files have all its digits.
enum class Digits {
  four,          ///< as `four_digits` does
  two_decimals,  ///< "0.25"
  two            ///< significant ones, for probabilities: "3.1e-07"
};

/// What stands in one place of a table: words, a whole number, a number, or nothing.
struct Cell {
  std::variant<std::monostate, std::string, std::int64_t, double> value = {};
  Digits digits = Digits::four;  ///< of a number that is not whole

  /// Nothing.
  Cell() = default;
  /// Words.
  Cell(std::string words) : value(std::move(words)) {}
  Cell(const char* words) : value(words) {}
  /// A whole number.
  template <std::integral Count>
  Cell(Count count) : value(static_cast<std::int64_t>(count)) {}
  /// A number.
  Cell(double number, Digits shown_as = Digits::four) : value(number), digits(shown_as) {}
  /// What is in `number`, or nothing.
  template <class Number>
  Cell(const std::optional<Number>& number, Digits shown_as = Digits::four) : digits(shown_as) {
    if (number) value = Cell(*number).value;
  }

  bool operator==(const Cell&) const = default;
};

/// The cells of one row of a table.
using Cells = std::vector<Cell>;

/// Four significant digits, as "0.1217" or "300"; from 10000 on without decimals, from 1e15 on as "1.235e+20". "-" for
/// none.
std::string four_digits(std::optional<double> value);

/// The shortest digits that read back the same, as JSON has them; empty for none.
std::string all_digits(std::optional<double> value);

/// The cell for a reader, "-" for nothing.
std::string shown(const Cell& cell);

/// One line for each row, columns two spaces apart: the first `left` ones flush left, the others flush right. Widths
/// are in characters of UTF-8. Rows have one length.
std::string aligned_text(std::span<const Cells> rows, std::size_t left = 1);

/// A column of a table.
struct Column {
  std::string key = {};       ///< in CSV and JSON, where `a/b` is the entry b of an object a; empty: it is in neither
  std::string heading = key;  ///< for a reader; empty: it is not shown
  bool is_joined = false;     ///< whether its heading is understood only beside the column before
};

/// A cell and its column.
struct Entry {
  Column column = {};
  Cell cell = {};
};

/// A row with what its columns are.
using Record = std::vector<Entry>;

/// These columns.
std::vector<Column> columns_of(const Record& record);

/// Runs that a table cannot use in full.
struct LeftOut {
  std::string key = {};                 ///< of their names in JSON
  std::vector<std::string> names = {};  ///< in the order of the runs
  std::string what = key;               ///< what they are, for a reader
};

/// A table as a terminal, a page or a file has it.
struct Table {
  std::string caption = {};
  std::string detail = {};  ///< what a reader is told beside the caption
  std::vector<Column> columns = {};
  std::vector<Cells> rows = {};  ///< each as long as `columns`
  std::size_t left = 1;          ///< so many of the first columns shown are words that tell the rows apart
  std::vector<std::pair<std::size_t, std::string>> headings = {};  ///< before which row a line says what follows
  std::vector<std::string> notes = {};                             ///< what stands beneath, line by line
  std::size_t shared = 0;  ///< so many of the first columns have the same cell in all rows
  std::vector<LeftOut> left_out = {};

  /// Adds a row; the first one says what the columns are.
  void add(const Record& record);
};

/// Tables that belong together, and what their columns mean.
struct TableSet {
  std::vector<Table> tables = {};
  std::vector<std::string> remarks = {};  ///< on what was left out, a sentence each
  std::vector<std::string> legend = {};   ///< a sentence each
  std::string key = {};                   ///< of the whole in JSON, see `as_json`
  std::string rows_key = {};              ///< of the rows of one table in JSON
  std::string latex_head = {};            ///< lines of LaTeX above the rows, see `as_latex`
  std::string latex_comment = {};
};

/// "1 run <what>: a", "2 runs <what>: a, b" of each that has names.
std::vector<std::string> remarks(std::span<const LeftOut> left_out);

/// The same of unfinished and of failed runs.
std::vector<std::string> remarks(const std::vector<std::string>& unfinished, const std::vector<std::string>& failed);

/// What stands beneath a table: remarks on what it leaves out, then its notes.
std::vector<std::string> notes_of(const Table& table);

/// "<caption>, <detail>", as far as there is one.
std::string full_caption(const Table& table);

/// The table of those columns that have a heading.
Table visible(const Table& table);

/// The rows of all tables as files have them: the columns that have a key, headed by it. Tables with keys have the same
/// ones.
Table with_keys(const TableSet& set);

/// As many characters as a line needs.
inline constexpr std::size_t full_width = std::string::npos;

/// Writes caption, head and rows as `aligned_text` has them, and notes. A table of more than `width` characters a line
/// is parted between columns: the parts stand beneath each other, an empty line between them, and each begins with the
/// first `left` columns. A part has at least one other column, whatever the width. Other lines are broken between words
/// at `width`, and at 120 characters where that is more.
std::string as_text(const Table& table, std::size_t width = full_width);

/// Writes several tables so, then remarks and legend, an empty line between them.
std::string as_text(const TableSet& set, std::size_t width = full_width);

/// The row as a line of CSV (RFC 4180, but ended by a line feed alone): all digits, nothing between the commas where a
/// cell is empty; words with a comma, a quote or a line break in quotes.
std::string csv_line(const Cells& row);

/// A head and all rows as `with_keys` has them.
std::string as_csv(const TableSet& set);

/// One tabular in the style of the package booktabs with all tables, numbers as in text: first `latex_head`, and for
/// each heading, or each table without any, its caption. Tables have the same columns, of which those are shown that
/// some table shows. Without a `latex_head` it is the table of CSV. Notes and remarks follow in small print.
std::string as_latex(const TableSet& set);

/// The row as a line of a tabular, as a reader sees it.
std::string latex_line(const Cells& row);

/// `words` so that LaTeX prints them as they are: & % $ # _ { } ~ ^ and \ escaped.
std::string latex_escaped(const std::string& words);

/// A number in LaTeX: 3.1e-07 as `$3.1\cdot10^{-7}$`, one without an exponent as it is.
std::string latex_number(const std::string& number);

}  // namespace normalign

// Tables as text, CSV and LaTeX: numbers to cells, cells to lines.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace normalign {

/// The cells of one row of a table.
using Cells = std::vector<std::string>;

/// Four significant digits, as "0.1217" or "300"; from 10000 on without decimals, from 1e15 on as "1.235e+20". "-" for
/// none.
std::string four_digits(std::optional<double> value);

/// The shortest digits that read back the same, as JSON has them; empty for none.
std::string all_digits(std::optional<double> value);

/// One line for each row, columns two spaces apart: the first `left` ones flush left, the others flush right. Widths
/// are in characters of UTF-8. Rows have one length.
std::string aligned_text(std::span<const Cells> rows, std::size_t left = 1);

/// A table as a terminal or a page shows it.
struct Table {
  std::string caption = {};
  std::vector<Cells> rows = {};  ///< of one length; the first is the head
  std::size_t left = 1;          ///< so many first columns hold words, which tell the rows apart, the others numbers
  std::vector<std::pair<std::size_t, std::string>> headings = {};  ///< before which row a line says what follows
  std::vector<std::string> notes = {};                             ///< what stands beneath, line by line
  std::vector<std::size_t> joined = {};  ///< columns whose head is understood only beside the column before them
};

/// Tables that belong together, and what their columns mean.
struct TableSet {
  std::vector<Table> tables = {};
  std::vector<std::string> remarks = {};  ///< on what was left out, a sentence each
  std::vector<std::string> legend = {};   ///< a sentence each
};

/// As many characters as a line needs.
inline constexpr std::size_t full_width = std::string::npos;

/// Writes caption, rows as `aligned_text` has them, and notes. A table of more than `width` characters a line is parted
/// between columns: the parts stand beneath each other, an empty line between them, and each begins with the first
/// `left` columns. A part has at least one other column, whatever the width. Other lines are broken between words at
/// `width`, and at 120 characters where that is more.
std::string as_text(const Table& table, std::size_t width = full_width);

/// Writes several tables so, then remarks and legend, an empty line between them.
std::string as_text(const TableSet& set, std::size_t width = full_width);

/// The row as a line of CSV (RFC 4180, but ended by a line feed alone): cells with a comma, a quote or a line break
/// in quotes.
std::string csv_line(const Cells& row);

/// The row as a line of a tabular, cells as they are.
std::string latex_line(const Cells& row);

/// A line in small print for beneath a tabular: "<table>: <words>.", both escaped.
std::string latex_note(const std::string& table, const std::string& words);

/// `words` so that LaTeX prints them as they are: & % $ # _ { } ~ ^ and \ escaped.
std::string latex_escaped(const std::string& words);

/// A number in LaTeX: 3.1e-07 as `$3.1\cdot10^{-7}$`, one without an exponent as it is.
std::string latex_number(const std::string& number);

}  // namespace normalign

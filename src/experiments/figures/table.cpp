#include "experiments/figures/table.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "base/error.hpp"
#include "base/number_text.hpp"
#include "base/utf8.hpp"

namespace normalign {
namespace {

std::vector<std::size_t> widths_of(std::span<const Cells> rows) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
  for (const Cells& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(shown(row[i])));
  return widths;
}

// The words in lines, the second and later ones indented.
std::string wrapped(const std::string& words, std::size_t width) {
  constexpr std::size_t longest = 120;
  width = std::min(width, longest);
  if (characters(words) <= width) return words + '\n';
  std::istringstream in(words);
  std::string result, line;
  for (std::string word; in >> word;) {
    if (!line.empty() && characters(line) + 1 + characters(word) > width) {
      result += line + '\n';
      line = "  " + word;
    } else {
      line += (line.empty() ? "" : " ") + word;
    }
  }
  return result + line + '\n';
}

// The numbers of the columns that have a key, or a heading.
std::vector<std::size_t> columns_with(std::string Column::*name, const Table& table) {
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (!(table.columns[i].*name).empty()) result.push_back(i);
  return result;
}

// The table of these columns alone.
Table with_columns(Table table, const std::vector<std::size_t>& columns) {
  const auto pick = [&](auto& list) {
    std::remove_reference_t<decltype(list)> picked;
    for (const std::size_t column : columns) picked.push_back(list[column]);
    list = std::move(picked);
  };
  pick(table.columns);
  for (Cells& row : table.rows) pick(row);
  return table;
}

// Head and rows of a table; nothing of one without columns.
std::vector<Cells> lines_of(const Table& table) {
  if (table.columns.empty()) return {};
  std::vector<Cells> result(1);
  for (const Column& column : table.columns) result.front().push_back(column.heading);
  result.insert(result.end(), table.rows.begin(), table.rows.end());
  return result;
}

// The columns of each part of a table.
std::vector<std::vector<std::size_t>> parts_of(const Table& table, std::size_t width) {
  const std::vector<std::size_t> widths = widths_of(lines_of(table));
  std::vector<std::size_t> first;
  std::size_t of_first = 0;
  for (std::size_t i = 0; i < std::min(table.left, widths.size()); ++i) {
    first.push_back(i);
    of_first += widths[i] + (i > 0 ? 2 : 0);
  }
  std::vector<std::vector<std::size_t>> parts = {first};
  std::size_t used = of_first;
  for (std::size_t column = first.size(); column < widths.size(); ++column) {
    std::size_t needed = 2 + widths[column];  // with the columns joined to it, from which only the width parts it
    if (column == first.size() || !table.columns[column].is_joined)
      for (std::size_t next = column + 1; next < widths.size() && table.columns[next].is_joined; ++next)
        needed += 2 + widths[next];
    if (used + needed > width && parts.back().size() > first.size()) {
      parts.push_back(first);
      used = of_first;
    }
    parts.back().push_back(column);
    used += 2 + widths[column];
  }
  return parts;
}

std::string part_text(const Table& table, std::size_t width) {
  const std::vector<Cells> rows = lines_of(table);
  std::istringstream lines(aligned_text(rows, table.left));
  std::string result, line;
  auto heading = table.headings.begin();
  for (std::size_t row = 0; std::getline(lines, line); ++row) {
    result += line + '\n';
    for (; heading != table.headings.end() && heading->first <= row; ++heading)
      result += wrapped(heading->second, width);
  }
  return result;
}

std::string csv_field(const Cell& cell) {
  if (const double* number = std::get_if<double>(&cell.value)) return all_digits(*number);
  const std::string field = std::holds_alternative<std::monostate>(cell.value) ? "" : shown(cell);
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string quoted = "\"";
  for (const char letter : field) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

bool is_words(const Cell& cell) { return std::holds_alternative<std::string>(cell.value); }

std::string latex_cell(const Cell& cell) {
  return is_words(cell) ? latex_escaped(shown(cell)) : latex_number(shown(cell));
}

// A sentence in small print for beneath a tabular.
std::string latex_note(const std::string& words) {
  return text("\\par\\noindent{\\footnotesize ", latex_escaped(words), ".}\n");
}

std::string latex_body(const Table& table) {
  std::string result;
  const auto add_heading = [&](const std::string& heading) {
    const std::string title = text(table.caption, heading.empty() ? "" : ", ", heading,
                                   table.detail.empty() ? "" : " (" + table.detail + ")");
    result += "\\midrule\n";
    if (!title.empty())
      result += text("\\multicolumn{", table.columns.size(), "}{l}{", latex_escaped(title), "} \\\\\n");
  };
  if (table.headings.empty()) add_heading("");
  auto heading = table.headings.begin();
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    for (; heading != table.headings.end() && heading->first <= row; ++heading) add_heading(heading->second);
    result += latex_line(table.rows[row]);
  }
  return result;
}

}  // namespace

std::string four_digits(std::optional<double> value) {
  if (!value) return "-";
  const double size = std::abs(*value);
  return formatted(size < 1e4 || size >= 1e15 ? "%.4g" : "%.0f", *value);
}

std::string all_digits(std::optional<double> value) { return value ? nlohmann::json(*value).dump() : ""; }

std::string shown(const Cell& cell) {
  if (const auto* words = std::get_if<std::string>(&cell.value)) return *words;
  if (const auto* count = std::get_if<std::int64_t>(&cell.value)) return std::to_string(*count);
  const auto* number = std::get_if<double>(&cell.value);
  if (!number) return "-";
  if (cell.digits == Digits::four) return four_digits(*number);
  return formatted(cell.digits == Digits::two ? "%.2g" : "%.2f", *number);
}

std::string aligned_text(std::span<const Cells> rows, std::size_t left) {
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string result;
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string words = shown(row[i]), padding(widths[i] - characters(words), ' ');
      if (i > 0) result += "  ";
      result += i < left ? words + padding : padding + words;
    }
    result.erase(result.find_last_not_of(' ') + 1);  // of a last column that is flush left
    result += '\n';
  }
  return result;
}

std::vector<Column> columns_of(const Record& record) {
  std::vector<Column> result;
  for (const Entry& entry : record) result.push_back(entry.column);
  return result;
}

void Table::add(const Record& record) {
  if (columns.empty()) columns = columns_of(record);
  Cells& row = rows.emplace_back();
  for (const Entry& entry : record) row.push_back(entry.cell);
}

std::vector<std::string> remarks(std::span<const LeftOut> left_out) {
  std::vector<std::string> result;
  for (const auto& [key, names, what] : left_out) {
    if (names.empty()) continue;
    result.push_back(text(names.size(), names.size() == 1 ? " run " : " runs ", what, ": ", joined(names, ", ")));
  }
  return result;
}

std::vector<std::string> remarks(const std::vector<std::string>& unfinished, const std::vector<std::string>& failed) {
  return remarks(std::vector<LeftOut>{{"unfinished", unfinished}, {"failed", failed}});
}

std::vector<std::string> notes_of(const Table& table) {
  std::vector<std::string> result = remarks(table.left_out);
  result.insert(result.end(), table.notes.begin(), table.notes.end());
  return result;
}

std::string full_caption(const Table& table) {
  return table.caption + (table.detail.empty() ? "" : ", ") + table.detail;
}

Table visible(const Table& table) { return with_columns(table, columns_with(&Column::heading, table)); }

Table with_keys(const TableSet& set) {
  Table result;
  for (const Table& table : set.tables) {
    const Table keyed = with_columns(table, columns_with(&Column::key, table));
    if (keyed.columns.empty()) continue;
    result.columns = keyed.columns;
    result.rows.insert(result.rows.end(), keyed.rows.begin(), keyed.rows.end());
  }
  for (Column& column : result.columns) column.heading = column.key;
  return result;
}

std::string as_text(const Table& table, std::size_t width) {
  const Table seen = visible(table);
  std::string result = table.caption.empty() ? "" : wrapped(full_caption(table), width);
  const char* separator = "";
  for (const std::vector<std::size_t>& columns : parts_of(seen, width)) {
    result += separator + part_text(with_columns(seen, columns), width);
    separator = "\n";
  }
  for (const std::string& note : notes_of(table)) result += wrapped(note, width);
  return result;
}

std::string as_text(const TableSet& set, std::size_t width) {
  std::string result;
  for (const Table& table : set.tables) result += (result.empty() ? "" : "\n") + as_text(table, width);
  if (!result.empty() && !(set.remarks.empty() && set.legend.empty())) result += '\n';
  for (const std::string& remark : set.remarks) result += wrapped(remark, width);
  for (const std::string& line : set.legend) result += wrapped(line, width);
  return result;
}

std::string csv_line(const Cells& row) { return joined(row, ",", csv_field) + "\n"; }

std::string as_csv(const TableSet& set) {
  std::string result;
  for (const Cells& row : lines_of(with_keys(set))) result += csv_line(row);
  return result;
}

std::string latex_line(const Cells& row) { return joined(row, " & ", latex_cell) + " \\\\\n"; }

std::string as_latex(const TableSet& set) {
  std::vector<Table> tables = set.latex_head.empty() ? std::vector{with_keys(set)} : set.tables;
  for (Table& table : tables)
    for (const Table& other : tables)
      for (std::size_t i = 0; i < table.columns.size(); ++i)
        if (table.columns[i].heading.empty()) table.columns[i].heading = other.columns[i].heading;
  const Table first = visible(tables.front());
  std::string columns;  // words that tell the rows apart flush left, the others flush right
  for (std::size_t i = 0; i < first.columns.size(); ++i) {
    const bool is_left =
        columns.find('r') == columns.npos && (first.rows.empty() ? i == 0 : is_words(first.rows[0][i]));
    columns += is_left ? 'l' : 'r';
  }
  std::string body, notes;
  for (const Table& table : tables) {
    body += latex_body(visible(table));
    for (const std::string& note : notes_of(table)) notes += latex_note(table.caption + ": " + note);
  }
  for (const std::string& remark : set.remarks) notes += latex_note(remark);
  return text("% \\usepackage{booktabs}", set.latex_comment, "\n\\begin{tabular}{", columns, "}\n\\toprule\n",
              set.latex_head.empty() ? latex_line(lines_of(first).front()) : set.latex_head, body,
              "\\bottomrule\n\\end{tabular}\n", notes);
}

std::string latex_escaped(const std::string& words) {
  std::string result;
  for (const char letter : words) {
    if (std::string_view("&%$#_{}").find(letter) != std::string_view::npos)
      result += {'\\', letter};
    else if (letter == '~')
      result += "\\textasciitilde{}";
    else if (letter == '^')
      result += "\\textasciicircum{}";
    else if (letter == '\\')
      result += "\\textbackslash{}";
    else
      result += letter;
  }
  return result;
}

std::string latex_number(const std::string& number) {
  const std::size_t e = number.find('e');
  if (e == number.npos) return number;
  return text('$', number.substr(0, e), "\\cdot10^{", std::stoi(number.substr(e + 1)), "}$");
}

}  // namespace normalign

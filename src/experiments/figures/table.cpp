#include "experiments/figures/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "base/error.hpp"

namespace normalign {
namespace {

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == field.npos) return field;
  std::string quoted = "\"";
  for (const char letter : field) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

template <class Function>
std::string joined(const Cells& row, const char* separator, Function&& cell) {
  std::string result;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) result += separator;
    result += cell(row[i]);
  }
  return result;
}

// Of UTF-8: bytes but those that go on with a character.
std::size_t characters(const std::string& words) {
  return static_cast<std::size_t>(std::ranges::count_if(words, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::vector<std::size_t> widths_of(std::span<const Cells> rows) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
  for (const Cells& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
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

// The columns of each part of a table.
std::vector<std::vector<std::size_t>> parts_of(const Table& table, std::size_t width) {
  const std::vector<std::size_t> widths = widths_of(table.rows);
  std::vector<std::size_t> first;
  std::size_t of_first = 0;
  for (std::size_t i = 0; i < std::min(table.left, widths.size()); ++i) {
    first.push_back(i);
    of_first += widths[i] + (i > 0 ? 2 : 0);
  }
  std::vector<std::vector<std::size_t>> parts = {first};
  std::size_t used = of_first;
  const auto is_joined = [&](std::size_t column) {
    return std::ranges::find(table.joined, column) != table.joined.end();
  };
  for (std::size_t column = first.size(); column < widths.size();) {
    std::size_t end = column, needed = 0;  // of a column and those joined to it
    do {
      needed += 2 + widths[end++];
    } while (end < widths.size() && is_joined(end));
    if (used + needed > width && parts.back().size() > first.size()) {
      parts.push_back(first);
      used = of_first;
    }
    for (; column < end; ++column) {
      if (used + 2 + widths[column] > width && parts.back().size() > first.size()) {
        parts.push_back(first);
        used = of_first;
      }
      parts.back().push_back(column);
      used += 2 + widths[column];
    }
  }
  return parts;
}

std::string part_text(const Table& table, const std::vector<std::size_t>& columns, std::size_t width) {
  std::vector<Cells> rows;
  for (const Cells& row : table.rows) {
    Cells& cells = rows.emplace_back();
    for (const std::size_t column : columns) cells.push_back(row[column]);
  }
  std::istringstream lines(aligned_text(rows, table.left));
  std::string result, line;
  auto heading = table.headings.begin();
  const auto add_headings = [&](std::size_t row) {
    for (; heading != table.headings.end() && heading->first <= row; ++heading)
      result += wrapped(heading->second, width);
  };
  for (std::size_t row = 0; row < rows.size(); ++row) {
    add_headings(row);
    std::getline(lines, line);
    result += line + '\n';
  }
  add_headings(rows.size());
  return result;
}

}  // namespace

std::string four_digits(std::optional<double> value) {
  if (!value) return "-";
  char buffer[400];
  const double size = std::abs(*value);
  std::snprintf(buffer, sizeof buffer, size < 1e4 || size >= 1e15 ? "%.4g" : "%.0f", *value);
  return buffer;
}

std::string all_digits(std::optional<double> value) { return value ? nlohmann::json(*value).dump() : ""; }

std::string aligned_text(std::span<const Cells> rows, std::size_t left) {
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string result;
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - characters(row[i]), ' ');
      if (i > 0) result += "  ";
      result += i < left ? row[i] + padding : padding + row[i];
    }
    result += '\n';
  }
  return result;
}

std::string as_text(const Table& table, std::size_t width) {
  std::string result = table.caption.empty() ? "" : wrapped(table.caption, width);
  const char* separator = "";
  for (const std::vector<std::size_t>& columns : parts_of(table, width)) {
    result += separator + part_text(table, columns, width);
    separator = "\n";
  }
  for (const std::string& note : table.notes) result += wrapped(note, width);
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

std::string latex_line(const Cells& row) { return joined(row, " & ", std::identity()) + " \\\\\n"; }

std::string latex_note(const std::string& table, const std::string& words) {
  return text("\\par\\noindent{\\footnotesize ", latex_escaped(table), ": ", latex_escaped(words), ".}\n");
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

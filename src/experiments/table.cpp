#include "experiments/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>

#include "linalg/error.hpp"

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

}  // namespace

std::string four_digits(std::optional<double> value) {
  if (!value) return "-";
  char buffer[400];
  std::snprintf(buffer, sizeof buffer, std::abs(*value) < 1e4 ? "%.4g" : "%.0f", *value);
  return buffer;
}

std::string all_digits(std::optional<double> value) { return value ? nlohmann::json(*value).dump() : ""; }

std::string aligned_text(std::span<const Cells> rows, std::size_t left) {
  std::vector<std::size_t> widths(rows.empty() ? 0 : rows.front().size());
  for (const Cells& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string result;
  for (const Cells& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - row[i].size(), ' ');
      if (i > 0) result += "  ";
      result += i < left ? row[i] + padding : padding + row[i];
    }
    result += '\n';
  }
  return result;
}

std::string as_text(const Table& table) {
  std::string result = table.caption.empty() ? "" : table.caption + '\n';
  std::istringstream lines(aligned_text(table.rows, table.left));
  std::string line;
  auto heading = table.headings.begin();
  const auto add_headings = [&](std::size_t row) {
    for (; heading != table.headings.end() && heading->first <= row; ++heading) result += heading->second + '\n';
  };
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    add_headings(row);
    std::getline(lines, line);
    result += line + '\n';
  }
  add_headings(table.rows.size());
  for (const std::string& note : table.notes) result += note + '\n';
  return result;
}

std::string as_text(const TableSet& set) {
  std::string result;
  for (const Table& table : set.tables) result += as_text(table) + '\n';
  for (const std::string& remark : set.remarks) result += remark + '\n';
  for (const std::string& line : set.legend) result += line + '\n';
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

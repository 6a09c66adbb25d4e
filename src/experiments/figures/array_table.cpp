#include "experiments/figures/array_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// The values of one key, a row each; null where the row has none.
struct JsonColumn {
  std::string name;
  std::string path;  // of keys, for messages
  std::vector<const Json*> cells;
};

class JsonColumns {
 public:
  void add_row(const Json& row, Index number) { add(row, static_cast<std::size_t>(number), "", ""); }
  // All columns with so many rows.
  std::vector<JsonColumn> take(std::size_t rows) {
    for (JsonColumn& column : columns_) column.cells.resize(rows, nullptr);
    return std::move(columns_);
  }

 private:
  void add(const Json& object, std::size_t row, const std::string& before, const std::string& path) {
    for (const auto& [key, value] : object.items()) {
      if (value.is_object()) {
        add(value, row, before + key + '_', path + key + '.');
        continue;
      }
      const auto [found, is_new] = places_.emplace(path + key, columns_.size());
      if (is_new) columns_.push_back({.name = before + key, .path = path + key, .cells = {}});
      std::vector<const Json*>& cells = columns_[found->second].cells;
      cells.resize(row, nullptr);
      cells.push_back(value.is_null() ? nullptr : &value);
    }
  }

  std::vector<JsonColumn> columns_;
  std::map<std::string, std::size_t> places_;  // by path
};

[[noreturn]] void refuse_cell(const std::string& what, const Json& found, const std::string& expected) {
  throw InputError(text(what, ": found ", found.is_array() ? text("a list of ", found.size()) : one_line(found.dump()),
                        ", expected ", expected));
}

// The extents of a list of lists, by its first elements.
std::vector<Index> shape_of(const Json* cell) {
  std::vector<Index> shape;
  for (; cell && cell->is_array(); cell = cell->empty() ? nullptr : &cell->front())
    shape.push_back(static_cast<Index>(cell->size()));
  return shape;
}

// Appends the values of a cell of this shape from dimension `depth` on; null for each that is missing. `what()` names
// the cell.
template <class What>
void flatten(const Json* cell, const std::vector<Index>& shape, std::size_t depth, const What& what,
             std::vector<const Json*>& leaves) {
  if (cell && cell->is_null()) cell = nullptr;
  if (depth == shape.size()) {
    if (cell && cell->is_structured()) refuse_cell(what(), *cell, "a value, as in other rows");
    leaves.push_back(cell);
    return;
  }
  const auto extent = static_cast<std::size_t>(shape[depth]);
  if (cell && (!cell->is_array() || cell->size() != extent))
    refuse_cell(what(), *cell, text("a list of ", extent, ", as in other rows"));
  for (std::size_t i = 0; i < extent; ++i) flatten(cell ? &(*cell)[i] : nullptr, shape, depth + 1, what, leaves);
}

bool is_int64(const Json& value) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return value.is_number_unsigned() ? value.get<std::uint64_t>() <= most : value.is_number_integer();
}

// What `value_of` makes of each leaf, and `missing` for those that are not there.
template <class T, class ValueOf>
std::vector<T> each(const std::vector<const Json*>& leaves, T missing, const ValueOf& value_of) {
  std::vector<T> result;
  result.reserve(leaves.size());
  for (const Json* leaf : leaves) result.push_back(leaf ? value_of(*leaf) : missing);
  return result;
}

double number_of(const Json& value) { return value.is_boolean() ? value.get<bool>() : value.get<double>(); }

// The values of an array, all of one kind; `what(row)` names a cell.
template <class What>
void set_values(const std::vector<const Json*>& leaves, const What& what, NamedArray& array) {
  const auto all = [&](const auto& is_such) {
    return std::ranges::all_of(leaves, [&](const Json* leaf) { return leaf && is_such(*leaf); });
  };
  const auto first = std::ranges::find_if(leaves, [](const Json* leaf) { return leaf != nullptr; });
  const bool is_text = first != leaves.end() && (*first)->is_string();
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (leaves[i] && leaves[i]->is_string() != is_text)
      refuse_cell(what(i * static_cast<std::size_t>(array.shape[0]) / leaves.size()), *leaves[i],
                  is_text ? "a text, as in other rows" : "a number, as in other rows");
  if (is_text)
    array.values = each<std::string>(leaves, "", [](const Json& value) { return value.get<std::string>(); });
  else if (!leaves.empty() && all([](const Json& value) { return value.is_boolean(); }))
    array.values = each<std::uint8_t>(leaves, 0, [](const Json& value) { return value.get<bool>(); });
  else if (!leaves.empty() && all(is_int64))
    array.values = each<std::int64_t>(leaves, 0, [](const Json& value) { return value.get<std::int64_t>(); });
  else
    array.values = each<double>(leaves, std::numeric_limits<double>::quiet_NaN(), number_of);
}

NamedArray code_array(const std::string& table, const JsonColumn& column) {
  NamedArray array{.name = column.name};
  std::vector<std::uint8_t> bits;
  std::size_t length = 0;
  for (std::size_t row = 0; row < column.cells.size(); ++row) {
    const auto what = [&] { return text(table, '[', row, "].", column.path); };
    const Json* cell = column.cells[row];
    if (!cell) throw InputError(what() + ": found nothing, expected a code, as in other rows");
    const std::string code = cell->is_string() ? cell->get<std::string>() : "";
    if (row == 0) length = code.size();
    if (!cell->is_string() || code.size() != length || code.find_first_not_of("01") != code.npos)
      refuse_cell(what(), *cell, row == 0 ? text("digits 0 and 1") : text(length, " digits 0 and 1"));
    for (const char digit : code) bits.push_back(digit == '1');
  }
  array.shape = {static_cast<Index>(column.cells.size()), static_cast<Index>(length)};
  array.values = std::move(bits);
  return array;
}

NamedArray array_of(const std::string& table, const JsonColumn& column) {
  if (column.name == "code") return code_array(table, column);
  const auto first = std::ranges::find_if(column.cells, [](const Json* cell) { return cell != nullptr; });
  const std::vector<Index> shape = first == column.cells.end() ? std::vector<Index>{} : shape_of(*first);
  const auto what = [&](std::size_t row) { return text(table, '[', row, "].", column.path); };
  std::vector<const Json*> leaves;
  for (std::size_t row = 0; row < column.cells.size(); ++row)
    flatten(
        column.cells[row], shape, 0, [&] { return what(row); }, leaves);
  NamedArray array{.name = column.name, .shape = {static_cast<Index>(column.cells.size())}};
  array.shape.insert(array.shape.end(), shape.begin(), shape.end());
  set_values(leaves, what, array);
  return array;
}

// The names that the columns of an array have in CSV.
std::vector<std::string> column_names(const NamedArray& array) {
  std::vector<std::string> names = {array.name};
  for (std::size_t axis = 1; axis < array.shape.size(); ++axis) {
    std::vector<std::string> longer;
    for (const std::string& name : names)
      for (Index i = 0; i < array.shape[axis]; ++i) longer.push_back(text(name, '_', i));
    names = std::move(longer);
  }
  return names;
}

Cell cell_of(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return std::isnan(value) ? Cell() : Cell(value);
}
Cell cell_of(const std::string& value) { return value.empty() ? Cell() : Cell(value); }
template <std::integral T>
Cell cell_of(T value) {
  return Cell(value);
}

}  // namespace

ArrayTable table_of(const std::string& name, const Json& rows) {
  if (!rows.is_array()) refuse_cell(name, rows, "a list of objects");
  JsonColumns columns;
  ArrayTable table{.name = name};
  for (const Json& row : rows) {
    if (!row.is_object()) refuse_cell(text(name, '[', table.rows, ']'), row, "an object");
    columns.add_row(row, table.rows++);
  }
  for (const JsonColumn& column : columns.take(rows.size())) table.columns.push_back(array_of(name, column));
  return table;
}

std::string as_csv(const ArrayTable& table) {
  Cells head;
  std::vector<std::size_t> widths;
  for (const NamedArray& column : table.columns) {
    const std::vector<std::string> names = column_names(column);
    head.insert(head.end(), names.begin(), names.end());
    widths.push_back(names.size());
  }
  std::string csv = csv_line(head);
  Cells line;
  for (std::size_t row = 0; row < static_cast<std::size_t>(table.rows); ++row) {
    line.clear();
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      std::visit(
          [&](const auto& values) {
            for (std::size_t i = row * widths[c]; i < (row + 1) * widths[c]; ++i) line.push_back(cell_of(values[i]));
          },
          table.columns[c].values);
    csv += csv_line(line);
  }
  return csv;
}

std::string array_name(const std::string& table, const std::string& name) {
  return table.empty() ? name : table + '/' + name;
}

void add(NpzWriter& file, const NamedArray& array) {
  std::visit([&](const auto& values) { file.add(array.name, array.shape, std::span(values)); }, array.values);
}

void add(NpzWriter& file, const ArrayTable& table) {
  for (const NamedArray& column : table.columns)
    std::visit(
        [&](const auto& values) { file.add(array_name(table.name, column.name), column.shape, std::span(values)); },
        column.values);
}

}  // namespace normalign

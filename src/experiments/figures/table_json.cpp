#include "experiments/figures/table_json.hpp"

#include <nlohmann/json.hpp>

namespace normalign {

using Json = nlohmann::ordered_json;

Json json_of(const Cell& cell) {
  if (const auto* words = std::get_if<std::string>(&cell.value)) return *words;
  if (const auto* count = std::get_if<std::int64_t>(&cell.value)) return *count;
  const auto* number = std::get_if<double>(&cell.value);
  return number ? Json(*number) : Json(nullptr);
}

// The cells of these columns.
static Json object_of(const Table& table, const Cells& row, std::size_t first, std::size_t end) {
  Json result = Json::object();
  for (std::size_t i = first; i < end; ++i)
    if (const std::string& key = table.columns[i].key; !key.empty())
      result[Json::json_pointer("/" + key)] = json_of(row[i]);
  return result;
}

Json rows_json(const Table& table) {
  Json result = Json::array();
  for (const Cells& row : table.rows) result.push_back(object_of(table, row, table.shared, row.size()));
  return result;
}

Json rows_json(ConstView<double> matrix) {
  Json rows = Json::array();
  for (Index i = 0; i < matrix.rows(); ++i) rows.push_back(Json(matrix.row(i)));
  return rows;
}

Json as_json(const TableSet& set) {
  Json list = Json::array();
  if (set.rows_key.empty())
    list = rows_json(with_keys(set));
  else
    for (const Table& table : set.tables) {
      if (table.rows.empty()) continue;
      Json& added = list.emplace_back(object_of(table, table.rows.front(), 0, table.shared));
      added[set.rows_key] = rows_json(table);
      for (const LeftOut& left_out : table.left_out) added[left_out.key] = left_out.names;
    }
  if (set.key.empty()) return list;
  return {{set.key, std::move(list)}};
}

}  // namespace normalign

#include "experiments/report/parts.hpp"

#include <algorithm>

#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;
using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines) result += (result.empty() ? "" : " ") + line;
  return result;
}

std::string cell_of(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_number_float()) return four_digits(value.get<double>());
  return value.is_string() ? value.get<std::string>() : log_json::dump(value);
}

// Name and value of each entry, those of objects within in their place.
std::vector<std::pair<std::string, std::string>> entries(const Json& object) {
  std::vector<std::pair<std::string, std::string>> result;
  for (const auto& [name, value] : object.items())
    if (value.is_object())
      for (auto& inner : entries(value)) result.push_back(std::move(inner));
    else
      result.emplace_back(name, cell_of(value));
  return result;
}

}  // namespace

Markup table_part(const Table& table) {
  Markup body;
  auto heading = table.headings.begin();
  const std::size_t columns = table.rows.empty() ? 1 : table.rows.front().size();
  const auto add_headings = [&](std::size_t row) {
    for (; heading != table.headings.end() && heading->first <= row; ++heading)
      body +=
          element("tr", {{"class", "heading"}}, element("th", {{"colspan", std::to_string(columns)}}, heading->second));
  };
  const auto row_of = [](const char* cell, const Cells& cells) {
    Markup row;
    for (const std::string& words : cells) row += element(cell, {}, words);
    return element("tr", {}, row);
  };
  for (std::size_t row = 1; row < table.rows.size(); ++row) {
    add_headings(row);
    body += row_of("td", table.rows[row]);
  }
  add_headings(table.rows.size());
  Markup whole;
  if (!table.caption.empty()) whole += element("caption", {}, table.caption);
  if (!table.rows.empty()) whole += element("thead", {}, row_of("th", table.rows.front()));
  whole += element("tbody", {}, body);
  Markup result = element("div", {{"class", "scroll"}},
                          element("table", {{"class", "l" + std::to_string(table.left)}}, whole), "\n");
  for (const std::string& note : table.notes) result += element("p", {{"class", "note"}}, note);
  return result;
}

Markup table_part(const TableSet& set) {
  Markup result;
  for (const Table& table : set.tables) result += table_part(table);
  for (const std::string& remark : set.remarks) result += element("p", {{"class", "note"}}, remark);
  if (!set.legend.empty()) result += element("p", {{"class", "soft"}}, joined(set.legend));
  return result;
}

Table table_of(const Json& objects, std::size_t left) {
  Table result{.rows = {{}}, .left = left};
  Cells& head = result.rows.front();
  for (const Json& object : objects)
    for (const auto& [name, value] : entries(object))
      if (std::ranges::find(head, name) == head.end()) head.push_back(name);
  const Cells names = head;
  for (const Json& object : objects) {
    Cells& row = result.rows.emplace_back(names.size(), "-");
    for (auto& [name, value] : entries(object))
      row[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())] = std::move(value);
  }
  // What no object has takes no room.
  for (std::size_t column = names.size(); column-- > left;)
    if (std::ranges::all_of(result.rows.begin() + 1, result.rows.end(),
                            [&](const Cells& row) { return row[column] == "-"; }))
      for (Cells& row : result.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  for (std::string& name : result.rows.front()) std::ranges::replace(name, '_', ' ');
  return result;
}

Markup list_part(const Json& object) {
  if (object.empty()) return {};
  Markup result;
  for (const auto& [name, value] : object.items())
    result += element("div", {}, element("dt", {}, name),
                      element("dd", {}, value.is_string() ? value.get<std::string>() : log_json::dump(value)));
  return element("dl", {}, result);
}

Json common_part(const std::vector<const Json*>& objects) {
  Json result = objects.empty() ? Json::object() : *objects.front();
  for (const Json* object : objects)
    for (auto entry = result.begin(); entry != result.end();) {
      const auto found = object->find(entry.key());
      entry = found != object->end() && *found == *entry ? std::next(entry) : result.erase(entry);
    }
  return result;
}

Json difference_from(const Json& common, const Json& object) {
  Json result = Json::object();
  for (const auto& [name, value] : object.items())
    if (const auto found = common.find(name); found == common.end() || *found != value) result[name] = value;
  return result;
}

}  // namespace normalign

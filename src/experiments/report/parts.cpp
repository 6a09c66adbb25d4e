#include "experiments/report/parts.hpp"

#include <algorithm>

#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;
using Json = nlohmann::ordered_json;

Cell cell_of(const Json& value) {
  if (value.is_null()) return {};
  if (value.is_number_float()) return value.get<double>();
  return value.is_string() ? value.get<std::string>() : log_json::dump(value);
}

// Name and value of each entry, those of objects within in their place.
std::vector<std::pair<std::string, Cell>> entries(const Json& object) {
  std::vector<std::pair<std::string, Cell>> result;
  for (const auto& [name, value] : object.items())
    if (value.is_object())
      for (auto& inner : entries(value)) result.push_back(std::move(inner));
    else
      result.emplace_back(name, cell_of(value));
  return result;
}

}  // namespace

Markup table_part(const Table& whole) {
  const Table table = visible(whole);
  const auto row_of = [](const char* tag, const auto& cells, const auto& words_of) {
    Markup row;
    for (const auto& cell : cells) row += element(tag, {}, words_of(cell));
    return element("tr", {}, row);
  };
  Markup body;
  auto heading = table.headings.begin();
  for (std::size_t row = 0; row <= table.rows.size(); ++row) {
    for (; heading != table.headings.end() && heading->first <= row; ++heading)
      body += element("tr", {{"class", "heading"}},
                      element("th", {{"colspan", std::to_string(table.columns.size())}}, heading->second));
    if (row < table.rows.size()) body += row_of("td", table.rows[row], shown);
  }
  Markup content;
  if (const std::string caption = full_caption(table); !caption.empty()) content += element("caption", {}, caption);
  if (!table.columns.empty())
    content += element("thead", {}, row_of("th", table.columns, [](const Column& column) { return column.heading; }));
  content += element("tbody", {}, body);
  Markup result = element("div", {{"class", "scroll"}},
                          element("table", {{"class", "l" + std::to_string(table.left)}}, content), "\n");
  for (const std::string& note : notes_of(table)) result += element("p", {{"class", "note"}}, note);
  return result;
}

Markup table_part(const TableSet& set) {
  Markup result;
  for (const Table& table : set.tables) result += table_part(table);
  for (const std::string& remark : set.remarks) result += element("p", {{"class", "note"}}, remark);
  if (!set.legend.empty()) result += element("p", {{"class", "soft"}}, joined(set.legend, " "));
  return result;
}

Markup group(const std::string& words, const Markup& content) {
  return element("details", {{"class", "group"}}, element("summary", {}, words), content, "\n");
}

Markup link_to(const std::filesystem::path& path, const AddressOf& address_of) {
  const std::string address = address_of(path);
  return address.empty() ? html::markup(path.string()) : element("a", {{"href", address}}, path.string());
}

Table table_of(const Json& objects, std::size_t left) {
  std::vector<std::string> names;
  for (const Json& object : objects)
    for (const auto& [name, value] : entries(object))
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  Table result{.left = left};
  for (const std::string& name : names) {
    std::string& heading = result.columns.emplace_back(Column{name}).heading;
    std::ranges::replace(heading, '_', ' ');
  }
  for (const Json& object : objects) {
    Cells& row = result.rows.emplace_back(names.size());
    for (auto& [name, value] : entries(object))
      row[static_cast<std::size_t>(std::ranges::find(names, name) - names.begin())] = std::move(value);
  }
  // What no object has takes no room.
  for (std::size_t column = left; column < names.size(); ++column)
    if (std::ranges::all_of(result.rows, [&](const Cells& row) { return row[column] == Cell(); }))
      result.columns[column].heading.clear();
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

std::vector<std::size_t> sampled(std::size_t all, std::size_t most) {
  std::vector<std::size_t> result;
  const std::size_t count = std::min(all, most);
  for (std::size_t i = 0; i < count; ++i) result.push_back(count == 1 ? 0 : i * (all - 1) / (count - 1));
  return result;
}

}  // namespace normalign

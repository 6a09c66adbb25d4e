#include "experiments/studies/geometry_tables.hpp"

#include <nlohmann/json.hpp>

#include "base/infinity.hpp"
#include "experiments/runs/log_json.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

// The list under a key; throws where there is none.
Json& list_in(Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array())
    log_json::refuse(key, found == json.end() ? nullptr : &*found, "a list");
  return *found;
}

// The object under a key; throws where there is none.
Json& object_in(Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_object())
    log_json::refuse(key, found == json.end() ? nullptr : &*found, "an object");
  return *found;
}

// JSON has no infinity: in these fields null stands for it.
void restore_infinities(Json& object, std::initializer_list<const char*> keys) {
  if (!object.is_object()) return;
  for (const char* key : keys)
    if (const auto found = object.find(key); found != object.end() && found->is_null()) *found = infinity;
}

// Rows that are lists, as objects with these keys.
Json with_keys(const Json& rows, const std::string& what, const std::vector<const char*>& keys) {
  Json result = Json::array();
  for (const Json& row : rows) {
    if (!row.is_array() || row.size() != keys.size())
      log_json::refuse(text(what, '[', result.size(), ']'), &row, text("a list of ", keys.size()).c_str());
    Json& added = result.emplace_back(Json::object());
    for (std::size_t i = 0; i < keys.size(); ++i) added[keys[i]] = row[i];
  }
  return result;
}

// Values as rows of one column.
Json as_column(const Json& values, const char* key) {
  Json rows = Json::array();
  for (const Json& value : values) rows.push_back({{key, value}});
  return rows;
}

// A list of numbers as an array; an empty one is of whole numbers.
NamedArray array_in(Json& json, const char* key, const std::string& name) {
  ArrayTable table = table_of(key, as_column(list_in(json, key), "values"));
  if (table.columns.empty()) return {.name = name, .shape = {0}, .values = std::vector<std::int64_t>()};
  table.columns.front().name = name;
  return std::move(table.columns.front());
}

void add_units(Json& json, FileTables& result) {
  if (json.contains("units")) result.others.push_back(array_in(json, "units", "units"));
}

ArrayTable vertices_table(Json& json) {
  Json rows = as_column(list_in(json, "vertices"), "t");
  if (json.contains("outputs")) {
    const Json& outputs = list_in(json, "outputs");
    if (outputs.size() != rows.size())
      log_json::refuse("outputs", &outputs, text("a list of ", rows.size(), ", as of vertices").c_str());
    for (std::size_t v = 0; v < rows.size(); ++v) rows[v]["outputs"] = outputs[v];
  }
  return table_of("vertices", rows);
}

// Takes the lists of corners, which have different lengths, out of the regions.
ArrayTable corners_table(Json& regions, const Json& vertices) {
  Json rows = Json::array();
  for (std::size_t r = 0; r < regions.size(); ++r) {
    const std::string what = text("regions[", r, "]");
    if (!regions[r].is_object()) log_json::refuse(what, &regions[r], "an object");
    for (const Json& corner : within(what + '.', [&]() -> const Json& { return list_in(regions[r], "corners"); })) {
      const Index vertex = corner.is_number_integer() ? corner.get<Index>() : -1;
      if (vertex < 0 || vertex >= static_cast<Index>(vertices.size()))
        log_json::refuse(what + ".corners", &corner, "the number of a vertex");
      rows.push_back({{"region", r}, {"vertex", vertex}, {"t", vertices[static_cast<std::size_t>(vertex)]}});
    }
    regions[r].erase("corners");
  }
  return table_of("corners", rows);
}

ArrayTable boundary_table(Json& boundary) {
  Json rows = Json::array();
  std::size_t line = 0;
  for (Json& polyline : list_in(boundary, "polylines")) {
    const std::string what = text("polylines[", line, "].");
    within(what, [&] {
      Json classes = list_in(polyline, "classes");
      if (classes.size() == 1) classes.push_back(-1);
      for (const Json& t : list_in(polyline, "points"))
        rows.push_back({{"line", line}, {"t", t}, {"classes", classes}});
    });
    ++line;
  }
  return table_of("boundary", rows);
}

}  // namespace

FileTables inspection_tables(Json json) {
  Json& samples = list_in(json, "samples");
  for (Json& sample : samples)
    if (sample.is_object() && sample.contains("certificate"))
      restore_infinities(sample["certificate"], {"lower", "upper"});
  FileTables result{.tables = {table_of("samples", samples)}};
  result.tables.front().name = "";
  add_units(json, result);
  return result;
}

FileTables slice_tables(Json json) {
  FileTables result;
  if (json.contains("regions")) {
    Json& regions = list_in(json, "regions");
    ArrayTable corners = corners_table(regions, list_in(json, "vertices"));
    result.tables = {table_of("regions", regions), std::move(corners), vertices_table(json),
                     table_of("edges", with_keys(list_in(json, "edges"), "edges",
                                                 {"from", "to", "left", "right", "layer", "unit"}))};
  }
  result.tables.push_back(
      within("decision_boundary.", [&] { return boundary_table(object_in(json, "decision_boundary")); }));
  result.tables.push_back(table_of("points", list_in(json, "points")));
  Json& plane = object_in(json, "plane");
  for (const char* key : {"origin", "u", "v"})
    result.others.push_back(within("plane.", [&] { return array_in(plane, key, array_name("plane", key)); }));
  add_units(json, result);
  return result;
}

FileTables region_tables(Json json) {
  FileTables result;
  if (json.contains("regions")) {
    for (Json& region : list_in(json, "regions")) restore_infinities(region, {"clearance", "volume"});
    Json pieces = with_keys(list_in(json, "pieces"), "pieces", {"region", "class", "component", "volume"});
    for (Json& piece : pieces) restore_infinities(piece, {"volume"});
    result.tables = {
        table_of("regions", json["regions"]),
        table_of("facets",
                 with_keys(list_in(json, "facets"), "facets", {"first", "second", "is_crossed", "is_decision"})),
        table_of("pieces", pieces), table_of("components", as_column(list_in(json, "component_labels"), "class"))};
  }
  for (Json& found : list_in(json, "classes")) restore_infinities(found, {"volume"});
  result.tables.push_back(table_of("classes", json["classes"]));
  add_units(json, result);
  return result;
}

FileTables robustness_tables(Json json) {
  FileTables result{.tables = {table_of("entries", json.is_array() ? json : list_in(json, "entries"))}};
  result.tables.front().name = "";
  return result;
}

void add(NpzWriter& file, const FileTables& tables) {
  for (const NamedArray& array : tables.others) add(file, array);
  for (const ArrayTable& table : tables.tables) add(file, table);
}

}  // namespace normalign

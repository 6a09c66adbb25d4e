#include "experiments/runs/table_encoding_json.hpp"

#include <algorithm>
#include <cmath>

#include "base/json_text.hpp"
#include "experiments/runs/log_json.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

using namespace log_json;

const Json& array_field(const Json& object, const char* key) {
  const Json* value = entry(object, key);
  if (!value || !value->is_array()) refuse(key, value, "a list");
  return *value;
}

std::vector<std::string> texts_field(const Json& object, const char* key) {
  std::vector<std::string> result;
  for (const Json& item : array_field(object, key)) {
    if (!item.is_string()) refuse(key, &item, "a text");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<double> numbers_field(const Json& object, const std::string& key, std::size_t expected) {
  std::vector<double> result;
  for (const Json& item : array_field(object, key.c_str())) {
    if (!item.is_number()) refuse(key, &item, "a number");
    result.push_back(item.get<double>());
  }
  if (result.size() != expected)
    throw InputError(text(key, ": found ", result.size(), " numbers, expected ", expected));
  return result;
}

// Writes means and deviations under these names, where there are any.
void add_scales(Json& json, const std::string& prefix, const std::optional<ColumnScales>& scales) {
  if (!scales) return;
  json[prefix + "means"] = scales->means;
  json[prefix + "deviations"] = scales->deviations;
}

// Those of so many columns; none where there are none.
std::optional<ColumnScales> scales_in(const Json& json, const std::string& prefix, std::size_t columns) {
  const std::string means = prefix + "means", deviations = prefix + "deviations";
  if (!entry(json, means.c_str())) return std::nullopt;
  ColumnScales scales = {numbers_field(json, means, columns), numbers_field(json, deviations, columns)};
  for (const double deviation : scales.deviations)
    if (!(deviation > 0)) refuse(deviations, entry(json, deviations.c_str()), "numbers above 0");
  return scales;
}

FeatureColumn column_in(const Json& json) {
  if (!json.is_object()) refuse("columns", &json, "objects");
  FeatureColumn column{
      .name = string_field(json, "name"), .place = count_field(json, "place"), .fill = number_field(json, "fill")};
  if (!entry(json, "levels")) return column;
  column.levels = texts_field(json, "levels");
  const auto count = static_cast<double>(column.levels.size());
  if (column.levels.empty() || !std::ranges::is_sorted(column.levels))
    refuse("levels", entry(json, "levels"), "texts in byte order");
  if (!(column.fill >= 0 && column.fill < count && column.fill == std::floor(column.fill)))
    refuse("fill", entry(json, "fill"), "a place in the levels");
  return column;
}

}  // namespace

Json table_encoding_json(const TableEncoding& encoding) {
  Json json = Json::object();
  if (encoding.is_regression()) {
    json["targets"] = encoding.targets;
    add_scales(json, "target_", encoding.target_scales);
  } else {
    json["label"] = encoding.label;
    json["class_names"] = encoding.class_names;
  }
  json["missing"] = name(encoding.features.missing);
  json["columns"] = Json::array();
  for (const FeatureColumn& column : encoding.features.columns) {
    Json entry = {{"name", column.name}, {"place", column.place}};
    if (!column.levels.empty()) entry["levels"] = column.levels;
    entry["fill"] = column.fill;
    json["columns"].push_back(std::move(entry));
  }
  add_scales(json, "", encoding.features.scales);
  return json;
}

std::optional<TableEncoding> table_encoding_in(const TensorFile& model) {
  const auto found = model.metadata.find("table");
  if (found == model.metadata.end()) return std::nullopt;
  return within("metadata table: ", [&] { return table_encoding(parsed_json<Json>(found->second)); });
}

TableEncoding table_encoding(const Json& json) {
  TableEncoding result;
  if (entry(json, "targets")) {
    result.targets = texts_field(json, "targets");
    if (result.targets.empty()) refuse("targets", entry(json, "targets"), "one name or more");
    result.target_scales = scales_in(json, "target_", result.targets.size());
  } else {
    result.label = string_field(json, "label");
    result.class_names = texts_field(json, "class_names");
  }
  result.features.missing = missing_values("missing", string_field(json, "missing"));
  for (const Json& column : array_field(json, "columns")) result.features.columns.push_back(column_in(column));
  result.features.scales = scales_in(json, "", static_cast<std::size_t>(result.features.size()));
  return result;
}

}  // namespace normalign

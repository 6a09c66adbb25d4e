#include "experiments/runs/table_encoding_json.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/runs/log_json.hpp"

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

std::vector<double> numbers_field(const Json& object, const char* key, Index expected) {
  std::vector<double> result;
  for (const Json& item : array_field(object, key)) {
    if (!item.is_number()) refuse(key, &item, "a number");
    result.push_back(item.get<double>());
  }
  if (static_cast<Index>(result.size()) != expected)
    throw InputError(text(key, ": found ", result.size(), " numbers, expected ", expected, ", one for each feature"));
  return result;
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
  Json json = {{"label", encoding.label},
               {"class_names", encoding.class_names},
               {"missing", name(encoding.features.missing)},
               {"columns", Json::array()}};
  for (const FeatureColumn& column : encoding.features.columns) {
    Json entry = {{"name", column.name}, {"place", column.place}};
    if (!column.levels.empty()) entry["levels"] = column.levels;
    entry["fill"] = column.fill;
    json["columns"].push_back(std::move(entry));
  }
  if (const auto& scales = encoding.features.scales) {
    json["means"] = scales->means;
    json["deviations"] = scales->deviations;
  }
  return json;
}

TableEncoding table_encoding(const Json& json) {
  TableEncoding result{.label = string_field(json, "label"), .class_names = texts_field(json, "class_names")};
  result.features.missing = missing_values("missing", string_field(json, "missing"));
  for (const Json& column : array_field(json, "columns")) result.features.columns.push_back(column_in(column));
  if (!entry(json, "means")) return result;
  const Index features = result.features.size();
  result.features.scales = {numbers_field(json, "means", features), numbers_field(json, "deviations", features)};
  for (const double deviation : result.features.scales->deviations)
    if (!(deviation > 0)) refuse("deviations", entry(json, "deviations"), "numbers above 0");
  return result;
}

}  // namespace normalign

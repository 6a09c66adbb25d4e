#include "support/json_schema.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <stdexcept>

namespace normalign::tests {
namespace {

using Json = nlohmann::json;

bool has_type(const Json& json, const std::string& type) {
  if (type == "object") return json.is_object();
  if (type == "array") return json.is_array();
  if (type == "string") return json.is_string();
  if (type == "boolean") return json.is_boolean();
  if (type == "null") return json.is_null();
  if (type == "number") return json.is_number();
  if (type == "integer")  // 1.0 is one, as in JSON Schema
    return json.is_number_integer() || (json.is_number() && json.get<double>() == std::round(json.get<double>()));
  throw std::invalid_argument("schema: unknown type " + type);
}

class Check {
 public:
  std::vector<std::string> errors = {};

  void value(const Json& schema, const Json& json, const std::string& place) {
    if (schema.is_boolean()) {
      if (!schema.get<bool>()) refuse(place, json, "nothing here");
      return;
    }
    static const std::set<std::string> known = {
        "$schema",    "title",    "description",          "type",  "enum",     "minimum", "maximum",
        "properties", "required", "additionalProperties", "items", "minItems", "maxItems"};
    for (const auto& [keyword, unused] : schema.items())
      if (!known.contains(keyword)) throw std::invalid_argument("schema: unknown keyword " + keyword);
    if (!type(schema, json, place)) return;
    if (schema.contains("enum") && std::ranges::find(schema["enum"], json) == schema["enum"].end())
      refuse(place, json, "one of " + schema["enum"].dump());
    if (json.is_number()) bounds(schema, json.get<double>(), "minimum", "maximum", json, place);
    if (json.is_array()) {
      bounds(schema, static_cast<double>(json.size()), "minItems", "maxItems", json, place);
      if (schema.contains("items"))
        for (std::size_t i = 0; i < json.size(); ++i) value(schema["items"], json[i], place + '/' + std::to_string(i));
    }
    if (json.is_object()) object(schema, json, place);
  }

 private:
  void refuse(const std::string& place, const Json& found, const std::string& expected) {
    errors.push_back((place.empty() ? "top level" : place.substr(1)) + ": found " + found.dump().substr(0, 60) +
                     ", expected " + expected);
  }

  bool type(const Json& schema, const Json& json, const std::string& place) {
    if (!schema.contains("type")) return true;
    const Json types = schema["type"].is_array() ? schema["type"] : Json::array({schema["type"]});
    for (const Json& type : types)
      if (has_type(json, type.get<std::string>())) return true;
    refuse(place, json, "type " + schema["type"].dump());
    return false;
  }

  void bounds(const Json& schema, double size, const char* least, const char* most, const Json& json,
              const std::string& place) {
    if (schema.contains(least) && size < schema[least].get<double>())
      refuse(place, json, "at least " + schema[least].dump());
    if (schema.contains(most) && size > schema[most].get<double>())
      refuse(place, json, "at most " + schema[most].dump());
  }

  void object(const Json& schema, const Json& json, const std::string& place) {
    for (const Json& key : schema.value("required", Json::array()))
      if (!json.contains(key.get<std::string>())) refuse(place, json, "the key " + key.dump());
    const Json properties = schema.value("properties", Json::object());
    const Json others = schema.value("additionalProperties", Json(true));
    for (const auto& [key, entry] : json.items())
      value(properties.contains(key) ? properties[key] : others, entry, place + '/' + key);
  }
};

}  // namespace

std::vector<std::string> schema_errors(const Json& schema, const Json& json) {
  Check check;
  check.value(schema, json, "");
  return check.errors;
}

}  // namespace normalign::tests

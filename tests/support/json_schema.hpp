// JSON held against a schema: as much of JSON Schema as the files in docs/schema use.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace normalign::tests {

/// What is wrong with `json` under `schema`, one line each with the place: "metrics/3/epoch: found -1, expected at
/// least 0". Knows type, enum, minimum, maximum, properties, required, additionalProperties, items, minItems and
/// maxItems, and passes over $schema, title and description. Throws std::invalid_argument on any other keyword, which
/// would check nothing.
std::vector<std::string> schema_errors(const nlohmann::json& schema, const nlohmann::json& json);

}  // namespace normalign::tests

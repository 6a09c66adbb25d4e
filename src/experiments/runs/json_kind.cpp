#include "experiments/runs/json_kind.hpp"

#include <nlohmann/json.hpp>

#include "experiments/figures/text_file.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

bool has(const Json& json, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (!json.contains(key)) return false;
  return true;
}

}  // namespace

Json of_kind(const char* kind, Json content) {
  Json result = {{"kind", kind}};
  if (content.is_object())
    result.update(content);
  else
    result["entries"] = std::move(content);
  return result;
}

std::string kind_of(const Json& json) {
  if (json.is_array() && !json.empty() && json.front().is_object() && has(json.front(), {"rank_correlation"}))
    return kind::robustness;
  if (!json.is_object()) return "";
  if (json.contains("kind")) return json["kind"].is_string() ? json["kind"].get<std::string>() : "";
  if (has(json, {"folds"})) return kind::tabular_log;
  if (has(json, {"run_name"}) || has(json, {"condition", "metrics"})) return kind::run_log;
  if (has(json, {"classes", "chance_alignment"})) return kind::inspection;
  if (has(json, {"means", "chance_alignment"})) return kind::sparsity;
  if (has(json, {"plane", "statistics"})) return kind::slice;
  return "";
}

const Json& entries_in(const Json& json) { return json.is_object() ? json.at("entries") : json; }

void write_json_file(const std::filesystem::path& path, const char* kind, Json content) {
  write_text_file(path, of_kind(kind, std::move(content)).dump(2) + "\n");
}

}  // namespace normalign

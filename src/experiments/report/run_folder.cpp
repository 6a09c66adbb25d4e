#include "experiments/report/run_folder.hpp"

#include "base/error.hpp"
#include "experiments/runs/run_files.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

bool has(const Json& json, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (!json.contains(key)) return false;
  return true;
}

void add(RunFolder& folder, const fs::path& path, Json json) {
  if (json.is_array() && !json.empty() && json.front().is_object() && has(json.front(), {"rank_correlation"}))
    folder.robustness.push_back({path, std::move(json)});
  else if (!json.is_object())
    folder.others.push_back(path);
  else if (has(json, {"folds"}))
    folder.tabular.push_back({path, json.get<TabularLog>()});
  else if (has(json, {"run_name"}) || has(json, {"condition", "metrics"}))
    folder.runs.push_back({path, json.get<RunLog>()});
  else if (has(json, {"classes", "chance_alignment"}))
    folder.inspections.push_back({path, std::move(json)});
  else if (has(json, {"means", "chance_alignment"}))
    folder.studies.push_back({path, std::move(json)});
  else if (has(json, {"plane", "statistics"}))
    folder.slices.push_back({path, std::move(json)});
  else
    folder.others.push_back(path);
}

}  // namespace

RunFolder run_folder(const fs::path& folder) {
  RunFolder result;
  for (const fs::path& file : visible_files(folder)) {
    const fs::path path = file.lexically_relative(folder);
    const fs::path extension = file.extension();
    if (extension == ".svg" || extension == ".png") result.pictures.push_back(path);
    if (extension != ".json") continue;
    try {
      // Single samples, seeds and regions may be many, and no table shows them.
      add(result, path,
          log_json::parsed_file(file,
                                {"samples", "rows", "regions", "edges", "vertices", "points", "decision_boundary"}));
    } catch (const InputError& error) {
      std::string reason = error.what();
      if (reason.starts_with(file.string() + ": ")) reason.erase(0, file.string().size() + 2);
      result.unreadable.push_back({path, std::move(reason)});
    }
  }
  return result;
}

}  // namespace normalign

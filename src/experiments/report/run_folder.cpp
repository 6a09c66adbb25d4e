#include "experiments/report/run_folder.hpp"

#include "base/error.hpp"
#include "experiments/runs/json_kind.hpp"
#include "experiments/runs/run_files.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

void add(RunFolder& folder, const fs::path& path, Json json) {
  const std::string found = kind_of(json);
  if (found == kind::tabular_log)
    folder.tabular.push_back({path, json.get<TabularLog>()});
  else if (found == kind::run_log)
    folder.runs.push_back({path, json.get<RunLog>()});
  else if (found == kind::robustness)
    folder.robustness.push_back({path, entries_in(json)});
  else if (found == kind::inspection)
    folder.inspections.push_back({path, std::move(json)});
  else if (found == kind::sparsity)
    folder.studies.push_back({path, std::move(json)});
  else if (found == kind::slice)
    folder.slices.push_back({path, std::move(json)});
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
          log_json::parsed_file(
              file, {"samples", "rows", "regions", "edges", "vertices", "outputs", "points", "decision_boundary"}));
    } catch (const InputError& error) {
      std::string reason = error.what();
      if (reason.starts_with(file.string() + ": ")) reason.erase(0, file.string().size() + 2);
      result.unreadable.push_back({path, std::move(reason)});
    }
  }
  return result;
}

}  // namespace normalign

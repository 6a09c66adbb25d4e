#include "experiments/training/run_identity.hpp"

#include <filesystem>
#include <vector>

#include "base/content_hash.hpp"
#include "experiments/runs/environment.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json file_hashes(const RunConfig& config) {
  Json result = Json::object();
  const Task* task = task_if_any(config.task);
  if (const auto files = task ? task->data_files(config) : std::vector<fs::path>(); !files.empty())
    result["data"] = content_hash(files);
  if (!config.initial_model.empty())
    result["initial_model"] = content_hash(std::vector<fs::path>{config.initial_model});
  return result;
}

}  // namespace

RunLog new_log(const RunConfig& config, int threads) {
  const Task* task = task_if_any(config.task);
  return {.run_name = run_name(config),
          .condition = condition_label(config),
          .config = settings_read(config),
          .file_hashes = file_hashes(config),
          .dataset = task ? task->dataset(config) : Json(),
          .environment = environment(threads)};
}

std::optional<std::string> run_difference(const RunLog& found, const RunLog& expected) {
  // As a log has them, so that numbers are compared after the same rounding.
  const auto as_logged = [](const Json& json) { return Json::parse(settings::written(json)); };
  if (const auto difference = config_difference(as_logged(found.config), as_logged(expected.config)))
    return "config." + *difference;
  if (const auto difference = settings::difference(found.file_hashes, expected.file_hashes, Json::object()))
    return "file_hashes." + *difference;
  return std::nullopt;
}

}  // namespace normalign

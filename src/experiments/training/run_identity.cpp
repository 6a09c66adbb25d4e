#include "experiments/training/run_identity.hpp"

#include <filesystem>
#include <vector>

#include "base/content_hash.hpp"
#include "data/mnist.hpp"
#include "experiments/runs/environment.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/settings_read.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

Json file_hashes(const RunConfig& config) {
  Json result = Json::object();
  if (reads(config, "data") && !config.data.empty()) result["data"] = content_hash(mnist_files(config.data));
  if (!config.initial_model.empty())
    result["initial_model"] = content_hash(std::vector<fs::path>{config.initial_model});
  return result;
}

}  // namespace

RunLog new_log(const RunConfig& config, int threads) {
  return {.run_name = run_name(config),
          .condition = condition_label(config),
          .config = settings_read(config),
          .file_hashes = file_hashes(config),
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

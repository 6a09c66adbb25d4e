// All that a folder of runs holds, sorted by kind, for those who want to see everything and not only what they expect.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/tabular/log.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// What a file holds. `path` is that below the folder.
template <class Content>
struct Found {
  std::filesystem::path path = {};
  Content content = {};
};

/// The files of a folder. Lists are sorted by path.
struct RunFolder {
  std::vector<Found<RunLog>> runs = {};
  std::vector<Found<TabularLog>> tabular = {};
  std::vector<Found<nlohmann::ordered_json>> inspections = {};  ///< of `inspect --json`, without the samples
  std::vector<Found<nlohmann::ordered_json>> studies = {};      ///< of `study`, without the rows of single seeds
  std::vector<Found<nlohmann::ordered_json>> slices = {};       ///< of `slice`: plane, statistics and counts alone
  std::vector<Found<nlohmann::ordered_json>> robustness = {};   ///< of `robustness --json`
  std::vector<std::filesystem::path> pictures = {};             ///< .svg and .png, below the folder
  std::vector<Found<std::string>> unreadable = {};              ///< *.json, and why; no path in the reason
};

/// What is in `folder` and below; hidden files are passed over. A file that cannot be read is told of, not thrown.
/// Throws InputError when the folder is missing or unreadable.
RunFolder run_folder(const std::filesystem::path& folder);

}  // namespace normalign

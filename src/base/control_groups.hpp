// Where the limits stand that control groups put on this process.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace normalign {

/// A folder with the files of one control group.
struct ControlGroup {
  std::filesystem::path folder;
  int version = 2;  ///< 1 or 2: the files' names differ
};

/// Returns the groups that limit this process in what `controller` ("memory" or "cpu") counts: its own and every one
/// above, since the limit of each holds. Empty where /proc/self/cgroup names none. All paths are taken below `root`.
std::vector<ControlGroup> control_groups(const std::string& controller, const std::filesystem::path& root = "/");

}  // namespace normalign

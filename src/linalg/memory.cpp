#include "linalg/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "linalg/error.hpp"
#include "linalg/number_text.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

// The number that follows the word `key` in a file; without a key the file's first word.
std::optional<double> number_at(const fs::path& path, const std::string& key = "") {
  std::ifstream file(path);
  std::string word;
  while (file >> word)
    if (key.empty())
      return number_in(word);
    else if (word == key)
      return file >> word ? number_in(word) : std::nullopt;
  return std::nullopt;
}

// The names that a version of control groups has for its files.
struct Files {
  const char *limit, *usage, *droppable;
};
constexpr Files version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr Files version_2{"memory.max", "memory.current", "inactive_file"};

// What the group leaves, and every group above it: the limit of each holds.
double left_by_group(const fs::path& mount, const fs::path& group, const Files& files) {
  double left = unlimited;
  for (fs::path at = group.relative_path();; at = at.parent_path()) {
    const fs::path folder = mount / at;
    const auto limit = number_at(folder / files.limit), usage = number_at(folder / files.usage);
    if (limit && usage) {
      const double droppable = number_at(folder / "memory.stat", files.droppable).value_or(0);
      left = std::min(left, std::max(0.0, *limit - std::max(0.0, *usage - droppable)));
    }
    if (at.empty()) return left;
  }
}

}  // namespace

double available_memory(const fs::path& root) {
  double least = unlimited;
  if (const auto kilobytes = number_at(root / "proc/meminfo", "MemAvailable:")) least = 1024 * *kilobytes;
  // Lines "number:controllers:path"; version 2 has no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = text(',', line.substr(first + 1, second - first - 1), ',');
    const std::string group = line.substr(second + 1);
    if (controllers == ",,")
      least = std::min(least, left_by_group(root / "sys/fs/cgroup", group, version_2));
    else if (controllers.find(",memory,") != std::string::npos)
      least = std::min(least, left_by_group(root / "sys/fs/cgroup/memory", group, version_1));
  }
  return least;
}

}  // namespace normalign

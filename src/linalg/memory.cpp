#include "linalg/memory.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

#include "linalg/control_groups.hpp"
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

}  // namespace

double available_memory(const fs::path& root) {
  double least = unlimited;
  if (const auto kilobytes = number_at(root / "proc/meminfo", "MemAvailable:")) least = 1024 * *kilobytes;
  for (const ControlGroup& group : control_groups("memory", root)) {
    const Files& files = group.version == 2 ? version_2 : version_1;
    const auto limit = number_at(group.folder / files.limit), usage = number_at(group.folder / files.usage);
    if (!limit || !usage) continue;
    const double droppable = number_at(group.folder / "memory.stat", files.droppable).value_or(0);
    least = std::min(least, std::max(0.0, *limit - std::max(0.0, *usage - droppable)));
  }
  return least;
}

double address_space_limit() {
  rlimit limit{};
  const bool is_known = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return is_known ? static_cast<double>(limit.rlim_cur) : unlimited;
}

double address_space_left() {
  const double limit = address_space_limit();
  if (limit == unlimited) return unlimited;
  const double pages = number_at("/proc/self/statm").value_or(0);
  return std::max(0.0, limit - pages * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

}  // namespace normalign

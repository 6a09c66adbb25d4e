#include "base/memory.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "base/control_groups.hpp"
#include "base/error.hpp"
#include "base/infinity.hpp"
#include "base/number_text.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = infinity;

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

// What a limit of the process itself leaves, of which `used` names the kilobytes in its status.
double left_by_limit(const fs::path& process, const std::string& limit, const std::string& used) {
  std::ifstream limits(process / "limits");
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(limit)) continue;
    std::string soft;
    std::istringstream(line.substr(limit.size())) >> soft;
    const auto bytes = number_in(soft);  // none for "unlimited"
    const auto kilobytes = number_at(process / "status", used);
    if (bytes && kilobytes) return std::max(0.0, *bytes - 1024 * *kilobytes);
  }
  return unlimited;
}

std::string in_gibibytes(double bytes) { return formatted("%.3g GiB", bytes / (1024.0 * 1024 * 1024)); }

}  // namespace

double available_memory(const fs::path& root) {
  const fs::path process = root / "proc/self";
  double least = std::min(left_by_limit(process, "Max address space", "VmSize:"),
                          left_by_limit(process, "Max data size", "VmData:"));
  if (const auto kilobytes = number_at(root / "proc/meminfo", "MemAvailable:"))
    least = std::min(least, 1024 * *kilobytes);
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

double address_space_left() { return left_by_limit("/proc/self", "Max address space", "VmSize:"); }

void require_memory(double bytes, std::string_view what) {
  constexpr double looked_at = 16.0 * 1024 * 1024;
  if (bytes < looked_at) return;
  if (const double available = available_memory(); !(bytes <= available))
    throw InputError(text(what, ": takes ", in_gibibytes(bytes), " of memory, expected at most the ",
                          in_gibibytes(available), " that there are"));
}

}  // namespace normalign

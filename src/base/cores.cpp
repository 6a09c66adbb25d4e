#include "base/cores.hpp"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "base/control_groups.hpp"
#include "base/infinity.hpp"
#include "base/number_text.hpp"

namespace normalign {

namespace fs = std::filesystem;

int cores_by_affinity() {
  // A mask that is too short for the machine is refused.
  for (int processors = 1024; processors <= 1 << 20; processors *= 2) {
    cpu_set_t* const set = CPU_ALLOC(static_cast<std::size_t>(processors));
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(processors));
    const int count = ::sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

double cores_by_quota(const fs::path& root) {
  double least = infinity;
  for (const ControlGroup& group : control_groups("cpu", root)) {
    // "max" or -1 is no quota.
    std::string quota_text, period_text;
    if (group.version == 2) {
      std::ifstream(group.folder / "cpu.max") >> quota_text >> period_text;
    } else {
      std::ifstream(group.folder / "cpu.cfs_quota_us") >> quota_text;
      std::ifstream(group.folder / "cpu.cfs_period_us") >> period_text;
    }
    const auto quota = number_in(quota_text), period = number_in(period_text);
    if (quota && period && *quota > 0 && *period > 0) least = std::min(least, *quota / *period);
  }
  return least;
}

int usable_cores(const fs::path& root) {
  return std::max(1, static_cast<int>(std::min<double>(cores_by_affinity(), cores_by_quota(root))));
}

}  // namespace normalign

#include "experiments/runs/run_files.hpp"

#include <algorithm>
#include <cctype>

#include "base/error.hpp"
#include "experiments/runs/run_lock.hpp"

namespace normalign {

namespace fs = std::filesystem;

fs::path log_file(const fs::path& folder, const std::string& run_name) { return folder / (run_name + ".json"); }
fs::path checkpoint_file(const fs::path& folder, const std::string& run_name) {
  return folder / text('.', run_name, ".checkpoint");
}
fs::path lock_file(const fs::path& folder, const std::string& run_name) {
  return folder / text('.', run_name, ".lock");
}

void remove_temporary_files(const fs::path& folder, const std::string& run_name) {
  const std::string log = text('.', run_name, ".json."), checkpoint = text("..", run_name, ".checkpoint.");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const std::size_t start = file.starts_with(log) ? log.size() : file.starts_with(checkpoint) ? checkpoint.size() : 0;
    if (start == 0 || !file.ends_with(".tmp") || file.size() < start + 4) continue;
    const std::string id = file.substr(start, file.size() - start - 4);
    std::error_code ignored;
    if (std::ranges::all_of(id, [](unsigned char c) { return std::isdigit(c); })) fs::remove(entry.path(), ignored);
  }
}

void remove_all_but_log(const fs::path& folder, const std::string& run_name) {
  const RunLock lock(lock_file(folder, run_name), std::chrono::seconds(5));
  if (!lock.held()) return;
  remove_temporary_files(folder, run_name);
  fs::remove(checkpoint_file(folder, run_name));
}

}  // namespace normalign

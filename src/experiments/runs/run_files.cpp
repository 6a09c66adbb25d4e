#include "experiments/runs/run_files.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/atomic_file.hpp"
#include "base/error.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/runs/run_lock.hpp"

namespace normalign {

namespace fs = std::filesystem;

void remove_temporary_files(const RunPlace& place) {
  const std::string log = text('.', place.name, ".json."), checkpoint = text("..", place.name, ".checkpoint.");
  for (const auto& entry : fs::directory_iterator(place.folder)) {
    const std::string file = entry.path().filename().string();
    const std::size_t start = file.starts_with(log) ? log.size() : file.starts_with(checkpoint) ? checkpoint.size() : 0;
    if (start == 0 || !file.ends_with(".tmp") || file.size() < start + 4) continue;
    const std::string id = file.substr(start, file.size() - start - 4);
    std::error_code ignored;
    if (std::ranges::all_of(id, [](unsigned char c) { return std::isdigit(c); })) fs::remove(entry.path(), ignored);
  }
}

void remove_all_but_log(const RunPlace& place) {
  const RunLock lock(place.lock(), std::chrono::seconds(5));
  if (!lock.held()) return;
  remove_temporary_files(place);
  fs::remove(place.checkpoint());
}

void check_writable_log(const fs::path& path, bool overwrite) {
  const std::string name = path.string();
  if (!path.has_filename()) throw InputError(text("'", name, "': no file name; expected the path of a log"));
  make_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
  std::error_code error;
  const fs::file_status there = fs::symlink_status(path, error);
  if (fs::is_directory(there)) throw InputError(text(name, ": found a folder; expected the path of a log"));
  if (fs::exists(there) && !overwrite)
    throw InputError(text(name, ": a log is there already; expected a new file, or --overwrite to replace it"));
  // Only an attempt tells: permissions alone know nothing of quotas, containers or file systems without
  // writing.
  const AtomicFile trial(path);
  if (!trial.is_open())
    throw_unwritable<InputError>(
        errno, text(name, ": the log cannot be written: ", std::strerror(errno), "; expected a writable folder"));
}

std::vector<fs::path> visible_files(const fs::path& folder) {
  std::vector<fs::path> paths;
  try {
    if (!fs::is_directory(folder))
      throw InputError(text(folder.string(), fs::exists(folder) ? ": no folder" : ": no such folder", expected_logs));
    for (const auto& file : fs::recursive_directory_iterator(folder))
      if (!file.path().filename().string().starts_with('.') && !file.is_directory() && !file.is_other())
        paths.push_back(file.path());
  } catch (const fs::filesystem_error& error) {
    throw InputError(text(folder.string(), ": cannot be read: ", error.code().message(), expected_logs));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<fs::path> json_files(const fs::path& folder) {
  std::vector<fs::path> paths = visible_files(folder);
  std::erase_if(paths, [](const fs::path& path) { return path.extension() != ".json"; });
  if (paths.empty()) throw InputError(text(folder.string(), ": found no *.json file", expected_logs));
  return paths;
}

void tell(const Unreadable& unreadable, std::ostream& table, std::ostream& messages) {
  if (unreadable.empty()) return;
  table << unreadable.size() << (unreadable.size() == 1 ? " file" : " files") << " left out, unreadable";
  const char* separator = ": ";
  for (const auto& [path, reason] : unreadable) table << std::exchange(separator, ", ") << path.string();
  table << std::endl;  // so that the two stay in order where both go to a terminal
  for (const auto& [path, reason] : unreadable) messages << "normalign: " << reason << "; left out\n";
}

}  // namespace normalign

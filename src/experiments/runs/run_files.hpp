// The files that runs have in a folder: how they are named, found and tidied up.
#pragma once

#include <filesystem>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "experiments/runs/log_json.hpp"

namespace normalign {

/// A run's place: its folder and its name, after which its files are called.
struct RunPlace {
  std::filesystem::path folder;
  std::string name;

  /// Where its log is, visible, and its other files, hidden.
  std::filesystem::path log() const { return folder / (name + ".json"); }
  std::filesystem::path checkpoint() const { return folder / ('.' + name + ".checkpoint"); }
  std::filesystem::path lock() const { return folder / ('.' + name + ".lock"); }
};

/// Removes the temporary files of processes that were killed while they wrote the run's log or checkpoint. To be called
/// by the holder of the run's lock.
void remove_temporary_files(const RunPlace& place);

/// Removes all files of a finished run but its log, unless another process holds its lock for seconds on end. Throws
/// RunError where the lock cannot be made.
void remove_all_but_log(const RunPlace& place);

/// Makes sure that a log can be written to `path` later on, creating its folder where needed. Throws
/// InputError, naming the path, when the folder cannot be created or written, or when a file is there already
/// and not `overwrite`.
void check_writable_log(const std::filesystem::path& path, bool overwrite);

/// How a message about a folder without logs ends.
inline constexpr const char* expected_logs = "; expected a folder of run logs (*.json)";

/// The files in `folder` and below, sorted by path, without hidden ones, and without pipes and devices, which would be
/// waited for. Throws InputError when the folder is missing or unreadable.
std::vector<std::filesystem::path> visible_files(const std::filesystem::path& folder);

/// Those of them that are *.json. Throws as well when there is none.
std::vector<std::filesystem::path> json_files(const std::filesystem::path& folder);

/// What `read` returns for each of the files, as far as it is something: optional logs. Files for which it throws
/// UnreadableLog are added to `unreadable`.
template <class Read>
auto logs_in(const std::vector<std::filesystem::path>& files, const Read& read, Unreadable& unreadable) {
  std::vector<typename decltype(read(files.front()))::value_type> logs;
  for (const std::filesystem::path& file : files) {
    try {
      if (auto log = read(file)) logs.push_back(std::move(*log));
    } catch (const UnreadableLog& error) {
      unreadable.emplace(file, error.what());
    }
  }
  return logs;
}

/// Tells of files that are left out because they cannot be read, where there are any: the reason of each on a line of
/// `messages`, and their number and paths on one line of `table`, beneath what leaves them out.
void tell(const Unreadable& unreadable, std::ostream& table, std::ostream& messages);

}  // namespace normalign

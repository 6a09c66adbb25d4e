// The files that one run has in a folder, and how they are tidied up.
#pragma once

#include <filesystem>
#include <string>

namespace normalign {

/// Where the run of that name has its log, visible, and its other files, hidden.
std::filesystem::path log_file(const std::filesystem::path& folder, const std::string& run_name);
std::filesystem::path checkpoint_file(const std::filesystem::path& folder, const std::string& run_name);
std::filesystem::path lock_file(const std::filesystem::path& folder, const std::string& run_name);

/// Removes the temporary files of processes that were killed while they wrote the run's log or checkpoint. To be called
/// by the holder of the run's lock.
void remove_temporary_files(const std::filesystem::path& folder, const std::string& run_name);

/// Removes all files of a finished run but its log, unless another process holds its lock for seconds on end. Throws
/// RunError where the lock cannot be made.
void remove_all_but_log(const std::filesystem::path& folder, const std::string& run_name);

/// Makes sure that a log can be written to `path` later on, creating its folder where needed. Throws
/// InputError, naming the path, when the folder cannot be created or written, or when a file is there already
/// and not `overwrite`.
void check_writable_log(const std::filesystem::path& path, bool overwrite);

}  // namespace normalign

// Files of a system that a test plays, below a folder of its own.
#pragma once

#include <filesystem>
#include <string>

#include "support/temporary_folder.hpp"

namespace normalign::tests {

/// Writes `content` to root/path and makes the folders on the way, as /proc and /sys have them.
inline void put(const TemporaryFolder& root, const std::string& path, const std::string& content) {
  std::filesystem::create_directories((root / path).parent_path());
  write_file(root / path, content);
}

}  // namespace normalign::tests

// A lock between processes.
#pragma once

#include <chrono>
#include <filesystem>

namespace normalign {

/// Held by one process at a time, until the end of its scope or of the process, however that ends. The file is there
/// while the lock is held; one that a killed process left is taken over.
class RunLock {
 public:
  /// Waits for the lock for at most `patience`; `held` says whether it came. Throws RunError when the file cannot be
  /// made.
  RunLock(std::filesystem::path file, std::chrono::milliseconds patience);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// Whether this process has the lock.
  bool held() const { return descriptor_ >= 0; }

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

/// Returns whether a process holds the lock `file` now. It returns false if the file is missing or cannot be read.
/// Another process that takes the lock at the same moment still gets it.
bool is_locked(const std::filesystem::path& file);

}  // namespace normalign

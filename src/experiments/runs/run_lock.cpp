#include "experiments/runs/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.hpp"

namespace normalign {
namespace {

// Whether the path still leads to the open file: the holder before may have removed it in between.
bool leads_to(const std::filesystem::path& path, int descriptor) {
  struct stat there = {}, here = {};
  return ::stat(path.c_str(), &there) == 0 && ::fstat(descriptor, &here) == 0 && there.st_dev == here.st_dev &&
         there.st_ino == here.st_ino;
}

}  // namespace

RunLock::RunLock(std::filesystem::path file, std::chrono::milliseconds patience) : file_(std::move(file)) {
  const auto limit = std::chrono::steady_clock::now() + patience;
  while (true) {
    const int descriptor = ::open(file_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666);
    if (descriptor < 0) throw RunError(text(file_.string(), ": cannot be made: ", std::strerror(errno)));
    const bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    const int error = errno;
    // A shared lock is that of somebody who only looks, and gone in a moment.
    const bool is_looked_at = !locked && error == EWOULDBLOCK && ::flock(descriptor, LOCK_SH | LOCK_NB) == 0;
    if (locked && leads_to(file_, descriptor)) {
      descriptor_ = descriptor;
      return;
    }
    ::close(descriptor);
    if (locked) continue;
    if (error != EWOULDBLOCK && error != EINTR)
      throw RunError(text(file_.string(), ": cannot be locked: ", std::strerror(error)));
    if (std::chrono::steady_clock::now() >= limit + std::chrono::seconds(is_looked_at ? 1 : 0)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(is_looked_at ? 1 : 5));
  }
}

RunLock::~RunLock() {
  if (!held()) return;
  // In this order: who opens the file in between finds the lock taken, and then the file gone.
  ::unlink(file_.c_str());
  ::close(descriptor_);
}

bool is_locked(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool result = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return result;
}

}  // namespace normalign

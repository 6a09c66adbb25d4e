// A limit on the size of files, which stands for a full disk.
#pragma once

#include <sys/resource.h>

#include <csignal>

namespace normalign::tests {

/// While it lives, this process and those that it starts cannot make a file longer than so many bytes: writing fails
/// with EFBIG, as it does with ENOSPC on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : bytes_(bytes), before_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

  /// The limit.
  rlim_t bytes() const { return bytes_; }

 private:
  rlim_t bytes_;
  rlimit before_ = {};
  void (*before_signal_)(int);
};

}  // namespace normalign::tests

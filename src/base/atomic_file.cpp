#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace normalign {
namespace {

constexpr int storage_errors[] = {ENOSPC, EDQUOT, EFBIG, EIO};

}  // namespace

bool is_storage_error(int error) { return std::ranges::find(storage_errors, error) != std::end(storage_errors); }

bool tells_storage_error(std::string_view message) {
  return std::ranges::any_of(storage_errors,
                             [&](int error) { return message.find(std::strerror(error)) != message.npos; });
}

AtomicFile::AtomicFile(std::filesystem::path path)
    : path_(std::move(path)),
      // The process number keeps apart two that by mistake write to one path.
      temporary_(path_.parent_path() / text('.', path_.filename().string(), '.', ::getpid(), ".tmp")),
      file_(::open(temporary_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666)) {}

AtomicFile::~AtomicFile() {
  if (file_ < 0) return;
  ::close(file_);
  if (!finished_) ::unlink(temporary_.c_str());
}

bool AtomicFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool AtomicFile::finish() {
  finished_ = ::fsync(file_) == 0 && std::rename(temporary_.c_str(), path_.c_str()) == 0;
  return finished_;
}

}  // namespace normalign

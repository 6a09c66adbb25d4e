#include "base/atomic_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace normalign {
namespace {

// Calls `write_some` with what is left until nothing is, or it fails.
template <class WriteSome>
bool all_written(std::string_view bytes, const WriteSome& write_some) {
  while (!bytes.empty()) {
    const ssize_t written = write_some(bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

constexpr int storage_errors[] = {ENOSPC, EDQUOT, EFBIG, EIO};

}  // namespace

bool is_storage_error(int error) { return std::ranges::find(storage_errors, error) != std::end(storage_errors); }

bool tells_storage_error(std::string_view message) {
  return std::ranges::any_of(storage_errors,
                             [&](int error) { return message.find(std::strerror(error)) != message.npos; });
}

bool is_replaceable(const std::filesystem::path& path) {
  std::error_code error;
  const std::string place = std::filesystem::absolute(path, error).lexically_normal().string();
  if (place.starts_with("/dev/") || place.starts_with("/proc/")) return false;
  return !std::filesystem::exists(path, error) || std::filesystem::is_regular_file(path, error);
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
  return all_written(bytes, [&](std::string_view left) { return ::write(file_, left.data(), left.size()); });
}

bool AtomicFile::rewrite(std::uint64_t place, std::string_view bytes) {
  const std::uint64_t end = place + bytes.size();
  return all_written(bytes, [&](std::string_view left) {
    return ::pwrite(file_, left.data(), left.size(), static_cast<off_t>(end - left.size()));
  });
}

bool AtomicFile::finish() {
  finished_ = ::fsync(file_) == 0 && std::rename(temporary_.c_str(), path_.c_str()) == 0;
  return finished_;
}

}  // namespace normalign

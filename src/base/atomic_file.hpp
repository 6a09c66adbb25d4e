// Files that a reader sees whole or not at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace normalign {

/// A file that could not be written for want of space or because a device failed: neither the user's mistake nor the
/// computation's. The same command succeeds when there is space again.
class StorageError : public RunError {
  using RunError::RunError;
};

/// Whether `error`, a value of errno, says that there is no space, a limit of space is met, or a device failed.
bool is_storage_error(int error);

/// Whether a message, of another process perhaps, gives one of these reasons.
bool tells_storage_error(std::string_view message);

/// Throws `message` about a file that could not be written for the reason `error`, a value of errno: as a StorageError
/// where it is one, else as an Otherwise.
template <class Otherwise>
[[noreturn]] void throw_unwritable(int error, const std::string& message) {
  if (is_storage_error(error)) throw StorageError(message);
  throw Otherwise(message);
}

/// Whether a file may take the place of what is at `path`: nothing, or a regular file. Pipes and devices must stay what
/// they are, and so must the names in /dev and /proc, such as /dev/stdout, of files that are open.
bool is_replaceable(const std::filesystem::path& path);

/// A file on its way to `path`: written under a temporary name in the same folder (hidden, with the number of this
/// process, ending in .tmp) and then renamed, so that a reader finds the former file or this one as a whole. Unless it
/// was renamed it is gone at the end of the scope. Operations return whether they succeeded and leave the reason in
/// errno.
class AtomicFile {
 public:
  /// Creates the temporary file; the folder must exist.
  explicit AtomicFile(std::filesystem::path path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Whether the temporary file could be created.
  bool is_open() const { return file_ >= 0; }
  /// Appends the bytes.
  bool write(std::string_view bytes);
  /// Writes over bytes that have been appended, from that place on.
  bool rewrite(std::uint64_t place, std::string_view bytes);
  /// Takes the file to the disk, so that it is whole after a crash of the system too, and gives it its name.
  bool finish();

 private:
  std::filesystem::path path_, temporary_;
  int file_;
  bool finished_ = false;
};

}  // namespace normalign

// Files that a reader sees whole or not at all.
#pragma once

#include <filesystem>
#include <string_view>

namespace normalign {

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
  /// Takes the file to the disk, so that it is whole after a crash of the system too, and gives it its name.
  bool finish();

 private:
  std::filesystem::path path_, temporary_;
  int file_;
  bool finished_ = false;
};

}  // namespace normalign

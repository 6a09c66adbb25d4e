// Files that tables and pictures are written to.
#pragma once

#include <filesystem>
#include <string>

namespace normalign {

/// Makes the folder at `path`, and those above it, where they are not there. Throws InputError, naming it and the
/// reason, when that fails; StorageError for want of space.
void make_folder(const std::filesystem::path& path);

/// Writes `content` to the file at `path`, replacing what was there; a reader finds the former file or this one as a
/// whole. What `is_replaceable` does not take for a file is written to as it is. Throws InputError, naming the path and
/// the reason, when that fails; StorageError for want of space.
void write_text_file(const std::filesystem::path& path, const std::string& content);

}  // namespace normalign

// Text files that tables and pictures are written to.
#pragma once

#include <filesystem>
#include <string>

namespace normalign {

/// Writes `content` to the file at `path`, replacing what was there. Throws InputError, naming the path and the reason,
/// when that fails.
void write_text_file(const std::filesystem::path& path, const std::string& content);

}  // namespace normalign

// Files as text.
#pragma once

#include <filesystem>
#include <string>

namespace normalign {

/// All bytes of a file. Throws InputError, naming the file and the reason, when it cannot be read.
std::string file_content(const std::filesystem::path& path);

}  // namespace normalign

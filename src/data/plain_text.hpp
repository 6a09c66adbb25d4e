// What the readers of text files share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace normalign {

/// All bytes of a file. Throws InputError, naming the file and the reason, when it cannot be read.
std::string file_content(const std::filesystem::path& path);

/// The whole number that `field` is, written in digits alone; none where it is anything else or too large.
std::optional<std::int64_t> whole_number(std::string_view field);

}  // namespace normalign

// Telling whether files hold the same as they did.
#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace normalign {

/// Returns a hash of what the files hold, one after the other: 32 hexadecimal digits, XXH3 with 128 bits. Names and
/// dates have no part in it, the places where one file ends and the next begins do. It tells files apart that differ by
/// accident or by an edit; it is no defence against forgery. Throws InputError, naming the file, when one cannot be
/// read.
std::string content_hash(std::span<const std::filesystem::path> files);

}  // namespace normalign

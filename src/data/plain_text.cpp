#include "data/plain_text.hpp"

#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

#include "base/error.hpp"

namespace normalign {

std::string file_content(const std::filesystem::path& path) {
  const auto refuse = [&](int reason) {
    throw InputError(text(path.string(), ": cannot be read: ", std::generic_category().message(reason)));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) refuse(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(errno);
  constexpr std::size_t piece = 1 << 16;
  std::string content;
  while (file) {
    const std::size_t before = content.size();
    content.resize(before + piece);
    file.read(content.data() + before, piece);
    content.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) refuse(errno);
  return content;
}

std::optional<std::int64_t> whole_number(std::string_view field) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || field.starts_with('-')) return std::nullopt;
  return value;
}

}  // namespace normalign

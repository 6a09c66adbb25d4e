#include "base/file_content.hpp"

#include <cerrno>
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

}  // namespace normalign

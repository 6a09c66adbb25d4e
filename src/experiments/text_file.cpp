#include "experiments/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "linalg/error.hpp"

namespace normalign {

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw InputError(text(path.string(), ": the folder cannot be created: ", error.message()));
}

void write_text_file(const std::filesystem::path& path, const std::string& content) {
  errno = 0;
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) throw InputError(text(path.string(), ": cannot be written: ", std::strerror(errno)));
}

}  // namespace normalign

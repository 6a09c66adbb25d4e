#include "experiments/figures/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/atomic_file.hpp"

namespace normalign {

void make_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw_unwritable<InputError>(error.value(),
                                 text(path.string(), ": the folder cannot be created: ", error.message()));
}

void write_text_file(const std::filesystem::path& path, const std::string& content) {
  const auto must = [&](bool succeeded) {
    if (!succeeded)
      throw_unwritable<InputError>(errno, text(path.string(), ": cannot be written: ", std::strerror(errno)));
  };
  errno = 0;
  if (!is_replaceable(path)) {
    std::ofstream out(path, std::ios::binary);
    out << content;
    must(!!out.flush());
    return;
  }
  AtomicFile file(path);
  must(file.is_open() && file.write(content) && file.finish());
}

}  // namespace normalign

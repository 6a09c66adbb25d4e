#include "base/file_content.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {

TEST_CASE("a file's content is all its bytes, and what is no file is refused by its name") {
  const TemporaryFolder folder;
  const std::string bytes = std::string(70'000, 'x') + '\0' + "\r\nend";
  write_file(folder / "some", bytes);
  CHECK(file_content(folder / "some") == bytes);
  write_file(folder / "empty", "");
  CHECK(file_content(folder / "empty").empty());
  const std::string missing = (folder / "none").string();
  CHECK(message_of<InputError>([&] { file_content(missing); }) ==
        missing + ": cannot be read: No such file or directory");
  CHECK(message_of<InputError>([&] { file_content(folder.path()); }) ==
        folder.path().string() + ": cannot be read: Is a directory");
}

}  // namespace normalign::tests

#include "experiments/figures/text_file.hpp"

#include <fstream>
#include <iterator>

#include "base/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/message_of.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a text file replaces what was there, in a folder that is made with those above it") {
  const TemporaryFolder folder;
  make_folder(folder.path() / "a" / "b");
  make_folder(folder.path() / "a" / "b");
  const auto path = folder.path() / "a" / "b" / "c.txt";
  write_text_file(path, "a longer text\n");
  write_text_file(path, "text\n");
  CHECK(read_file(path) == "text\n");
  // Nothing is left beside it, and who had the former file open still has it whole.
  std::ifstream former(path);
  write_text_file(path, "new");
  CHECK(std::string(std::istreambuf_iterator<char>(former), {}) == "text\n");
  CHECK(std::distance(std::filesystem::directory_iterator(path.parent_path()), {}) == 1);
  write_text_file("/dev/null", "nowhere");
  CHECK(std::filesystem::is_character_file("/dev/null"));
  CHECK(contains(message_of<InputError>([&] { make_folder(path / "d"); }), "the folder cannot be created"));
  CHECK(contains(message_of<InputError>([&] { write_text_file(folder.path() / "none" / "e", ""); }),
                 "cannot be written"));
}

TEST_CASE("a text file on a full disk: the former one stays, and it is no mistake of the user's") {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "former");
  {
    const FileSizeLimit full(1000);
    CHECK(contains(message_of<StorageError>([&] { write_text_file(folder / "a", std::string(1001, 'x')); }),
                   "a: cannot be written: "));
  }
  CHECK(read_file(folder / "a") == "former");
  CHECK(contains(message_of<StorageError>([] { write_text_file("/dev/full", "x"); }),
                 "/dev/full: cannot be written: No space left on device"));
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/text_file.hpp"

#include "support/catch.hpp"
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
  CHECK(contains(message_of<InputError>([&] { make_folder(path / "d"); }), "the folder cannot be created"));
  CHECK(contains(message_of<InputError>([&] { write_text_file(folder.path() / "none" / "e", ""); }),
                 "cannot be written"));
}

}  // namespace
}  // namespace normalign::tests

#include "base/content_hash.hpp"

#include <vector>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

TEST_CASE("content hash: it is XXH3's, whatever the name, and of many blocks as of one") {
  const TemporaryFolder folder;
  // 70000 bytes are more than one block of the reader.
  std::string content(70000, 'a');
  content[69999] = 'b';
  write_file(folder / "one", content);
  write_file(folder / "two", content);
  const std::string hash = content_hash(std::vector<fs::path>{folder / "one"});
  CHECK(hash.size() == 32);
  CHECK(hash.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(content_hash(std::vector<fs::path>{folder / "two"}) == hash);
  content[3] = 'c';
  write_file(folder / "two", content);
  CHECK(content_hash(std::vector<fs::path>{folder / "two"}) != hash);
}

TEST_CASE("content hash: order and ends of files count, and no files have a hash") {
  const TemporaryFolder folder;
  const std::vector<fs::path> files = {folder / "1", folder / "2"};
  const auto hash = [&](const char* first, const char* second) {
    write_file(files[0], first);
    write_file(files[1], second);
    return content_hash(files);
  };
  const std::string reference = hash("ab", "c");
  CHECK(hash("a", "bc") != reference);
  CHECK(hash("c", "ab") != reference);
  CHECK(hash("abc", "") != reference);
  CHECK(hash("ab", "c") == reference);
  CHECK(content_hash({}).size() == 32);
}

TEST_CASE("content hash: a file that cannot be read is named") {
  const TemporaryFolder folder;
  const auto refusal = [](const fs::path& file) {
    return message_of([&] { content_hash(std::vector<fs::path>{file}); });
  };
  CHECK(refusal(folder / "none") ==
        (folder / "none").string() + ": cannot be read: No such file or directory; expected a file");
  CHECK(refusal(folder.path()) == folder.path().string() + ": cannot be read: it is a folder; expected a file");
}

}  // namespace
}  // namespace normalign::tests

#include "base/atomic_file.hpp"

#include <cerrno>
#include <cstring>

#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("an atomic file is seen whole or not at all, on a full disk too") {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  const auto written = [&](const std::string& content) {
    AtomicFile file(path);
    return file.is_open() && file.write(content) && file.finish();
  };
  CHECK(written("first"));
  CHECK(read_file(path) == "first");
  {
    AtomicFile unfinished(path);
    CHECK(unfinished.write("second"));
  }
  {
    const FileSizeLimit full(1000);
    CHECK_FALSE(written(std::string(1001, 'x')));
    CHECK(errno == EFBIG);
    CHECK(written(std::string(1000, 'x')));
  }
  CHECK(read_file(path) == std::string(1000, 'x'));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("bytes of an atomic file are written over, and what follows is appended all the same") {
  const TemporaryFolder folder;
  AtomicFile file(folder / "a");
  REQUIRE(file.write("0123456789"));
  REQUIRE(file.rewrite(3, "abc"));
  REQUIRE(file.write("+"));
  REQUIRE(file.finish());
  CHECK(read_file(folder / "a") == "012abc6789+");
}

TEST_CASE(
    "a file takes the place of a file or of nothing, not of a folder or of what stands for a device or an open file") {
  const TemporaryFolder folder;
  write_file(folder / "a", "x");
  CHECK(is_replaceable(folder / "a"));
  CHECK(is_replaceable(folder / "none"));
  CHECK(is_replaceable("none"));
  for (const char* path : {"/dev/null", "/dev/stdout", "/dev/none", "/proc/self/fd/1", "/tmp/../dev/stdout"})
    CHECK_FALSE(is_replaceable(path));
  CHECK_FALSE(is_replaceable(folder.path()));
}

TEST_CASE("want of space is a StorageError, and recognised by its message; other reasons are what the caller says") {
  for (const int error : {ENOSPC, EDQUOT, EFBIG, EIO}) {
    const std::string message = std::string("a: cannot be written: ") + std::strerror(error);
    CHECK(message_of<StorageError>([&] { throw_unwritable<InputError>(error, message); }) == message);
    CHECK(tells_storage_error("run: " + message + "; more"));
  }
  for (const int error : {ENOENT, EACCES, ENOTDIR, EROFS}) {
    CHECK(message_of<InputError>([&] { throw_unwritable<InputError>(error, "a"); }) == "a");
    CHECK_FALSE(tells_storage_error(std::strerror(error)));
  }
}

}  // namespace
}  // namespace normalign::tests

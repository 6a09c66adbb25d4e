#include "experiments/runs/run_files.hpp"

#include <sys/stat.h>

#include <iterator>
#include <sstream>

#include "base/error.hpp"
#include "experiments/figures/text_file.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("check_writable_log: makes folders, and refuses what could not be written later") {
  const TemporaryFolder folder;
  const auto refused = [](const fs::path& path, bool overwrite = false) -> std::string {
    try {
      check_writable_log(path, overwrite);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  };
  const fs::path path = folder / "a/b/run.json";
  CHECK(refused(path) == "accepted");
  CHECK(fs::is_empty(folder / "a/b"));

  write_text_file(path, "a log");
  CHECK_THAT(refused(path), Contains(path.string()) && Contains("--overwrite"));
  CHECK(refused(path, true) == "accepted");
  CHECK(fs::file_size(path) == 5);
  CHECK(std::distance(fs::directory_iterator(folder / "a/b"), {}) == 1);

  CHECK_THAT(refused(path / "run.json"), Contains(path.string()) && Contains("Not a directory"));
  CHECK_THAT(refused(path / "c/run.json", true), Contains(path.string()));
  CHECK_THAT(refused(folder / "a/b", true), Contains("found a folder"));
  CHECK_THAT(refused(folder / "a/"), Contains("no file name"));
  CHECK_THAT(refused("/proc/self/run.json"), Contains("/proc/self/run.json: the log cannot be written: "));
  CHECK_THAT(refused(folder / std::string(300, 'x')), Contains("File name too long"));
}

TEST_CASE("a pipe among the logs is not waited for") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe.json").c_str(), 0600) == 0);
  write_file(folder / "file.json", "{}");
  CHECK(json_files(folder.path()) == std::vector<std::filesystem::path>{folder / "file.json"});
}

TEST_CASE("files that are left out are told of, each with its reason, and beneath the table") {
  std::ostringstream table, messages;
  tell({}, table, messages);
  CHECK((table.str() + messages.str()).empty());
  tell({{"b.json", "b.json: not JSON"}, {"a.json", "a.json: metrics: found nothing"}}, table, messages);
  CHECK(table.str() == "2 files left out, unreadable: a.json, b.json\n");
  CHECK(messages.str() ==
        "normalign: a.json: metrics: found nothing; left out\nnormalign: b.json: not JSON; left out\n");
}

}  // namespace
}  // namespace normalign::tests

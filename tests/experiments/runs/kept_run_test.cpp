#include "experiments/runs/kept_run.hpp"

#include "experiments/figures/text_file.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// A kind of run that no command has.
struct ToyLog {
  std::string name = {};
  RunStatus status = RunStatus::running;
  std::string failure = {};
};

void write_log(const fs::path& path, const ToyLog& log) {
  write_text_file(path, text(name_of(log.status), ' ', log.failure));
}

using Found = std::optional<ToyLog>;

TEST_CASE("kept run: a log is the run's, another run's and refused, or another's that failed and none") {
  const TemporaryFolder folder;
  ToyLog there{.name = "a", .status = RunStatus::finished};
  const auto log_of = [&](const std::string& name) {
    return log_at(
        folder / "run.json", [&](const fs::path&) { return there; },
        [&](const ToyLog& log) {
          return log.name == name ? std::nullopt : std::optional<std::string>("name: found " + log.name);
        });
  };
  CHECK_FALSE(log_of("a"));
  write_file(folder / "run.json", "");
  CHECK(log_of("a"));
  CHECK(message_of([&] { log_of("b"); }) == (folder / "run.json").string() +
                                                ": another run of that name is there: name: found a; another folder, "
                                                "or this log out of the way");
  there.status = RunStatus::failed;
  CHECK(log_of("a"));
  CHECK_FALSE(log_of("b"));
}

TEST_CASE("kept run: a finished one is left alone, any other is trained, and one at a time") {
  const TemporaryFolder folder;
  const RunPlace place{folder.path(), "run"};
  int trained = 0;
  const auto done = [&](const Found& found) {
    return log_of_done_run(
        place, 0ms, [&] { return found; },
        [&] {
          CHECK(fs::exists(place.lock()));
          ++trained;
          return ToyLog{.name = "new", .status = RunStatus::finished};
        });
  };
  CHECK(done(ToyLog{.name = "old", .status = RunStatus::finished}).name == "old");
  CHECK(trained == 0);
  CHECK(done(std::nullopt).name == "new");
  CHECK(done(ToyLog{.name = "old", .status = RunStatus::running}).name == "new");
  CHECK(done(ToyLog{.name = "old", .status = RunStatus::failed}).name == "new");
  CHECK(trained == 3);
  const RunLock other(place.lock(), 0ms);
  CHECK(message_of<RunError>([&] { done(std::nullopt); }) == "another process is at this run");
  CHECK(trained == 3);
}

TEST_CASE("kept run: what is marked as failed is a running log or a fresh one, and no run that another process is at") {
  const TemporaryFolder folder;
  const RunPlace place{folder.path(), "run"};
  // What the log says after the marking; "" where there is none.
  const auto marked = [&](const Found& found, const Found& fresh) -> std::string {
    fs::remove(place.log());
    mark_failed(
        place, "killed", [&] { return found; }, [&] { return fresh; });
    return fs::exists(place.log()) ? read_file(place.log()) : "";
  };
  CHECK(marked(ToyLog{}, std::nullopt) == "failed killed");
  CHECK(marked(std::nullopt, ToyLog{}) == "failed killed");
  CHECK(marked(std::nullopt, std::nullopt).empty());
  CHECK(marked(ToyLog{.status = RunStatus::finished}, ToyLog{}).empty());
  CHECK(marked(ToyLog{.status = RunStatus::failed}, ToyLog{}).empty());
  const RunLock other(place.lock(), 0ms);
  CHECK(marked(ToyLog{}, std::nullopt).empty());
}

}  // namespace
}  // namespace normalign::tests

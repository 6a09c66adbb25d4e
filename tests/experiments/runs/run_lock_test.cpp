#include "experiments/runs/run_lock.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using namespace std::chrono_literals;

TEST_CASE("a lock is held by one at a time, and leaves no file") {
  const TemporaryFolder folder;
  const auto file = folder / "lock";
  {
    const RunLock first(file, 0ms);
    CHECK(first.held());
    CHECK(std::filesystem::exists(file));
    CHECK_FALSE(RunLock(file, 0ms).held());
    CHECK_FALSE(RunLock(file, 20ms).held());
    CHECK(std::filesystem::exists(file));
  }
  CHECK_FALSE(std::filesystem::exists(file));
  CHECK(RunLock(file, 0ms).held());
}

TEST_CASE("a lock is seen from outside while it is held, and not where a file was left") {
  const TemporaryFolder folder;
  CHECK_FALSE(is_locked(folder / "lock"));
  CHECK_FALSE(std::filesystem::exists(folder / "lock"));
  write_file(folder / "lock", "");
  CHECK_FALSE(is_locked(folder / "lock"));
  {
    const RunLock lock(folder / "lock", 0ms);
    CHECK(is_locked(folder / "lock"));
    CHECK(lock.held());
    CHECK(std::filesystem::exists(folder / "lock"));
  }
  CHECK_FALSE(is_locked(folder / "lock"));
}

TEST_CASE("who takes a lock without patience gets it however often others look") {
  const TemporaryFolder folder;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> lookers;
  for (int t = 0; t < 3; ++t)
    lookers.emplace_back([&] {
      while (!is_over) is_locked(folder / "lock");
    });
  int missed = 0;
  for (int i = 0; i < 3000; ++i) {
    write_file(folder / "lock", "");  // one that is left, so that there is something to look at
    missed += !RunLock(folder / "lock", 0ms).held();
  }
  is_over = true;
  for (std::thread& looker : lookers) looker.join();
  CHECK(missed == 0);
}

TEST_CASE("a lock file that somebody left is taken over") {
  const TemporaryFolder folder;
  write_file(folder / "lock", "");
  CHECK(RunLock(folder / "lock", 0ms).held());
  CHECK_FALSE(std::filesystem::exists(folder / "lock"));
}

TEST_CASE("a lock that is given back in time comes to the one who waits") {
  const TemporaryFolder folder;
  std::optional<RunLock> first(std::in_place, folder / "lock", 0ms);
  std::thread other([&] {
    std::this_thread::sleep_for(30ms);
    first.reset();
  });
  const RunLock second(folder / "lock", 60s);
  other.join();
  CHECK(second.held());
  CHECK_FALSE(RunLock(folder / "lock", 0ms).held());
}

TEST_CASE("among many that take and give back a lock there are never two holders") {
  const TemporaryFolder folder;
  std::atomic<int> holders = 0, most = 0, taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 4000; ++i) {
        const RunLock lock(folder / "lock", 0ms);
        if (!lock.held()) continue;
        const int now = ++holders;
        if (now > most) most = now;
        ++taken;
        if (i % 2) std::this_thread::yield();
        --holders;
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(taken > 0);
  CHECK_FALSE(std::filesystem::exists(folder / "lock"));
}

TEST_CASE("a lock file that cannot be made is said by its name") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "nowhere" / "lock";
  const std::string message = message_of<RunError>([&] { RunLock(file, 0ms); });
  CHECK(message.starts_with(file.string() + ": cannot be made: "));
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/results/run_states.hpp"

#include <chrono>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"
#include "experiments/runs/run_lock.hpp"
#include "experiments/training/run_log.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

// The log of a run of 100 epochs that has done 20 in 5 seconds.
RunLog log_at_20(RunStatus status) {
  RunLog log{.run_name = "run", .condition = "baseline"};
  log.config = {{"task", "toy"}, {"epochs", 100}};
  log.status = status;
  log.metrics = {{.epoch = 0, .train_acc = 50, .test_acc = 50}, {.epoch = 15, .train_acc = 80, .test_acc = 60}};
  if (status == RunStatus::failed) log.failure = "epoch 20: no";
  if (status != RunStatus::finished) log.epoch = 20;
  log.environment = {{"seconds", 5.0}};
  return log;
}

TEST_CASE("run states: a log that says running is of a live run where its lock is held, and of a stopped one else") {
  const TemporaryFolder folder;
  const RunPlace place{folder.path(), "a"};
  CHECK(progress_of(place).state == RunState::waiting);
  write_log(place.log(), log_at_20(RunStatus::running));
  const RunProgress stopped = progress_of(place);
  CHECK(stopped.state == RunState::stopped);
  CHECK(stopped.epoch == 20);
  CHECK(stopped.epochs == 100);
  CHECK(stopped.train_acc == 80);
  CHECK(stopped.test_acc == 60);
  CHECK(stopped.elapsed_seconds == 5);
  CHECK_FALSE(stopped.left_seconds);
  const RunLock lock(place.lock(), 0ms);
  const RunProgress running = progress_of(place);
  CHECK(running.state == RunState::running);
  CHECK(running.epoch == 20);
  // Five seconds for 20 epochs, so twenty for the 80 that are left; what has passed since goes on top and off.
  CHECK(*running.elapsed_seconds >= 5);
  CHECK_THAT(*running.elapsed_seconds + *running.left_seconds, WithinAbs(25, 1e-6));
  fs::last_write_time(place.log(), fs::file_time_type::clock::now() - 10s);
  const RunProgress later = progress_of(place);
  CHECK(*later.elapsed_seconds >= 15);
  CHECK(*later.left_seconds <= 10);
  fs::last_write_time(place.log(), fs::file_time_type::clock::now() - 1h);
  CHECK(progress_of(place).left_seconds == 0.0);
  CHECK(is_locked(place.lock()));  // nobody took it away
}

TEST_CASE("run states: a run that has logged no epoch, or that an earlier version logged, has no time left") {
  const TemporaryFolder folder;
  const RunPlace place{folder.path(), "a"};
  const RunLock lock(place.lock(), 0ms);
  CHECK(progress_of(place).state == RunState::running);  // before its first log
  RunLog log = log_at_20(RunStatus::running);
  log.environment.erase("seconds");
  write_log(place.log(), log);
  CHECK(progress_of(place).epoch == 20);
  CHECK_FALSE(progress_of(place).elapsed_seconds);
  CHECK_FALSE(progress_of(place).left_seconds);
  log = log_at_20(RunStatus::running);
  log.epoch = 0;
  log.metrics.clear();
  write_log(place.log(), log);
  CHECK_FALSE(progress_of(place).epoch);
  CHECK_FALSE(progress_of(place).left_seconds);
}

TEST_CASE(
    "run states: all runs of a folder, what is locked without a log, what was asked for, and what is unreadable") {
  const TemporaryFolder folder;
  fs::create_directories(folder / "b");
  RunLog grokked = log_at_20(RunStatus::finished);
  grokked.grokked = true;
  grokked.grokking_epoch = 15;
  write_log(folder / "b/done.json", grokked);
  write_log(folder / "never.json", log_at_20(RunStatus::finished));
  write_log(folder / "nan.json", log_at_20(RunStatus::failed));
  write_log(folder / "killed.json", log_at_20(RunStatus::running));
  write_file(folder / "table.json", R"({"kind": "summary", "settings": []})");
  write_file(folder / "damaged.json", "{");
  write_file(folder / ".left.lock", "");
  const RunLock lock(folder / ".begun.lock", 0ms);
  Unreadable unreadable;
  const std::vector<std::string> asked_for = {"z", "never", "begun", "a", "damaged"};
  const std::vector<RunProgress> runs = progress_in(folder.path(), asked_for, unreadable);
  std::vector<std::string> found;
  for (const RunProgress& run : runs) found.push_back(run.run + ' ' + name_of(run.state));
  CHECK(found == std::vector<std::string>{"b/done finished", "begun running", "killed stopped", "nan failed",
                                          "never finished", "z waiting", "a waiting"});
  REQUIRE(unreadable.size() == 1);
  CHECK(unreadable.begin()->first.filename() == "damaged.json");
  CHECK(counts_of(runs) == "7 runs: 2 finished (1 grokked), 1 running, 1 stopped, 1 failed, 2 waiting");
  CHECK(counts_of({}) == "0 runs");

  const TableSet table = progress_table(runs);
  CHECK(table.tables[0].notes == std::vector<std::string>{"nan failed: epoch 20: no"});
  const auto json = as_json(table)["runs"];
  REQUIRE(json.size() == 7);
  CHECK(json[0]["grokking_epoch"] == 15);
  CHECK(json[3]["failure"] == "epoch 20: no");
  CHECK(json[3]["epoch"] == 20);
  CHECK(json[5]["epoch"].is_null());
  CHECK(contains(as_text(table), "b/done"));
  CHECK(message_of([&] { progress_in(folder / "none", {}, unreadable); }) != "nothing was thrown");
}

TEST_CASE("run states: a run on a table has the accuracies of its folds and the seconds that it took") {
  const TemporaryFolder folder;
  const TabularLog log = tabular_log("a", 0, {80, 90});
  write_log(folder / "t.json", log);
  Unreadable unreadable;
  const auto runs = progress_in(folder.path(), {}, unreadable);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].state == RunState::finished);
  CHECK(runs[0].test_acc == means(log).test_acc);
  CHECK_FALSE(runs[0].epoch);
}

}  // namespace
}  // namespace normalign::tests

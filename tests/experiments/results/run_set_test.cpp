#include "experiments/results/run_set.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

RunLog run(const std::string& condition, const std::string& name, RunStatus status = RunStatus::finished) {
  RunLog log{.run_name = name, .condition = condition};
  log.config = {{"task", "toy"}};
  log.status = status;
  return log;
}

TEST_CASE("by_task: tasks by name, the baseline before the other conditions, runs in the order given") {
  std::vector<RunLog> logs = {run("zeta", "z1"), run("baseline", "b1"), run("Alpha", "a1"), run("zeta", "z0")};
  logs.push_back(run("baseline", "other"));
  logs.back().config["task"] = "another";
  const auto tasks = by_task(logs);
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[0].task == "another");
  CHECK(tasks[1].task == "toy");
  REQUIRE(tasks[1].conditions.size() == 3);
  CHECK(tasks[1].conditions[0].condition == "baseline");
  CHECK(tasks[1].conditions[1].condition == "Alpha");
  CHECK(tasks[1].conditions[2].condition == "zeta");
  CHECK(tasks[1].conditions[2].all == 2);
  CHECK(tasks[1].conditions[2].finished == std::vector<const RunLog*>{&logs[0], &logs[3]});
  CHECK(by_task({}).empty());
}

TEST_CASE("by_task: unfinished and failed runs are counted and named, not used") {
  const std::vector<RunLog> logs = {run("a", "one", RunStatus::running), run("a", "two", RunStatus::failed),
                                    run("a", "three", RunStatus::running)};
  const auto tasks = by_task(logs);
  REQUIRE(tasks.size() == 1);
  CHECK(tasks[0].conditions[0].all == 3);
  CHECK(tasks[0].conditions[0].finished.empty());
  CHECK(tasks[0].unfinished == std::vector<std::string>{"one", "three"});
  CHECK(tasks[0].failed == std::vector<std::string>{"two"});
}

TEST_CASE("by_task: points of a task's grid are apart, and a condition's grid is sorted by its values") {
  const auto run_at = [](const std::string& condition, const Json& settings) {
    RunLog log = run(condition, "run");
    log.config.update(settings);
    return log;
  };
  const auto point = [&](Json hidden, double rate) {
    return run_at("baseline",
                  {{"task_grid", "hidden+learning_rate"}, {"hidden", std::move(hidden)}, {"learning_rate", rate}});
  };
  const auto variant = [&](double lambda, const std::string& words) {
    return run_at("grokalign lambda " + words, {{"condition_grid", "lambda"}, {"lambda", lambda}});
  };
  const std::vector<RunLog> logs = {point({9, 9}, 10),   point({9, 9}, 2),     point({9}, 2),
                                    variant(10, "10"),   variant(2, "2"),      run("grokalign", "g"),
                                    variant(0.5, "0.5"), run("baseline", "b"), point({9, 9}, 10)};
  std::vector<std::string> tasks, conditions;
  for (const TaskRuns& task : by_task(logs)) tasks.push_back(task.task);
  CHECK(tasks == std::vector<std::string>{"toy", "toy hidden 9, learning_rate 2", "toy hidden 9x9, learning_rate 2",
                                          "toy hidden 9x9, learning_rate 10"});
  const std::vector<TaskRuns> sorted = by_task(logs);
  CHECK(sorted.back().conditions.front().all == 2);
  for (const ConditionRuns& condition : sorted.front().conditions) conditions.push_back(condition.condition);
  CHECK(conditions == std::vector<std::string>{"baseline", "grokalign", "grokalign lambda 0.5", "grokalign lambda 2",
                                               "grokalign lambda 10"});
  tasks.clear();
  for (const TaskRuns& task : by_task(logs, "learning_rate")) tasks.push_back(task.task);
  CHECK(tasks == std::vector<std::string>{"toy", "toy hidden 9", "toy hidden 9x9"});
}

TEST_CASE("by_task: the task is config.task, or else the run's name up to the condition or the seed") {
  const auto task = [](const std::string& name, const std::string& condition, Json config = Json::object()) {
    RunLog log = run(condition, name);
    log.config = std::move(config);
    return by_task({log})[0].task;
  };
  CHECK(task("whatever", "GF", {{"task", "mod_add"}}) == "mod_add");
  CHECK(task("mod_add_GA0.01_seed3", "GA0.01") == "mod_add");
  CHECK(task("mod_add-seed3-GF", "GF") == "mod_add");
  CHECK(task("mod_add_OG-GF-GA0.01_3", "OG-GF-GA0.01") == "mod_add");
  CHECK(task("xor seed 1", "baseline") == "xor");
  CHECK(task("baseline", "baseline") == "baseline");
  CHECK(task("mnist", "") == "mnist");
  CHECK(task("", "x") == "");
  CHECK(task("mod_add_GF_1", "GF", {{"task", 5}}) == "mod_add");
}

TEST_CASE("read_logs: all logs below a folder by path; temporary, hidden and other JSON files aside") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "b/c");
  for (const char* name : {"b/c/1.json", "a.json", "b/2.json"})
    write_log(folder / name, RunLog{.run_name = name, .condition = "baseline"});
  write_file(folder / "b/.run.json.17.tmp", "{");
  write_file(folder / "b/.hidden.json", "{");
  write_file(folder / "b/model.safetensors", "x");
  write_file(folder / "b/table.json", R"({"tasks": [{"task": "toy", "conditions": []}]})");
  write_file(folder / "empty.json", "{}");
  std::filesystem::create_directories(folder / "folder.json");
  Unreadable unreadable;
  const std::vector<RunLog> logs = read_logs(folder.path(), unreadable);
  CHECK(unreadable.empty());
  REQUIRE(logs.size() == 3);
  CHECK(logs[0].run_name == "a.json");
  CHECK(logs[1].run_name == "b/2.json");
  CHECK(logs[2].run_name == "b/c/1.json");
}

TEST_CASE("read_logs: a missing, empty or foreign folder is refused by name") {
  const TemporaryFolder folder;
  Unreadable unreadable;
  const auto refusal = [&](const std::filesystem::path& path) {
    return message_of([&] { read_logs(path, unreadable); });
  };
  const std::string expected = "; expected a folder of run logs (*.json)";
  CHECK(refusal(folder.path()) == folder.path().string() + ": found no *.json file" + expected);
  CHECK(contains(refusal(folder / "absent"), "absent: no such folder"));
  write_file(folder / "table.json", "{\"settings\": []}");
  CHECK(refusal(folder.path()) ==
        folder.path().string() + ": found no log of a network's run among 1 *.json files" + expected);
  CHECK(contains(refusal(folder / "table.json"), "table.json: no folder"));
  // Where none can be read, the first of them says why.
  write_file(folder / "b.json", "{");
  write_file(folder / "a.json", "[]");
  const std::string message = refusal(folder.path());
  CHECK(contains(message, "found no log of a network's run among 3 *.json files"));
  CHECK(contains(message, "a.json: top level: found an array"));
  CHECK(unreadable.size() == 2);
}

TEST_CASE("read_logs: broken logs among good ones are left out and told of by name") {
  const TemporaryFolder folder;
  write_log(folder / "good.json", run("baseline", "good"));
  const std::pair<std::string, const char*> broken[] = {
      {"{", "not JSON"},
      {"", "not JSON"},
      {std::string(100000, '[') + std::string(100000, ']'), "nested levels"},
      {"[]", "top level: found an array"},
      {"3", "top level: found 3"},
      {R"({"run_name": "x"})", "condition: found nothing"},
      {R"({"metrics": []})", "run_name: found nothing"},
      {R"({"run_name": "x", "condition": "y"})", "metrics: found nothing"}};
  for (const auto& [content, message] : broken) {
    CAPTURE(message);
    write_file(folder / "z.json", content);
    Unreadable unreadable;
    const std::vector<RunLog> logs = read_logs(folder.path(), unreadable);
    CHECK(logs.size() == 1);
    REQUIRE(unreadable.size() == 1);
    CHECK(unreadable.begin()->first == folder / "z.json");
    CHECK(unreadable.begin()->second.starts_with((folder / "z.json").string() + ": "));
    CHECK(contains(unreadable.begin()->second, message));
  }
}

// Written by hand after the schema of the paper's authors: no status, no environment, and keys of their own.
const char* const foreign_log = R"({
  "run_name": "xor_GF-GA1.0_seed4", "condition": "GF-GA1.0", "git_hash": "0123abc", "device": "cuda:0",
  "config": {"model": {"width": 2048}, "lam": 1.0, "use_gf": true, "schedule": [1, 2]},
  "grokked": true, "grokking_epoch": 110.0,
  "metrics": [
    {"epoch": 0, "train_acc": 50.5, "test_acc": 49.75, "adv_acc": 50.25, "train_loss": 1.2, "test_loss": 1.25,
     "opt_time": 0.0, "jac": null, "per_class": [1, 2], "note": "untrained"},
    {"epoch": 110, "train_acc": 100, "test_acc": 99.5, "adv_acc": 95.5, "train_loss": 0.01, "test_loss": 0.02,
     "opt_time": 12.5, "lr": 0.1}
  ]})";

TEST_CASE("read_logs: a log by the paper's authors is read, with their keys and condition tags") {
  const TemporaryFolder folder;
  write_file(folder / "theirs.json", foreign_log);
  Unreadable unreadable;
  const std::vector<RunLog> logs = read_logs(folder.path(), unreadable);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].status == RunStatus::finished);
  CHECK(has_grokked(logs[0]));
  REQUIRE(logs[0].metrics.size() == 2);
  CHECK(metric(logs[0].metrics[1], "adv_acc") == 95.5);
  CHECK(metric(logs[0].metrics[1], "opt_time") == 12.5);
  CHECK_FALSE(metric(logs[0].metrics[0], "jac").has_value());
  const auto tasks = by_task(logs);
  CHECK(tasks[0].task == "xor");
  CHECK(tasks[0].conditions[0].condition == "GF-GA1.0");
  CHECK(tasks[0].conditions[0].finished.size() == 1);
}

}  // namespace
}  // namespace normalign::tests

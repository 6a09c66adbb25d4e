#include "experiments/training/run_log.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/damaged_json.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

RunLog full_log() {
  RunLog log{.run_name = "sparse_parity_grokalign_0", .condition = "grokalign"};
  log.config = {{"task", "sparse_parity"}, {"lambda", 0.1}, {"widths", {43, 200, 200, 2}}, {"adamw", {{"lr", 1e-2}}}};
  log.status = RunStatus::finished;
  log.grokked = true;
  log.grokking_epoch = 110;
  log.metrics = {{.epoch = 0, .train_acc = 50.1, .test_acc = 100.0 / 3, .train_loss = 0.1 + 0.2, .test_loss = 5e-324},
                 {.epoch = 110,
                  .train_acc = 100,
                  .test_acc = 90.3,
                  .train_loss = 1.7976931348623157e308,
                  .test_loss = -0.0,
                  .opt_time = 2.25,
                  .extras = {{"jacobian_norm", 1.0 / 7}, {"centroid_alignment", -0.25}}}};
  log.environment = {{"version", "1"}, {"threads", 2}};
  return log;
}

Json minimal_json() {
  return Json::parse(R"({"run_name": "mod_add_GF_3", "condition": "GF", "grokked": false, "metrics": [
      {"epoch": 0, "train_acc": 1.5, "test_acc": 2, "train_loss": 4.1, "test_loss": 4.2, "opt_time": 0}]})");
}

// The message with which reading `json` is refused.
std::string refusal(const Json& json) {
  try {
    json.get<RunLog>();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string refusal(const fs::path& path) {
  try {
    read_log(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::size_t count_of_files(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_CASE("run log: what is written is read again, every bit of it") {
  const TemporaryFolder folder;
  RunLog log = full_log();
  write_log(folder / "run.json", log);
  const RunLog read = read_log(folder / "run.json");
  CHECK(read == log);
  CHECK(std::signbit(read.metrics[1].test_loss));
  CHECK(read.metrics[1].extras[0].first == "jacobian_norm");

  log.status = RunStatus::failed;
  log.failure = "epoch 7: train_loss is nan \"\n\" \xe2\x82\xac";
  log.grokked = false;
  log.grokking_epoch.reset();
  log.metrics.clear();
  log.epoch = 7;
  write_log(folder / "failed.json", log);
  CHECK(read_log(folder / "failed.json") == log);
}

TEST_CASE("run log: a log of defaults is an unfinished run") {
  const TemporaryFolder folder;
  write_log(folder / "run.json", RunLog{});
  CHECK(read_log(folder / "run.json") == RunLog{});
  CHECK(Json::parse(read_file(folder / "run.json"))["status"] == "running");
}

TEST_CASE("run log: keys stand in the agreed order, grokking_epoch is null where there is none") {
  const auto keys = [](const Json& json) {
    std::vector<std::string> result;
    for (const auto& [key, value] : json.items()) result.push_back(key);
    return result;
  };
  RunLog log = full_log();
  const Json json = log;
  CHECK(keys(json) == std::vector<std::string>{"kind", "run_name", "condition", "config", "status", "grokked",
                                               "grokking_epoch", "metrics", "environment"});
  CHECK(keys(json["metrics"][1]) == std::vector<std::string>{"epoch", "train_acc", "test_acc", "train_loss",
                                                             "test_loss", "opt_time", "jacobian_norm",
                                                             "centroid_alignment"});
  CHECK(json["grokking_epoch"] == 110);

  log.status = RunStatus::failed;
  log.grokked = false;
  log.grokking_epoch.reset();
  const Json failed = log;
  CHECK(keys(failed) == std::vector<std::string>{"kind", "run_name", "condition", "config", "status", "failure",
                                                 "grokked", "grokking_epoch", "metrics", "environment"});
  log.epoch = 7;
  CHECK(keys(Json(log))[6] == "epoch");
  CHECK(Json(log)["epoch"] == 7);
  CHECK(failed["grokking_epoch"].is_null());
}

TEST_CASE("run log: one metric row, one line") {
  const TemporaryFolder folder;
  write_log(folder / "run.json", full_log());
  const std::string content = read_file(folder / "run.json");
  CHECK_THAT(content, Contains("\n    {\"epoch\":0,\"train_acc\":50.1,"));
  CHECK_THAT(content, Contains("\n    {\"epoch\":110,"));
  CHECK_THAT(content, Contains("\n  \"condition\": \"grokalign\",\n"));
  CHECK(content.back() == '\n');
  CHECK(Json::parse(content) == Json(full_log()));
}

TEST_CASE("run log: a log is replaced as a whole and no other file is left") {
  const TemporaryFolder folder;
  const RunLog long_log = full_log();
  write_log(folder / "run.json", long_log);
  // A second name of the old file: written in place it would change, renamed over it does not.
  fs::create_hard_link(folder / "run.json", folder / "old.json");
  write_log(folder / "run.json", RunLog{.run_name = "short", .condition = "baseline"});
  CHECK(read_log(folder / "run.json").run_name == "short");
  CHECK(read_log(folder / "old.json") == long_log);
  CHECK(count_of_files(folder.path()) == 2);
}

TEST_CASE("run log: a number that is not finite is refused by epoch and field, and the old log stays") {
  const TemporaryFolder folder;
  write_log(folder / "run.json", full_log());
  const std::string before = read_file(folder / "run.json");
  const auto message = [&](const RunLog& log) -> std::string {
    try {
      write_log(folder / "run.json", log);
    } catch (const RunError& error) {
      return error.what();
    }
    return "written";
  };
  RunLog log = full_log();
  log.metrics[1].test_loss = std::numeric_limits<double>::quiet_NaN();
  CHECK(message(log) == "epoch 110: test_loss is nan; expected a finite number");
  log = full_log();
  log.metrics[1].extras[1].second = infinity;
  CHECK(message(log) == "epoch 110: centroid_alignment is inf; expected a finite number");
  log = full_log();
  log.config["adamw"]["lr"] = std::numeric_limits<double>::quiet_NaN();
  CHECK(message(log) == "config.adamw.lr is nan; expected a finite number");
  log = full_log();
  log.metrics[1].extras.emplace_back("opt_time", 1.0);
  CHECK_THROWS_AS(write_log(folder / "run.json", log), InputError);
  CHECK(read_file(folder / "run.json") == before);
  CHECK(count_of_files(folder.path()) == 1);
}

TEST_CASE("run log: text that is no UTF-8 does not lose the log") {
  const TemporaryFolder folder;
  RunLog log = full_log();
  log.config["data"] = "caf\xe9";
  write_log(folder / "run.json", log);
  CHECK(read_log(folder / "run.json").config["data"] == "caf\xef\xbf\xbd");
}

TEST_CASE("run log: a log that cannot be written is a failed run") {
  const TemporaryFolder folder;
  write_file(folder / "file", "");
  CHECK_THROWS_AS(write_log(folder / "file/run.json", full_log()), RunError);
  CHECK_THROWS_AS(write_log(folder / "absent/run.json", full_log()), RunError);
  fs::create_directories(folder / "run.json");
  CHECK_THROWS_AS(write_log(folder / "run.json", full_log()), RunError);
  CHECK(count_of_files(folder.path()) == 2);
}

TEST_CASE("run log: others' logs of this schema are read") {
  Json json = minimal_json();
  RunLog log = json.get<RunLog>();
  CHECK(log.run_name == "mod_add_GF_3");
  CHECK(log.status == RunStatus::finished);
  CHECK(log.config.empty());
  CHECK(log.environment.is_object());
  CHECK_FALSE(log.grokked);
  CHECK_FALSE(log.grokking_epoch.has_value());
  REQUIRE(log.metrics.size() == 1);
  CHECK(log.metrics[0].test_acc == 2);

  SECTION("no grokking epoch is absent, null or -1") {
    json["grokking_epoch"] = nullptr;
    CHECK(json.get<RunLog>() == log);
    json["grokking_epoch"] = -1;
    CHECK(json.get<RunLog>() == log);
    json.erase("grokked");
    CHECK(json.get<RunLog>() == log);
  }
  SECTION("an epoch alone says that the run grokked") {
    json.erase("grokked");
    json["grokking_epoch"] = 250.0;
    CHECK(json.get<RunLog>().grokked);
    CHECK(json.get<RunLog>().grokking_epoch == 250);
  }
  SECTION("further keys are ignored, further numbers of a row kept") {
    json["notes"] = {1, 2};
    json["metrics"][0]["adv_acc"] = 51;
    json["metrics"][0]["norms"] = {1.5, 2.5};
    json["metrics"][0]["comment"] = "first";
    json["metrics"][0]["rank"] = nullptr;
    log.metrics[0].extras = {{"adv_acc", 51.0}};
    CHECK(json.get<RunLog>() == log);
  }
  SECTION("an order of keys is not expected") {
    const nlohmann::json sorted = nlohmann::json::parse(json.dump());
    CHECK(Json::parse(sorted.dump()).get<RunLog>() == log);
  }
}

TEST_CASE("run log: a malformed log is refused by field, with what was found and expected") {
  const auto changed = [](const char* pointer, const Json& value) {
    Json json = minimal_json();
    json[Json::json_pointer(pointer)] = value;
    return refusal(json);
  };
  const auto without = [](const char* key) {
    Json json = minimal_json();
    json.erase(key);
    return refusal(json);
  };
  CHECK(refusal(minimal_json()) == "accepted");
  CHECK(refusal(Json::array()) == "top level: found an array; expected the object of a run log");
  CHECK(without("run_name") == "run_name: found nothing; expected a string");
  CHECK(without("condition") == "condition: found nothing; expected a string");
  CHECK(without("metrics") == "metrics: found nothing; expected an array of rows");
  CHECK(changed("/metrics", Json::object()) == "metrics: found an object; expected an array of rows");
  CHECK(changed("/condition", 3) == "condition: found 3; expected a string");
  CHECK(changed("/config", "x") == "config: found \"x\"; expected an object");
  CHECK(changed("/environment", false) == "environment: found false; expected an object");
  CHECK(changed("/status", "done") == "status: found \"done\"; expected \"running\", \"finished\" or \"failed\"");
  CHECK(changed("/failure", 1) == "failure: found 1; expected a string");
  CHECK(changed("/grokked", 1) == "grokked: found 1; expected true or false");
  CHECK(changed("/grokked", true) == "grokking_epoch: found nothing; expected an epoch, as grokked is true");
  CHECK(changed("/grokking_epoch", 5) == "grokking_epoch: found 5; expected null, as grokked is false");
  CHECK(changed("/grokking_epoch", 2.5) == "grokking_epoch: found 2.5; expected an epoch, or null where not grokked");
  CHECK(changed("/grokking_epoch", -2) == "grokking_epoch: found -2; expected an epoch, or null where not grokked");
  CHECK(changed("/metrics/0", 1) == "metrics[0]: found 1; expected an object");
  CHECK(changed("/metrics/0/epoch", -1) == "metrics[0].epoch: found -1; expected an integer of at least 0");
  CHECK(changed("/metrics/0/epoch", 1e300) == "metrics[0].epoch: found 1e+300; expected an integer of at least 0");
  CHECK(changed("/metrics/0/epoch", std::numeric_limits<std::uint64_t>::max()) ==
        "metrics[0].epoch: found 18446744073709551615; expected an integer of at least 0");
  CHECK(changed("/metrics/0/test_acc", nullptr) == "metrics[0].test_acc: found null; expected a number");
  CHECK(changed("/metrics/0/opt_time", "3 s") == "metrics[0].opt_time: found \"3 s\"; expected a number");
  CHECK(changed("/metrics/0/opt_time", std::string(1000, 'x')) ==
        "metrics[0].opt_time: found a string; expected a number");
  Json json = minimal_json();
  json["metrics"][0].erase("train_loss");
  CHECK(refusal(json) == "metrics[0].train_loss: found nothing; expected a number");
}

TEST_CASE("run log: a file that is no log is refused in one line by its name") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run.json";
  const std::string name = path.string();
  CHECK_THAT(refusal(path), Contains(name + ": cannot be read: No such file"));
  CHECK_THAT(refusal(folder.path()), Contains("cannot be read: Is a directory"));
  write_log(path, full_log());
  const std::string whole = read_file(path);
  for (const std::string& content :
       {std::string(), std::string("{"), whole.substr(0, whole.size() / 2), std::string("{\"run_name\": NaN}"),
        std::string("[1e999]"), std::string("\0\n\xff", 3)}) {
    CAPTURE(content);
    write_file(path, content);
    CHECK_THAT(refusal(path), Contains(name + ": not JSON: "));
    CHECK(refusal(path).find('\n') == std::string::npos);
  }
  write_file(path, "{\"condition\": \"GF\"}");
  CHECK(refusal(path) == name + ": run_name: found nothing; expected a string");
}

TEST_CASE("run log: a damaged file is a log all the same, or refused by its name") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run.json";
  write_log(path, full_log());
  with_damage(read_file(path), [&](const std::string& content) {
    write_file(path, content);
    try {
      read_log_if_any(path);
    } catch (const UnreadableLog& error) {
      if (!std::string(error.what()).starts_with(path.string() + ": ")) FAIL(error.what());
    }
  });
}

TEST_CASE("read_log_if_any: an object that is no log at all is none, anything else as read_log has it") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run.json";
  write_log(path, full_log());
  CHECK(read_log_if_any(path) == full_log());
  for (const char* content : {"{}", R"({"settings": []})", R"({"condition": "GF", "grokked": true})"}) {
    write_file(path, content);
    CHECK_FALSE(read_log_if_any(path).has_value());
    CHECK_THROWS_AS(read_log(path), InputError);
  }
  for (const char* content : {"", "[]", "null", R"({"metrics": []})", R"({"run_name": null})"}) {
    CAPTURE(content);
    write_file(path, content);
    CHECK_THROWS_AS(read_log_if_any(path), InputError);
  }
  CHECK_THROWS_AS(read_log_if_any(folder / "absent.json"), InputError);
}

TEST_CASE("metric: fields and extras of a row by name") {
  const MetricRow row = full_log().metrics[1];
  CHECK(metric(row, "test_acc") == 90.3);
  CHECK(metric(row, "opt_time") == 2.25);
  CHECK(metric(row, "centroid_alignment") == -0.25);
  CHECK_FALSE(metric(row, "test_centroid_alignment").has_value());
  CHECK_FALSE(metric(row, "").has_value());
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/training/sweep.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "experiments/runs/run_files.hpp"
#include "experiments/runs/run_lock.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"
#include "linalg/random.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// A sweep's file with two settings, two conditions and two seeds; tests change one thing in it.
Json small_sweep() {
  return Json::parse(R"({"settings": {"sparse_parity": {}, "mod_add": {}},
                         "conditions": {"baseline": {}, "grokalign": {}},
                         "seeds": [3, 1]})");
}

std::vector<RunConfig> runs_of(const Json& file, const std::vector<std::string>& assignments = {}) {
  return sweep_runs(file.dump(), "s.json", assignments);
}

std::vector<std::string> names(const std::vector<RunConfig>& runs) {
  std::vector<std::string> result;
  for (const RunConfig& run : runs) result.push_back(run_name(run));
  return result;
}

// ---- which runs a file asks for --------------------------------------------------------------------------------

TEST_CASE("a sweep's runs are ordered by setting, condition and seed as they are written") {
  CHECK(names(runs_of(small_sweep())) ==
        std::vector<std::string>{"sparse_parity_baseline_seed3", "sparse_parity_baseline_seed1",
                                 "sparse_parity_grokalign_seed3", "sparse_parity_grokalign_seed1",
                                 "mod_add_baseline_seed3", "mod_add_baseline_seed1", "mod_add_grokalign_seed3",
                                 "mod_add_grokalign_seed1"});
  Json file = small_sweep();
  file["seeds"] = {{"first", 5}, {"count", 3}};
  file["settings"]["mod_add"]["seeds"] = {0};
  CHECK(names(runs_of(file)) ==
        std::vector<std::string>{"sparse_parity_baseline_seed5", "sparse_parity_baseline_seed6",
                                 "sparse_parity_baseline_seed7", "sparse_parity_grokalign_seed5",
                                 "sparse_parity_grokalign_seed6", "sparse_parity_grokalign_seed7",
                                 "mod_add_baseline_seed0", "mod_add_grokalign_seed0"});
  file["settings"]["sparse_parity"]["seeds"] = {1};
  file.erase("seeds");  // nobody needs it now
  CHECK(runs_of(file).size() == 4);
}

TEST_CASE("where nothing is said a run is the task's protocol") {
  for (const RunConfig& run : runs_of(small_sweep())) {
    RunConfig expected = task(run.task).defaults;
    expected.task = run.task;
    expected.condition = run.condition;
    expected.seed = run.seed;
    CHECK(settings::as_json(run) == settings::as_json(expected));
  }
}

TEST_CASE("of several values the last in the order task, overrides, setting, condition, command line counts") {
  // Each level says the fields from its own number on, so that field i shows the value of level i.
  const std::vector<std::string> fields = {"beta1", "beta2", "epsilon", "weight_decay", "gradient_clip"};
  Json file = small_sweep();
  std::vector<std::string> assignments;
  const RunConfig defaults = task("mod_add").defaults;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i >= 1) file["overrides"][fields[i]] = 0.01;
    if (i >= 2) file["settings"]["mod_add"][fields[i]] = 0.02;
    if (i >= 3) file["conditions"]["grokalign"][fields[i]] = 0.03;
    if (i >= 4) assignments.push_back(fields[i] + "=0.04");
  }
  for (const RunConfig& run : runs_of(file, assignments)) {
    const bool m = run.task == "mod_add", g = run.condition == "grokalign";
    CAPTURE(run.task, run.condition);
    CHECK(run.beta1 == defaults.beta1);
    CHECK(run.beta2 == 0.01);
    CHECK(run.epsilon == (m ? 0.02 : 0.01));
    CHECK(run.weight_decay == (g ? 0.03 : m ? 0.02 : 0.01));
    CHECK(run.gradient_clip == 0.04);
  }
}

TEST_CASE("a condition's label names its runs, and is told in the config where it differs from the condition") {
  Json file = small_sweep();
  file["conditions"] = Json::parse(R"({"J only": {"condition": "grokalign", "penalise_offset": false},
                                       "grokalign": {"condition": "grokalign"},
                                       "grokfast+grokalign": {}})");
  file["seeds"] = {0};
  const auto runs = runs_of(file);
  REQUIRE(runs.size() == 6);
  CHECK(run_name(runs[0]) == "sparse_parity_J only_seed0");
  CHECK(runs[0].label == "J only");
  CHECK(runs[0].condition == "grokalign");
  CHECK_FALSE(runs[0].penalise_offset);
  CHECK(runs[1].label.empty());
  CHECK(runs[1].penalise_offset);
  CHECK(runs[2].condition == "grokfast+grokalign");
  CHECK(runs[2].label.empty());
}

TEST_CASE("what is wrong with a sweep's file is one line with the place, found and expected") {
  struct Row {
    const char* pointer;  // where in the small sweep
    const char* value;    // is this
    const char* message;  // how the message begins
  };
  const Row rows[] = {
      {"/seed", "[0]", "seed: unknown key, expected one of kind, settings, conditions, seeds, overrides"},
      {"/my settings", "{}", "\"my settings\": unknown key"},
      {"", "[1]", "top level: found [1], expected an object"},
      {"/settings", "{}", "settings: found {}, expected an object that is not empty"},
      {"/settings", "[\"mod_add\"]", "settings: found [\"mod_add\"], expected an object"},
      {"/conditions", "{}", "conditions: found {}, expected an object that is not empty"},
      {"/conditions", "null", "conditions: found null, expected an object"},
      {"/settings/xor of all", "{}", "settings: task: found 'xor of all', expected one of "},
      {"/settings/mod_add", "3", "settings.mod_add: found 3, expected an object"},
      {"/settings/mod_add/lambda", "\"x\"", "settings.mod_add.lambda: found \"x\", expected a number"},
      {"/settings/mod_add/lambda", "-1", "settings.mod_add.lambda: found -1, expected a number from 0"},
      {"/settings/mod_add/lambda", "null", "settings.mod_add.lambda: found null, expected a number"},
      {"/settings/mod_add/epochs", "1.5", "settings.mod_add.epochs: found 1.5, expected a whole number"},
      {"/settings/mod_add/epoch", "1", "settings.mod_add.epoch: unknown field, expected one of "},
      {"/settings/mod_add/seed", "1", "settings.mod_add.seed: unexpected here"},
      {"/settings/mod_add/task", "\"xor\"", "settings.mod_add.task: unexpected here"},
      {"/settings/mod_add/condition", "\"grokalign\"", "settings.mod_add.condition: unexpected here"},
      {"/settings/mod_add/seeds", "[]", "settings.mod_add.seeds: found [], expected a list of seeds that is not empty"},
      {"/settings/mod_add/seeds", "[0, -1]", "settings.mod_add.seeds: found -1, expected whole numbers from 0"},
      {"/settings/mod_add/seeds", "[7, 7]", "settings.mod_add.seeds: found two runs named mod_add_baseline_seed7"},
      {"/conditions/J only", "{}", "conditions.\"J only\".condition: found 'J only', expected baseline, or "},
      {"/conditions/J only", "[]", "conditions.\"J only\": found [], expected an object"},
      {"/conditions/J only", "{\"condition\": 3}", "conditions.\"J only\": found 3, expected the name of a condition"},
      {"/conditions/J only", "{\"condition\": \"grokalign\", \"lambda\": -2}",
       "conditions.\"J only\".lambda: found -2, "},
      {"/conditions/J only", "{\"condition\": \"grokalign\", \"label\": \"x\"}",
       "conditions.\"J only\".label: unexpec"},
      {"/conditions/a~1b", "{\"condition\": \"grokalign\"}", "label: found \"a/b\", expected a name without slash"},
      {"/conditions/a\nb", "{\"condition\": \"grokalign\"}", "label: found \"a\\nb\", expected a name without slash"},
      {"/conditions/", "{\"condition\": \"grokalign\"}", "conditions.\"\": found "},
      {"/settings/mod_add/learning_rate", "[]",
       "settings.mod_add.learning_rate: found [], expected a value, or a grid: a list of values that is not empty"},
      {"/settings/mod_add/learning_rate", "[0.1, 1, 1.0]",
       "settings.mod_add.learning_rate: found 1.0 twice, expected different values"},
      {"/settings/mod_add/hidden", "[[8], [8, 8], [8]]",
       "settings.mod_add.hidden: found [8] twice, expected different"},
      {"/settings/mod_add/hidden", "[[8], 8]", "settings.mod_add.hidden: found 8, expected a list of whole numbers"},
      {"/settings/mod_add/learning_rate", "[0.1, [1]]", "settings.mod_add.learning_rate: found [1], expected a number"},
      {"/settings/mod_add/learning_rate", "[0.1, -1]",
       "settings.mod_add.learning_rate: found -1, expected a number from"},
      {"/settings/mod_add/learning_rte", "[0.1]", "settings.mod_add.learning_rte: unknown field, expected one of "},
      {"/settings/mod_add/seed", "[1, 2]", "settings.mod_add.seed: unexpected here"},
      {"/settings/mod_add/task", "[\"xor\"]", "settings.mod_add.task: unexpected here"},
      {"/settings/mod_add/task_grid", "\"hidden\"", "settings.mod_add.task_grid: unexpected here"},
      {"/conditions/grokalign", "{\"lambda\": [0.1, -0.1]}",
       "conditions.grokalign.lambda: found -0.1, expected a number"},
      {"/conditions/both", "{\"condition\": [\"grokalign\", \"grokfast\"]}",
       "conditions.both: found [\"grokalign\",\"grokfast\"], expected the name of a condition"},
      {"/conditions/baseline", "{\"lambda\": [0.1, 0.2]}", "conditions.baseline.lambda: found none of the "},
      {"/overrides", "{\"optimizer\": [\"sgd\", \"smd\"]}", "overrides.optimizer: found 'smd', expected one of "},
      {"/overrides", "[]", "overrides: found [], expected an object"},
      {"/overrides", "{\"projections\": 0}", "overrides.projections: found 0, expected a whole number from 1"},
      {"/overrides", "{\"seeds\": [1]}", "overrides.seeds: unknown field"},
      {"/seeds", "null", "seeds: found null, expected a list of seeds that is not empty, or "},
      {"/seeds", "3", "seeds: found 3, expected a list of seeds"},
      {"/seeds", "[]", "seeds: found [], expected a list of seeds"},
      {"/seeds", "[0.5]", "seeds: found 0.5, expected whole numbers from 0"},
      {"/seeds", "[\"0\"]", "seeds: found \"0\", expected whole numbers from 0"},
      {"/seeds", "[18446744073709551615]", "seeds: found 18446744073709551615, expected whole numbers from 0"},
      {"/seeds", "{\"first\": 0}", "seeds: found {\"first\":0}, expected a list of seeds"},
      {"/seeds", "{\"first\": 0, \"count\": 2, \"step\": 2}", "seeds: found {"},
      {"/seeds", "{\"first\": -1, \"count\": 2}", "seeds.first: found -1, expected a whole number from 0"},
      {"/seeds", "{\"first\": 9223372036854775807, \"count\": 2}", "seeds.first: found 9223372036854775807, "},
      {"/seeds", "{\"first\": 0, \"count\": 0}", "seeds.count: found 0, expected a whole number from 1 to 100000"},
      {"/seeds", "{\"first\": 0, \"count\": 100001}", "seeds.count: found 100001, expected a whole number from 1"},
      {"/seeds", "{\"first\": 0, \"count\": \"3\"}", "seeds.count: found \"3\", expected a whole number from 1"},
  };
  CHECK(message_of([] { runs_of(small_sweep()); }) == "nothing was thrown");
  for (const Row& row : rows) {
    Json file = small_sweep();
    file[Json::json_pointer(row.pointer)] = Json::parse(row.value);
    const std::string message = message_of([&] { runs_of(file); });
    CAPTURE(row.pointer, row.value, row.message, message);
    CHECK(message.starts_with(std::string("s.json: ") + row.message));
    CHECK_FALSE(contains(message, "\n"));
  }
  for (const char* key : {"settings", "conditions", "seeds"}) {
    Json file = small_sweep();
    file.erase(key);
    CHECK(message_of([&] { runs_of(file); }).starts_with(std::string("s.json: ") + key + ": found null, expected "));
  }
}

// ---- grids

TEST_CASE("a grid's runs are all combinations of its values, each once, named for them") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mod_add": {"hidden": [[8, 8], [], [32]], "learning_rate": [0.01, 1, 1e-7]}})");
  file["conditions"]["grokalign"] = Json::parse(R"({"lambda": [0.5, 0.25], "jacobian_norm": ["exact", "projection"]})");
  const std::vector<RunConfig> runs = runs_of(file);
  std::vector<std::string> expected;
  for (const bool is_baseline : {true, false})
    for (const char* hidden : {"8x8", "none", "32"})
      for (const char* rate : {"0.01", "1", "1e-07"})
        for (const char* lambda : {"0.5", "0.25"})
          for (const char* norm : {"exact", "projection"})
            for (const char* seed : {"3", "1"}) {
              const std::string point = std::string("_hidden") + hidden + "_learning_rate" + rate;
              // The baseline reads neither of the two.
              expected.push_back(is_baseline ? "mod_add_baseline" + point + "_seed" + seed
                                             : "mod_add_grokalign" + point + "_lambda" + lambda + "_jacobian_norm" +
                                                   norm + "_seed" + seed);
            }
  std::vector<std::string> once;
  for (const std::string& name : expected)
    if (std::ranges::find(once, name) == once.end()) once.push_back(name);
  CHECK(names(runs) == once);
  CHECK(once.size() == 9 * 2 * (1 + 4));
  const RunConfig& last = runs.back();
  CHECK(last.hidden == std::vector<Index>{32});
  CHECK(last.learning_rate == 1e-7);
  CHECK(last.lambda == 0.25);
  CHECK(last.jacobian_norm == "projection");
  CHECK(last.task_grid == "hidden+learning_rate");
  CHECK(last.condition_grid == "lambda+jacobian_norm");
  CHECK(condition_label(last) == "grokalign lambda 0.25, jacobian_norm projection");
  CHECK(condition_label(runs.front()) == "baseline");
  CHECK(last.label.empty());
}

TEST_CASE("a grid of a task over what conditions alone read names the condition, and the baseline is there once") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mod_add": {"lambda": [0.5, 0.25]}})");
  file["conditions"]["J only"] = Json::parse(R"({"condition": "grokalign", "penalise_offset": false})");
  file["seeds"] = {0};
  CHECK(names(runs_of(file)) == std::vector<std::string>{"mod_add_baseline_seed0", "mod_add_grokalign_lambda0.5_seed0",
                                                         "mod_add_grokalign_lambda0.25_seed0",
                                                         "mod_add_J only_lambda0.5_seed0",
                                                         "mod_add_J only_lambda0.25_seed0"});
  for (const RunConfig& run : runs_of(file)) CHECK(run.task_grid.empty());
  CHECK(condition_label(runs_of(file).back()) == "J only lambda 0.25");
}

TEST_CASE("a regression of a sweep has the loss mse, and a list of its targets is no grid") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"table": {"data": "a.csv", "regression": true, "targets": ["y", "z"]}})");
  const std::vector<RunConfig> runs = runs_of(file);
  REQUIRE(runs.size() == 4);
  for (const RunConfig& run : runs) {
    CHECK(run.loss == "mse");
    CHECK(run.targets == std::vector<std::string>{"y", "z"});
    CHECK(run.task_grid.empty());
  }
  file["settings"]["table"]["targets"] = Json::parse(R"([["y"], ["y", "z"]])");
  CHECK(runs_of(file).size() == 8);
  file["settings"]["table"]["loss"] = "bce";
  CHECK(message_of([&] { runs_of(file); }) ==
        "s.json: settings.table.loss: found \"bce\", expected \"mse\", as regression is true");
}

TEST_CASE("a grid gives way to what is said after it") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mod_add": {"beta1": [0.1, 0.2]}})");
  file["overrides"] = Json::parse(R"({"beta1": [0.3, 0.4, 0.5], "beta2": [0.6, 0.7]})");
  file["conditions"]["grokalign"] = Json::parse(R"({"beta1": 0.8, "beta2": [0.9]})");
  file["seeds"] = {0};
  const auto found = [&](const std::vector<std::string>& assignments = {}) {
    return names(runs_of(file, assignments));
  };
  CHECK(found() ==
        std::vector<std::string>{"mod_add_baseline_beta10.1_beta20.6_seed0", "mod_add_baseline_beta10.2_beta20.6_seed0",
                                 "mod_add_baseline_beta10.1_beta20.7_seed0", "mod_add_baseline_beta10.2_beta20.7_seed0",
                                 "mod_add_grokalign_beta20.9_seed0"});
  CHECK(found({"beta2=0.5"}) == std::vector<std::string>{"mod_add_baseline_beta10.1_seed0",
                                                         "mod_add_baseline_beta10.2_seed0", "mod_add_grokalign_seed0"});
  CHECK(message_of([&] { found({"beta2=[0.5, 0.6]"}); }) == "beta2: found [0.5,0.6], expected a number");
}

TEST_CASE("a setting that only some points of a grid read is varied there alone") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mod_add": {"optimizer": ["adamw", "sgd"], "momentum": [0, 0.9]}})");
  file["conditions"] = Json::parse(R"({"baseline": {}})");
  file["seeds"] = {0};
  const std::vector<RunConfig> runs = runs_of(file);
  CHECK(names(runs) == std::vector<std::string>{"mod_add_baseline_optimizeradamw_seed0",
                                                "mod_add_baseline_optimizersgd_momentum0_seed0",
                                                "mod_add_baseline_optimizersgd_momentum0.9_seed0"});
  CHECK(runs.back().task_grid == "optimizer+momentum");
  CHECK(runs.front().task_grid == "optimizer");
}

TEST_CASE("paths in a grid make no folders, and those that make one name are refused") {
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mod_add": {"initial_model": ["a/b", ""]}})");
  file["conditions"] = Json::parse(R"({"baseline": {}})");
  file["seeds"] = {0};
  CHECK(names(runs_of(file)) == std::vector<std::string>{"mod_add_baseline_initial_modela-b_seed0",
                                                         "mod_add_baseline_initial_modelnone_seed0"});
  file["settings"]["mod_add"]["initial_model"] = {"a/b", "a-b"};
  CHECK(contains(message_of([&] { runs_of(file); }), "found two runs named mod_add_baseline_initial_modela-b_seed0"));
}

TEST_CASE("a grid that nobody could run is refused before it is made") {
  Json file = small_sweep();
  Json values = Json::array();
  for (int i = 0; i < 100; ++i) values.push_back(i / 128.0);
  for (const char* name : {"beta1", "beta2", "epsilon", "weight_decay"}) file["settings"]["mod_add"][name] = values;
  CHECK(contains(message_of([&] { runs_of(file); }), "found grids of more than 100000 points, expected fewer"));
}

TEST_CASE("a fault is put down to the last place that said the field") {
  Json file = small_sweep();
  file["overrides"]["beta1"] = -1;
  CHECK(message_of([&] { runs_of(file); }).starts_with("s.json: overrides.beta1: found -1"));
  file["conditions"]["baseline"]["beta1"] = -2;
  CHECK(message_of([&] { runs_of(file); }).starts_with("s.json: conditions.baseline.beta1: found -2"));
  file["conditions"]["baseline"]["beta1"] = 0.1;
  file["conditions"]["grokalign"]["beta1"] = 0.1;
  CHECK(runs_of(file).size() == 8);
}

TEST_CASE("text that is no JSON is refused with the line, and a key that is there twice by its name") {
  const auto message = [](const std::string& content) { return message_of([&] { sweep_runs(content, "s.json"); }); };
  CHECK(message("{\n\"settings\": {},\n\"conditions\" {}}")
            .starts_with("s.json: not JSON: line 3, column 14: syntax error"));
  CHECK(message("").starts_with("s.json: not JSON: line 1, column 1: "));
  const std::string whole = small_sweep().dump();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string found = message(whole.substr(0, size));
    CAPTURE(size, found);
    CHECK(found.starts_with("s.json: not JSON: line 1, "));
    CHECK_FALSE(contains(found, "\n"));
  }
  CHECK(message(whole + "}").starts_with("s.json: not JSON: line 1, "));
  CHECK(message("{\"seeds\": 1e999}").starts_with("s.json: "));
  CHECK(message("{\"seeds\": [0], \"\xff\": 1}").starts_with("s.json: not JSON: line 1, "));
  for (const std::string& deep : {std::string(100000, '['), std::string(100000, '[') + std::string(100000, ']')}) {
    CHECK(message(deep) == "s.json: found more than 64 nested levels, expected at most so many");
    CHECK(contains(message("{\"settings\": {\"mod_add\": {\"hidden\": " + deep + "}}}"), "nested levels"));
  }
  CHECK(message(R"({"seeds": [0], "settings": {"mod_add": {}}, "seeds": [1]})") ==
        "s.json: \"seeds\": found twice in one object, expected once");
  CHECK(message(R"({"settings": {"mod_add": {"lambda": 1, "bias": true, "lambda": 2}}})") ==
        "s.json: \"lambda\": found twice in one object, expected once");
  // The same key in two objects is none of that.
  CHECK(message(R"({"settings": {"mod_add": {"lambda": 1}, "sparse_parity": {"lambda": 2}},
                    "conditions": {"grokalign": {}}, "seeds": [0]})") == "nothing was thrown");
}

TEST_CASE("what is wrong on the command line is not put down to the file") {
  const auto message = [](const std::string& given) { return message_of([&] { runs_of(small_sweep(), {given}); }); };
  CHECK(message("lambda=0.5") == "nothing was thrown");
  CHECK(message("lambda") == "setting: found 'lambda', expected NAME=VALUE");
  CHECK(message("lambda=x") == "lambda: found \"x\", expected a number");
  CHECK(message("lamda=1").starts_with("lamda: unknown field, expected one of "));
  CHECK(contains(message("lambda=-1"), "--set lambda: found -1, expected a number from 0"));
  for (const char* field : {"task=mod_add", "condition=grokalign", "label=x", "seed=3"})
    CHECK(
        message(field).starts_with("--set " + std::string(field).substr(0, std::string(field).find('=')) + ": unexp"));
}

TEST_CASE("the shards of a sweep hold each run exactly once, in order, and differ in size by at most one") {
  Json file = small_sweep();
  file["seeds"] = {{"first", 0}, {"count", 5}};
  const auto all = runs_of(file);
  for (std::size_t n : {std::size_t{1}, std::size_t{3}, std::size_t{7}, all.size(), all.size() + 3}) {
    std::map<std::string, int> count;
    for (std::size_t i = 1; i <= n; ++i) {
      const auto part = names(shard_of(all, std::to_string(i) + "/" + std::to_string(n)));
      CHECK((part.size() == all.size() / n || part.size() == all.size() / n + 1));
      if (i <= all.size()) CHECK(part.front() == run_name(all[i - 1]));
      for (const std::string& name : part) ++count[name];
    }
    CHECK(count.size() == all.size());
    CHECK(std::ranges::all_of(count, [](const auto& entry) { return entry.second == 1; }));
  }
  CHECK(names(shard_of(all, "1/1")) == names(all));
  for (const char* wrong : {"", "1", "/", "1/", "/2", "0/2", "3/2", "-1/2", "1/-2", "+1/2", "1/0", "a/b", "1/2x",
                            "1 /2", " 1/2", "1/2 ", "1/2/3", "1.0/2", "1/99999999999999999999999"}) {
    CAPTURE(wrong);
    CHECK(message_of([&] { shard_of(all, wrong); }) ==
          std::string("shard: found '") + wrong + "', expected i/n with 1 <= i <= n");
  }
}

TEST_CASE("every file in configs can be expanded") {
  if (!fs::is_directory("configs")) return skip("configs: there is no such folder below this one");
  int files = 0;
  for (const auto& file : fs::directory_iterator("configs")) {
    CAPTURE(file.path().string());
    CHECK(file.path().extension() == ".json");
    CHECK(message_of([&] { sweep_runs(read_file(file.path()), file.path().string()); }) == "nothing was thrown");
    ++files;
  }
  CHECK(files >= 6);
}

// ---- logs that are there ---------------------------------------------------------------------------------------

RunConfig quick_run() {
  RunConfig run = task("mod_add").defaults;
  run.task = "mod_add";
  run.modulus = 5;
  run.epochs = 3;
  return run;
}

TEST_CASE("a log is this run's only when the settings that the run reads are") {
  const TemporaryFolder folder;
  const RunConfig run = quick_run();
  CHECK_FALSE(log_of(run, folder.path()));
  RunLog log = sweep_run(run, folder.path(), 1);
  CHECK(log.status == RunStatus::finished);
  const fs::path file = folder / (run_name(run) + ".json");
  CHECK(log_of(run, folder.path()) == read_log(file));
  RunConfig other = run;
  other.data = "elsewhere";
  other.level = 3;
  CHECK(log_of(other, folder.path()));

  const auto message = [&] { return message_of([&] { log_of(run, folder.path()); }); };
  const Json settings = settings_read(run), defaults = settings::as_json(RunConfig{});
  const std::string start = file.string() + ": another run of that name is there: config.";
  for (const auto& [field, value] : settings.items()) {
    RunLog changed = log;
    changed.config[field] = "something else";
    write_log(file, changed);
    CHECK(message().starts_with(start + field + ": found \"something else\", expected " + value.dump()));
    changed.config.erase(field);
    write_log(file, changed);
    // A log from before there was that field has its default.
    const Json& usual = defaults.at(field);
    CHECK(message().starts_with(usual == value ? "nothing was thrown" : start + field + ": found " + usual.dump()));
  }
  RunLog more = log;
  more.config["colour"] = 3;
  write_log(file, more);
  CHECK(message().starts_with(start + "colour: found 3, expected nothing"));
  write_file(file, "{}");
  CHECK(message().starts_with(file.string() + ": run_name: "));
}

TEST_CASE("a run that another process is at is refused, and one that is finished is left as it is") {
  const TemporaryFolder folder;
  const RunConfig run = quick_run();
  {
    const RunLock lock(folder / ("." + run_name(run) + ".lock"), 0ms);
    CHECK(message_of<RunError>([&] { sweep_run(run, folder.path(), 1, {}, 20ms); }) ==
          "another process is at this run");
  }
  RunLog log = sweep_run(run, folder.path(), 1);
  log.metrics.front().opt_time = 12345;  // marks this very log
  write_log(folder / (run_name(run) + ".json"), log);
  CHECK(sweep_run(run, folder.path(), 1).metrics.front().opt_time == 12345);
}

// ---- processes -------------------------------------------------------------------------------------------------

// A sweep whose processes are this shell script, $0 being the run's name.
struct ShellSweep {
  explicit ShellSweep(std::string script_) : script(std::move(script_)) {}
  JobQueueResult run(const std::vector<RunConfig>& runs, const fs::path& folder, int jobs = 1, bool terminal = false) {
    const JobQueueOptions options{.folder = folder,
                                  .jobs = jobs,
                                  .terminal = terminal,
                                  .command =
                                      [&](const std::string& name) {
                                        started.push_back(name);
                                        return std::vector<std::string>{"/bin/sh", "-c", script, name, folder.string()};
                                      },
                                  .input = "the file"};
    std::ostringstream stream;
    const JobQueueResult result = run_sweep(runs, options, stream);
    out = stream.str();
    return result;
  }
  std::string script;
  std::vector<std::string> started = {};
  std::string out = {};
};

std::vector<RunConfig> quick_runs(int count) {
  std::vector<RunConfig> runs(static_cast<std::size_t>(count), quick_run());
  for (int i = 0; i < count; ++i) runs[static_cast<std::size_t>(i)].seed = i;
  return runs;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> result;
  for (const auto& file : fs::directory_iterator(folder)) result.insert(file.path().filename().string());
  return result;
}

TEST_CASE("runs start in their order, each once, whatever the number of jobs") {
  const auto runs = quick_runs(5);
  for (int jobs : {1, 2, 5, 40}) {
    const TemporaryFolder folder;
    // Each process notes how many there are meanwhile.
    ShellSweep sweep("mkdir \"$1/at.$0\"; ls -d \"$1\"/at.* | wc -l >> \"$1/most\"; sleep 0.02; rmdir \"$1/at.$0\"");
    CHECK(sweep.run(runs, folder.path(), jobs).failed == 0);
    CHECK(sweep.started == names(runs));
    const auto counts = lines(read_file(folder / "most"));
    CHECK(counts.size() == 5);
    for (const std::string& count : counts) CHECK(std::stoi(count) <= jobs);
  }
}

TEST_CASE("a process that fails is told with its reason and does not stop the others") {
  const TemporaryFolder folder;
  ShellSweep sweep(
      "case $0 in *1) echo \"normalign: $0: no disk\" >&2; exit 2;; *2) kill -9 $$;; *3) exit 5;; "
      "*4) echo a warning >&2;; esac");
  const JobQueueResult result = sweep.run(quick_runs(6), folder.path(), 2);
  CAPTURE(sweep.out);
  CHECK(result.failed == 3);
  CHECK(result.signal == 0);
  CHECK(sweep.started.size() == 6);
  CHECK(contains(sweep.out, "normalign: mod_add_baseline_seed1: no disk\n"));
  CHECK(contains(sweep.out, "normalign: mod_add_baseline_seed2: the process ended by signal 9\n"));
  CHECK(contains(sweep.out, "normalign: mod_add_baseline_seed3: the process ended with status 5\n"));
  CHECK(contains(sweep.out, "a warning\n"));
  CHECK(contains(sweep.out, "3 done, 0 running, 0 left, 3 failed\n"));
  CHECK_FALSE(contains(sweep.out, "\r"));
  CHECK(files_in(folder.path()).empty());
}

TEST_CASE("the log of a process that died in the middle is marked failed, with its rows and its checkpoint kept") {
  const TemporaryFolder folder;
  const auto runs = quick_runs(4);
  RunLog log = sweep_run(runs[0], folder.path(), 1);
  log.status = RunStatus::running;
  const auto file = [&](int i) { return folder / (run_name(runs[static_cast<std::size_t>(i)]) + ".json"); };
  const auto prepare = [&](int i, bool rows) {
    RunLog of_run = log;
    of_run.run_name = run_name(runs[static_cast<std::size_t>(i)]);
    of_run.config["seed"] = i;
    if (!rows) of_run.metrics.clear();
    write_log(file(i), of_run);
    return of_run;
  };
  RunLog killed = prepare(0, true), refused = prepare(1, true), without_rows = prepare(2, false);
  const RunLog held = prepare(3, true);
  write_file(folder / ".mod_add_baseline_seed0.checkpoint", "state");
  write_file(folder / ".mod_add_baseline_seed0.lock", "");
  write_file(folder / ".mod_add_baseline_seed0.json.17.tmp", "half a log");
  const RunLock somebody(folder / ".mod_add_baseline_seed3.lock", 0ms);
  ShellSweep sweep("case $0 in *1) echo \"normalign: $0: no memory\" >&2; exit 1;; *) kill -9 $$;; esac");
  CHECK(sweep.run(runs, folder.path()).failed == 4);
  killed.status = refused.status = without_rows.status = RunStatus::failed;
  killed.failure = without_rows.failure = "the process ended by signal 9";
  refused.failure = "no memory";
  CHECK(read_log(file(0)) == killed);
  CHECK(read_log(file(1)) == refused);
  CHECK(read_log(file(2)) == without_rows);
  CHECK(read_log(file(3)) == held);
  CHECK(files_in(folder.path()) == std::set<std::string>{"mod_add_baseline_seed0.json", "mod_add_baseline_seed1.json",
                                                         "mod_add_baseline_seed2.json", "mod_add_baseline_seed3.json",
                                                         ".mod_add_baseline_seed0.checkpoint",
                                                         ".mod_add_baseline_seed3.lock"});
}

TEST_CASE("finished runs are skipped, all others run; a log of other settings stops the sweep before its start") {
  const TemporaryFolder folder;
  const auto runs = quick_runs(4);
  RunLog log = sweep_run(runs[0], folder.path(), 1);
  for (const auto& [seed, status] : {std::pair{1, RunStatus::running}, {2, RunStatus::failed}}) {
    log.status = status;
    log.config["seed"] = seed;
    write_log(folder / (run_name(runs[static_cast<std::size_t>(seed)]) + ".json"), log);
  }
  // What a process left that was killed just after its log was finished; and what belongs to others.
  for (const char* left : {".mod_add_baseline_seed0.checkpoint", ".mod_add_baseline_seed0.lock",
                           ".mod_add_baseline_seed0.json.123.tmp", "..mod_add_baseline_seed0.checkpoint.45.tmp"})
    write_file(folder / left, "");
  for (const char* other : {"mod_add_baseline_seed0.json.123.tmp", ".mod_add_baseline_seed01.json.7.tmp", "notes.txt",
                            ".mod_add_baseline_seed0.json.a_seed9.json.3.tmp"})
    write_file(folder / other, "");
  ShellSweep sweep("true");
  CHECK(sweep.run(runs, folder.path()).failed == 0);
  CHECK(sweep.started == std::vector<std::string>{run_name(runs[1]), run_name(runs[2]), run_name(runs[3])});
  CHECK(contains(sweep.out, "1 runs are there already, 3 to do"));
  CHECK(files_in(folder.path()) == std::set<std::string>{"mod_add_baseline_seed0.json", "mod_add_baseline_seed1.json",
                                                         "mod_add_baseline_seed2.json",
                                                         "mod_add_baseline_seed0.json.123.tmp", "notes.txt",
                                                         ".mod_add_baseline_seed01.json.7.tmp",
                                                         ".mod_add_baseline_seed0.json.a_seed9.json.3.tmp"});

  // A failed run holds no result: one of other settings is done anew. A finished one is not to be replaced.
  log.config["beta1"] = 0.5;
  log.status = RunStatus::failed;
  write_log(folder / "mod_add_baseline_seed2.json", log);
  sweep.started.clear();
  sweep.run(runs, folder.path());
  CHECK(std::ranges::find(sweep.started, run_name(runs[2])) != sweep.started.end());
  log.status = RunStatus::finished;
  write_log(folder / "mod_add_baseline_seed2.json", log);
  sweep.started.clear();
  CHECK(contains(message_of([&] { sweep.run(runs, folder.path()); }), "config.beta1: found 0.5, expected 0.9"));
  CHECK(sweep.started.empty());
}

TEST_CASE("on a terminal progress is one line that is written over") {
  const TemporaryFolder folder;
  ShellSweep sweep("case $0 in *1) exit 1;; esac");
  sweep.run(quick_runs(3), folder.path(), 1, true);
  CHECK(contains(sweep.out, "\rsweep: 0 done, 1 running, 2 left, 0 failed; about - left"));
  CHECK(lines(sweep.out).size() == 3);  // those of the count and the failure, and what is written over
  CHECK(sweep.out.ends_with("\r"));
}

// ---- the command -----------------------------------------------------------------------------------------------

Arguments sweep_command(const fs::path& file, const fs::path& out, const Arguments& more = {}) {
  Arguments result{"sweep", file.string(), "--out", out.string()};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::set<std::string> log_names(const std::vector<RunConfig>& runs) {
  std::set<std::string> result;
  for (const RunConfig& run : runs) result.insert(run_name(run) + ".json");
  return result;
}

TEST_CASE("a sweep writes the logs that its runs write alone, and nothing else; again it has nothing to do") {
  if (without_program("sweep")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["overrides"] = {{"epochs", 2}};
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs";
  const Arguments arguments = sweep_command(folder / "s.json", out / "deep", {"--jobs", "3", "--set", "beta2=0.98"});
  const Arguments one_setting =
      sweep_command(folder / "s.json", folder / "part", {"--setting", "mod_add", "--set", "beta2=0.98"});
  CHECK(contains(normalign(one_setting).err, "sweep: 4 done, 0 running, 0 left, 0 failed\n"));
  for (const std::string& name : files_in(folder / "part")) CHECK(name.starts_with("mod_add_"));
  const Finished first = normalign(arguments);
  CAPTURE(first.out, first.err);
  CHECK(first.status == 0);
  for (const char* part : {"mod_add", "sparse_parity", "grokalign", "0/2"}) CHECK(contains(first.out, part));
  CHECK(contains(first.err, "sweep: 8 done, 0 running, 0 left, 0 failed\n"));
  const auto runs = runs_of(file, {"beta2=0.98"});
  CHECK(files_in(out / "deep") == log_names(runs));
  for (const RunConfig& run : runs) {
    const RunLog log = read_log(out / "deep" / (run_name(run) + ".json"));
    RunLog alone = sweep_run(run, folder / "alone", 1);
    CHECK(log.config == settings_read(run));
    CHECK(log.status == RunStatus::finished);
    REQUIRE(log.metrics.size() == alone.metrics.size());
    CHECK(log.metrics.back().train_loss == alone.metrics.back().train_loss);
  }
  const Finished again = normalign(arguments);
  CHECK(again.status == 0);
  CHECK(again.out == first.out);
  CHECK(again.err == "sweep: 8 runs are there already, 0 to do\n");
  // Other settings: refused, and nothing is touched.
  const Finished other = normalign(sweep_command(folder / "s.json", out / "deep"));
  CHECK(other.status == 2);
  CHECK(lines(other.err).size() == 1);
  CHECK(contains(other.err, "config.beta2: found 0.98, expected 0.99"));
}

TEST_CASE("shards and single runs share a folder") {
  if (without_program("shards")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["overrides"] = {{"epochs", 1}};
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs";
  const auto runs = runs_of(file);
  CHECK(normalign(sweep_command(folder / "s.json", out, {"--shard", "2/3"})).status == 0);
  CHECK(files_in(out) == log_names(shard_of(runs, "2/3")));
  CHECK(normalign(sweep_command(folder / "s.json", out, {"--run", run_name(runs[0])})).status == 0);
  CHECK(files_in(out).size() == 4);
  CHECK(normalign(sweep_command(folder / "s.json", out, {"--shard=1/3"})).status == 0);
  CHECK(normalign(sweep_command(folder / "s.json", out, {"--shard=3/3"})).status == 0);
  CHECK(files_in(out) == log_names(runs));
  CHECK(normalign(sweep_command(folder / "s.json", out, {"--shard=10/10"})).status == 0);  // of 8 runs: none
}

TEST_CASE("the data's folder of the command line reaches the runs, even one that looks like a number") {
  if (without_program("the data's folder")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mnist_ce": {"hidden": [3], "train_samples": 0, "test_samples": 0}})");
  file["overrides"] = {{"epochs", 0}, {"data", "elsewhere"}};
  file["seeds"] = {0};
  write_file(folder / "s.json", file.dump());
  // A name without a folder before it is one in the folder where the test runs.
  const fs::path here = fs::current_path();
  fs::current_path(folder.path());
  for (const char* data : {"12", "a \"b\""}) {
    write_digits(data, 4, 2);
    const fs::path out = folder / (std::string("runs") + data[0]);
    const Finished finished = normalign(sweep_command(folder / "s.json", out, {"--data", data}));
    CAPTURE(finished.err);
    CHECK(finished.status == 0);
    CHECK(files_in(out).size() == 2);
    for (const std::string& name : files_in(out)) CHECK(read_log(out / name).config.at("data") == data);
  }
  fs::current_path(here);
}

TEST_CASE("a sweep in the folder of another is refused with what differs: a setting, or what the data hold") {
  if (without_program("sweeps of other data")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["settings"] = Json::parse(R"({"mnist_ce": {"hidden": [3], "train_samples": 0, "test_samples": 0}})");
  file["overrides"] = {{"epochs", 1}};
  file["seeds"] = {0};
  write_file(folder / "s.json", file.dump());
  for (const char* data : {"a", "same", "other"}) write_digits(folder / data, 4, 2, data[0] == 'o' ? 5 : 7);
  const auto sweep = [&](const char* data, const Arguments& more = {}) {
    Arguments arguments = {"--data", (folder / data).string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return normalign(sweep_command(folder / "s.json", folder / "runs", arguments));
  };
  REQUIRE(sweep("a").status == 0);
  CHECK(contains(sweep("same").err, "2 runs are there already"));
  const Finished other = sweep("other");
  CHECK(other.status == 2);
  CHECK(lines(other.err).size() == 1);
  CHECK(contains(other.err, "another run of that name is there: file_hashes.data: found \""));
  CHECK(contains(sweep("a", {"--set", "beta1=0.5"}).err, "config.beta1: found 0.9, expected 0.5"));
}

TEST_CASE("a setting in a sweep is refused where none of the runs that it stands for reads it") {
  const auto refusal = [](const char* pointer, const char* value, const std::vector<std::string>& assignments = {}) {
    Json file = small_sweep();
    if (pointer) file[Json::json_pointer(pointer)] = Json::parse(value);
    return message_of([&] { runs_of(file, assignments); });
  };
  const std::string none = "nothing was thrown";
  CHECK(refusal("/overrides", R"({"lambda": 0.5})") == none);  // beside the baseline there is grokalign
  CHECK(refusal("/settings/mod_add/modulus", "7") == none);
  CHECK(refusal("/settings/mod_add/lambda", "0.5") == none);
  CHECK(refusal("/conditions/baseline/lambda", "0.5") ==
        "s.json: conditions.baseline.lambda: found none of the 2 runs that it is given for that reads lambda, expected "
        "the condition grokalign");
  CHECK(
      refusal("/settings/mod_add/features", "9") ==
      "s.json: settings.mod_add.features: found none of the 2 runs that it is given for that reads features, expected "
      "the task xor");
  CHECK(contains(refusal("/overrides", R"({"level": 2})"), "s.json: overrides.level: found none of the 4 runs"));
  CHECK(contains(refusal(nullptr, "", {"momentum=0.5"}), "--set momentum: found none of the 4 runs"));
  CHECK(refusal(nullptr, "", {"modulus=7"}) == none);
  const std::vector<std::string> assignments = {"modulus=7"}, only = {"sparse_parity"};
  CHECK(contains(message_of([&] { sweep_runs(small_sweep().dump(), "s.json", assignments, only); }),
                 "--set modulus: found none of the 2 runs"));
  CHECK(sweep_runs(small_sweep().dump(), "s.json", {}, only).size() == 4);
}

TEST_CASE("a file that is edited while its sweep runs changes nothing of it") {
  if (without_program("edited files")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["overrides"] = {{"epochs", 5}};
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs";
  Child sweep(command(sweep_command(folder / "s.json", out, {"--jobs", "1"})));
  const auto limit = Clock::now() + 60s;
  while (!fs::exists(out / "sparse_parity_baseline_seed3.json") && Clock::now() < limit)
    std::this_thread::sleep_for(1ms);
  write_file(folder / "s.json", "{");
  CHECK(sweep.wait().status == 0);
  CHECK(files_in(out) == log_names(runs_of(file)));
}

TEST_CASE("a mistake in a sweep's command is one line with status 2, and nothing is written") {
  if (without_program("sweep mistakes")) return;
  const TemporaryFolder folder;
  write_file(folder / "s.json", small_sweep().dump());
  write_file(folder / "broken.json", "{");
  const fs::path out = folder / "runs";
  const std::pair<Arguments, const char*> rows[] = {
      {{"sweep"}, "config"},
      {{"sweep", (folder / "s.json").string()}, "--out"},
      {sweep_command(folder / "none.json", out), "none.json: cannot be read: No such file"},
      {sweep_command(folder.path(), out), ": cannot be read: Is a directory"},
      {sweep_command(folder / "broken.json", out), "broken.json: not JSON: line 1, column 2"},
      {sweep_command(folder / "s.json", out, {"--shard", "3/2"}), "shard: found '3/2', expected i/n"},
      {sweep_command(folder / "s.json", out, {"--run", "xor"}), "--run: found 'xor', expected one of the 8 runs"},
      {sweep_command(folder / "s.json", out, {"--run", "xor", "--jobs", "2"}), "--jobs"},
      {sweep_command(folder / "s.json", out, {"--setting", "xor"}), "--setting: found 'xor', expected one of"},
      {sweep_command(folder / "s.json", out, {"--jobs", "-2"}), "jobs: found -2, expected a whole number from 1"},
      {sweep_command(folder / "s.json", out, {"--threads", "0"}), "threads: found 0, expected a whole number from 1"},
      {sweep_command(folder / "s.json", out, {"--checkpoint-seconds", "-1"}), "checkpoint-seconds: found -1"},
      {sweep_command(folder / "s.json", out, {"--set", "lambda"}), "expected NAME=VALUE"},
      {sweep_command(folder / "s.json", out, {"--set", "seed=3"}), "--set seed"},
      {sweep_command(folder / "s.json", folder / "s.json"), "s.json"},
  };
  for (const auto& [arguments, part] : rows) {
    const Finished finished = normalign(arguments);
    CAPTURE(part, finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(lines(finished.err).size() == 1);
    CHECK(finished.err.starts_with("normalign: "));
    CHECK(contains(finished.err, part));
    CHECK_FALSE(fs::exists(out));
  }
}

TEST_CASE("a run that fails is told and tabled, the others are done, and the status is 1") {
  if (without_program("failing sweeps")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["overrides"] = {{"epochs", 40}};
  file["conditions"] = Json::parse(R"({"wild": {"condition": "baseline", "learning_rate": 1e6}, "baseline": {}})");
  file["settings"] = {{"sparse_parity", Json::object()}};
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs";
  for (int attempt = 0; attempt < 2; ++attempt) {  // failed runs are done again
    const Finished finished = normalign(sweep_command(folder / "s.json", out));
    CAPTURE(finished.out, finished.err);
    CHECK(finished.status == 1);
    CHECK(contains(finished.err, "normalign: sparse_parity_wild_seed3: epoch "));
    CHECK(contains(finished.err, "normalign: sparse_parity_wild_seed1: epoch "));
    CHECK(contains(finished.err, "2 done, 0 running, 0 left, 2 failed\n"));
    CHECK(contains(finished.out, "2 runs failed: sparse_parity_wild_seed3, sparse_parity_wild_seed1"));
    CHECK(files_in(out) == log_names(runs_of(file)));
    CHECK(read_log(out / "sparse_parity_wild_seed1.json").status == RunStatus::failed);
    CHECK(read_log(out / "sparse_parity_baseline_seed1.json").status == RunStatus::finished);
  }
}

// Whether every lock of these runs can be had, which no process that still runs would allow.
bool all_at_rest(const std::vector<RunConfig>& runs, const fs::path& folder) {
  return std::ranges::all_of(
      runs, [&](const RunConfig& run) { return RunLock(folder / ("." + run_name(run) + ".lock"), 5s).held(); });
}

TEST_CASE("a sweep that is stopped saves what it has in hand, and one that is killed leaves no process behind") {
  if (without_program("stopped sweeps")) return;
  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    const TemporaryFolder folder;
    Json file = small_sweep();
    file["overrides"] = {{"epochs", 1'000'000'000}, {"learning_rate", 1e-6}};
    write_file(folder / "s.json", file.dump());
    const fs::path out = folder / "runs";
    Child sweep(command(sweep_command(folder / "s.json", out, {"--jobs", "2"})));
    const auto runs = runs_of(file);
    const auto limit = Clock::now() + 60s;
    const auto started = [&](std::size_t i) { return fs::exists(out / (run_name(runs[i]) + ".json")); };
    while (!(started(0) && started(1)) && sweep.running() && Clock::now() < limit) std::this_thread::sleep_for(2ms);
    CHECK_FALSE(RunLock(out / ("." + run_name(runs[0]) + ".lock"), 0ms).held());
    CHECK_FALSE(RunLock(out / ("." + run_name(runs[1]) + ".lock"), 0ms).held());
    sweep.kill(signal);
    const Finished finished = sweep.wait();
    CAPTURE(signal, finished.out, finished.err);
    CHECK(all_at_rest(runs, out));
    if (signal == SIGKILL) {
      CHECK(finished.status == -SIGKILL);
      continue;
    }
    CHECK(finished.status == 128 + signal);
    CHECK(finished.err ==
          "sweep: 8 runs to do\n"
          "sweep: 2 runs may take up to 10 s to end; a second signal ends them at once\n"
          "sweep: stopped by signal " +
              std::to_string(signal) + " with 8 runs left, 2 of which saved their state; the same command goes on\n");
    for (const std::size_t i : {0, 1}) {
      CHECK(read_log(out / (run_name(runs[i]) + ".json")).status == RunStatus::running);
      CHECK(fs::exists(RunPlace{out, run_name(runs[i])}.checkpoint()));
    }
  }
}

TEST_CASE("a sweep on a full disk stops with one message, and goes on when there is space") {
  if (without_program("full disk, sweeps")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["overrides"] = {{"epochs", 60}};
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs";
  const Arguments sweep = sweep_command(folder / "s.json", out, {"--jobs", "1"});
  {
    const FileSizeLimit full(4000);  // enough for the first rows of a log
    const Finished finished = normalign(sweep);
    CAPTURE(finished.out, finished.err);
    CHECK(finished.status == 1);
    CHECK(lines(finished.err).size() == 2);
    CHECK(finished.err.starts_with("sweep: 8 runs to do\nsweep: stopped with 8 runs left"));
    CHECK(contains(finished.err, "cannot be written: File too large"));
    CHECK(contains(finished.err, "the same command goes on when there is space"));
  }
  // One run was begun, and is marked failed.
  const auto runs = runs_of(file);
  CHECK(std::ranges::count_if(runs, [&](const RunConfig& run) {
          return fs::exists(RunPlace{out, run_name(run)}.log());
        }) == 1);
  CHECK(read_log(RunPlace{out, run_name(runs[0])}.log()).status == RunStatus::failed);
  const Finished rest = normalign(sweep);
  CAPTURE(rest.err);
  CHECK(rest.status == 0);
  CHECK(contains(rest.err, "sweep: 8 done, 0 running, 0 left, 0 failed\n"));
}

TEST_CASE("a damaged log fails its own run alone, is named, and the others have their table") {
  if (without_program("damaged logs of sweeps")) return;
  const TemporaryFolder folder;
  Json file = small_sweep();
  file["settings"] = {{"sparse_parity", {{"epochs", 2}}}};
  write_file(folder / "s.json", file.dump());
  const Arguments sweep = sweep_command(folder / "s.json", folder / "runs", {"--jobs", "2"});
  fs::create_directories(folder / "runs");
  const fs::path damaged = folder / "runs/sparse_parity_baseline_seed3.json";
  write_file(damaged, "{\"run_name\": ");
  const Finished finished = normalign(sweep);
  CAPTURE(finished.err);
  CHECK(finished.status == 1);
  CHECK(contains(finished.err, damaged.string() + ": not JSON"));
  CHECK(contains(finished.err, "without this file the same command does the run"));
  CHECK(contains(finished.err, "sweep: 3 done, 0 running, 0 left, 1 failed\n"));
  CHECK(contains(finished.out, "grokalign"));
  CHECK(read_file(damaged) == "{\"run_name\": ");
  fs::remove(damaged);
  CHECK(normalign(sweep).status == 0);
}

TEST_CASE("a sweep that is killed again and again ends with the logs of one that is left alone") {
  if (without_program("killed sweeps")) return;
  const TemporaryFolder folder;
  Json file = Json::parse(R"({"settings": {"mod_add": {"modulus": 13, "epochs": 400, "weight_decay": 0},
                                           "sparse_parity": {"epochs": 60}},
                              "conditions": {"baseline": {}, "grokalign": {}},
                              "seeds": [0, 1]})");
  write_file(folder / "s.json", file.dump());
  const fs::path out = folder / "runs", quiet = folder / "quiet";
  const auto runs = runs_of(file);
  REQUIRE(normalign(sweep_command(folder / "s.json", quiet)).status == 0);

  RandomIntegers random(20260508, Stream::gradcheck, 7);
  const auto interrupted = [&](int i) {
    return command(sweep_command(folder / "s.json", out, {"--checkpoint-seconds", i % 2 ? "30" : "0"}));
  };
  int killed = 0;
  for (int i = 0; i < 20; ++i) {
    // Mostly short times, so that processes are met in their first moments too.
    const double u = static_cast<double>(random.below(1000)) / 1000;
    Child sweep(interrupted(i));
    std::this_thread::sleep_for(std::chrono::duration<double>(0.6 * u * u));
    sweep.kill();
    killed += sweep.wait().status == -SIGKILL;
  }
  CHECK(killed >= 5);  // else there was not enough to do for this test to mean much
  const Finished last = run(interrupted(0));
  CAPTURE(last.out, last.err);
  CHECK(last.status == 0);
  CHECK(files_in(out) == log_names(runs));
  const auto without_times = [](RunLog log) {
    log.environment = {};
    for (MetricRow& row : log.metrics) {
      row.opt_time = 0;
      std::erase_if(row.extras, [](const auto& extra) { return extra.first.ends_with("_time"); });
    }
    return log;
  };
  for (const RunConfig& run : runs) {
    const std::string name = run_name(run) + ".json";
    CAPTURE(name);
    CHECK(without_times(read_log(out / name)) == without_times(read_log(quiet / name)));
  }
}

}  // namespace
}  // namespace normalign::tests

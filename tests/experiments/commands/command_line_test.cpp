// What a user may rely on in every command: help, exit statuses, signals, pipes, completion.
#include <algorithm>
#include <csignal>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "experiments/runs/run_files.hpp"
#include "experiments/training/run_log.hpp"
#include "linalg/safetensors.hpp"
#include "nn/mlp_file.hpp"
#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/file_size_limit.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/tabular_logs.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> all_commands = {"train",   "sweep",   "tabular", "datasets",   "study",       "summary",
                                               "plot",    "inspect", "slice",   "robustness", "gradcheck",   "report",
                                               "machine", "regions", "status",  "predict",    "importances", "export"};

// The options that a help text lists.
std::vector<std::string> options_in(const std::string& help) {
  std::vector<std::string> result;
  for (const std::string& line : lines(help))
    if (line.starts_with("  -")) {
      std::istringstream names(line.substr(2, line.find(' ', 2) - 2));
      for (std::string name; std::getline(names, name, ',');) result.push_back(name);
    }
  return result;
}

// A log without what depends on time and machine.
nlohmann::json lasting(const fs::path& log) {
  nlohmann::json json = nlohmann::json::parse(read_file(log));
  json.erase("environment");
  for (auto& row : json["metrics"])
    for (const char* name : {"opt_time", "geometry_time"}) row.erase(name);
  return json;
}

// Runs the program until `is_ready`, sends a signal, and waits for its end.
template <class Ready>
Finished stopped(const Arguments& arguments, int signal, const Ready& is_ready) {
  Child child(command(arguments));
  for (int i = 0; i < 3000 && child.running() && !is_ready(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  child.kill(signal);
  return child.wait();
}

TEST_CASE("help: every command, the exit statuses, and the same words for the same thing") {
  if (without_program("help")) return;
  const std::string help = normalign({"--help"}).out;
  for (const char* part : {"Exit status", "0 done", "1 a run", "2 a mistake", "130", "143"})
    CHECK(contains(help, part));
  for (const std::string& name : all_commands) {
    CAPTURE(name);
    CHECK(contains(help, "\n  " + name + ' '));
    const Finished finished = normalign({name, "--help"});
    CHECK(finished.status == 0);
    CHECK_FALSE(contains(finished.out, " TEXT "));  // each value has a word that says what it is
    for (const std::string& option : options_in(finished.out)) CHECK(option.find('_') == option.npos);
  }
  for (const char* name : {"sweep", "tabular", "datasets", "summary", "inspect", "robustness", "gradcheck", "machine",
                           "status", "importances"})
    CHECK(contains(normalign({name, "--help"}).out, "--json FILE"));
}

TEST_CASE("a mistyped command, option, task, condition, setting or metric is answered with the nearest one") {
  if (without_program("mistyped names")) return;
  const TemporaryFolder folder;
  const std::string out = (folder / "runs").string();
  write_log(folder / "toy_baseline_seed0.json", run_of("baseline", {row(0, 1, 2)}));
  const std::string logs = folder.path().string();
  struct Row {
    Arguments arguments;
    std::vector<std::string> parts;
  };
  const Row rows[] = {
      {{"trian", "sparse_parity"}, {"found 'trian'", "did you mean train?", "(see normalign --help)"}},
      {{"--versoin"}, {"found '--versoin'", "did you mean --version?", "(see normalign --help)"}},
      {{"train", "sparse_parity", "--epohcs", "5"},
       {"train: found '--epohcs'", "did you mean --epochs?", "(see normalign train --help)"}},
      {{"train", "sparse_parity", "--learning_rate=1"}, {"did you mean --learning-rate?"}},
      {{"summary", "--goemetry"}, {"did you mean --geometry?", "(see normalign summary --help)"}},
      {{"train", "sparse_parity", "--frobnicate"}, {"found '--frobnicate'", "(see normalign train --help)"}},
      {{"train", "sparse_parity", "--epochs", "many"}, {"many", "(see normalign train --help)"}},
      {{"train"}, {"task", "(see normalign train --help)"}},
      {{"train", "sparse_parity", "--set", "beta1=0.5", "beta2=0.5"},
       {"found 'beta2=0.5'", "did you mean --set beta2=0.5?"}},
      {{"train", "sparse-parity", "--out", out}, {"task: found 'sparse-parity'", "did you mean sparse_parity?"}},
      {{"train", "sparse_parity", "--condition", "grokalgin", "--out", out}, {"did you mean grokalign?"}},
      {{"train", "sparse_parity", "--set", "lamda=1", "--out", out}, {"lamda", "did you mean lambda?"}},
      {{"train", "mod_add", "--operation", "substract", "--out", out}, {"did you mean subtract?"}},
      {{"tabular", "--protocol", "publshed", "--out", out}, {"did you mean published?"}},
      {{"tabular", "--kernel", "laplas", "--out", out}, {"did you mean laplace?"}},
      {{"study", "sparsty"}, {"did you mean sparsity?"}},
      {{"summary", logs, "--metric", "tets_acc"}, {"did you mean test_acc?"}}};
  for (const Row& row : rows) {
    const Finished finished = normalign(row.arguments);
    CAPTURE(finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(lines(finished.err).size() == 1);
    for (const std::string& part : row.parts) {
      CAPTURE(part);
      CHECK(contains(finished.err, part));
    }
  }
  CHECK_FALSE(contains(normalign({"frobnicate"}).err, "did you mean"));
  CHECK_FALSE(contains(normalign({"train", "sparse_parity", "--frobnicate"}).err, "did you mean"));
}

TEST_CASE("help shows an option that takes one value each time as that, and it works as shown") {
  if (without_program("repeated options")) return;
  for (const char* name : {"train", "sweep", "tabular"}) {
    const std::string help = normalign({name, "--help"}).out;
    CHECK(contains(help, "--set NAME=VALUE "));
    CHECK_FALSE(contains(help, "--set NAME=VALUE ..."));
  }
  const TemporaryFolder folder;
  CHECK(normalign({"train", "--set", "epochs=1", "--set", "hidden=[4]", "sparse_parity", "--out",
                   folder.path().string(), "--quiet"})
            .status == 0);
  const auto config = read_log(folder / "sparse_parity_baseline_seed0.json").config;
  CHECK(config.at("epochs") == 1);
  CHECK(config.at("hidden") == nlohmann::ordered_json{4});
}

TEST_CASE("train: --eval-every and --stop, as the help says") {
  if (without_program("eval-every")) return;
  const TemporaryFolder folder;
  const Finished finished =
      normalign({"train", "sparse_parity", "--epochs", "7", "--eval-every", "3", "--stop", "never", "--set",
                 "train_criterion=0", "--set", "test_criterion=0", "--out", folder.path().string()});
  CAPTURE(finished.err);
  CHECK(finished.status == 0);
  CHECK(contains(finished.out, ": grokked at epoch 0, "));
  const RunLog log = read_log(folder / "sparse_parity_baseline_seed0.json");
  std::vector<Index> epochs;
  for (const MetricRow& of_log : log.metrics) epochs.push_back(of_log.epoch);
  CHECK(epochs == std::vector<Index>{0, 3, 6, 7});
  CHECK(log.grokking_epoch == 0);
  const std::string help = normalign({"train", "--help"}).out;
  for (const char* part : {"--eval-every N", "--stop NAME", "every 10th below 1000", "every 1000th"})
    CHECK(contains(help, part));
}

TEST_CASE("tables fit the columns that there are, and --wide leaves them as they are") {
  if (without_program("widths")) return;
  const TemporaryFolder folder;
  for (const char* condition : {"baseline", "grokalign"}) {
    RunLog log = run_of(condition, {row(0, 1, 2), row(5, 99.5, 50)});
    log.run_name = std::string("toy_") + condition;
    for (MetricRow& of_log : log.metrics)
      for (const char* name : {"centroid_alignment", "test_effective_rank"}) of_log.extras.emplace_back(name, 0.123456);
    write_log(folder / (log.run_name + ".json"), log);
  }
  const std::string program = command({}).front(), logs = folder.path().string();
  // In characters: some names of operations have letters of several bytes.
  const auto longest = [](const std::string& text) {
    std::ptrdiff_t result = 0;
    for (const std::string& line : lines(text))
      result = std::max(result, std::ranges::count_if(line, [](char byte) { return (byte & 0xC0) != 0x80; }));
    return result;
  };
  for (const Arguments& more : {Arguments{"summary", logs},
                                {"summary", logs, "--geometry"},
                                {"summary", logs, "--metric", "test_acc"},
                                {"gradcheck"}}) {
    const auto with = [&](const std::string& environment, const Arguments& wide = {}) {
      Arguments line{"/usr/bin/env", environment, program};
      line.insert(line.end(), more.begin(), more.end());
      line.insert(line.end(), wide.begin(), wide.end());
      return run(line).out;
    };
    CAPTURE(more.front(), more.back());
    const std::string whole = with("COLUMNS=");
    for (const std::ptrdiff_t columns : {60, 80, 120}) {
      const std::string fitting = with("COLUMNS=" + std::to_string(columns));
      CAPTURE(columns, fitting);
      CHECK(longest(fitting) <= columns);
      CHECK(longest(fitting) > columns / 2);
      CHECK(with("COLUMNS=" + std::to_string(columns), {"--wide"}) == whole);
    }
  }
}

TEST_CASE("a whole number that no machine holds is named as it was given, with status 2") {
  if (without_program("huge numbers")) return;
  for (const Arguments& arguments : {Arguments{"train", "sparse_parity", "--epochs", "99999999999999999999"},
                                     {"tabular", "--seeds", "99999999999999999999"},
                                     {"slice", "m.safetensors", "--plane", "0", "1", "99999999999999999999"},
                                     {"regions", "m.safetensors", "--max-regions", "99999999999999999999"},
                                     {"gradcheck", "--seed", "99999999999999999999"}}) {
    const Finished finished = normalign(arguments);
    CAPTURE(finished.err);
    CHECK(finished.status == 2);
    CHECK(contains(finished.err, "found 99999999999999999999, expected a whole number"));
    CHECK(lines(finished.err).size() == 1);
  }
}

TEST_CASE("train: stopped by a signal the same command goes on, and the log is that of a run that was not stopped") {
  if (without_program("stopping")) return;
  for (const int signal : {SIGINT, SIGTERM}) {
    const TemporaryFolder folder;
    const auto train = [&](const std::string& out, const Arguments& more = {}, const std::string& epochs = "150") {
      Arguments result{"train", "sparse_parity",        "--epochs", epochs, "--threads", "1",
                       "--out", (folder / out).string()};
      result.insert(result.end(), more.begin(), more.end());
      return result;
    };
    const std::string name = "sparse_parity_baseline_seed0";
    const fs::path log = folder / ("stopped/" + name + ".json"),
                   state = RunPlace{folder / "stopped", name}.checkpoint();
    const Finished first = stopped(train("stopped"), signal, [&] { return fs::exists(log); });
    CAPTURE(first.err);
    CHECK(first.status == 128 + signal);
    CHECK(contains(first.err, "stopped by signal"));
    CHECK(contains(first.err, "the same command goes on"));
    CHECK(read_log(log).status == RunStatus::running);
    CHECK(fs::exists(state));

    const Finished other = normalign(train("stopped", {"--seed", "0", "--weight-decay", "0.5"}));
    CHECK(other.status == 2);  // not the run whose state is there
    CHECK(fs::exists(state));
    // A state whose log is gone is this run's all the same, and no other's to remove.
    fs::remove(log);
    const Finished without_log = normalign(train("stopped", {"--weight-decay", "0.5"}));
    CHECK(without_log.status == 2);
    CHECK(contains(without_log.err, "config.weight_decay: found 0.1, expected 0.5"));
    CHECK(fs::exists(state));

    CHECK(normalign(train("stopped")).status == 0);
    CHECK(normalign(train("whole")).status == 0);
    CHECK(lasting(log) == lasting(folder / ("whole/" + name + ".json")));
    CHECK(std::distance(fs::directory_iterator(folder / "stopped"), {}) == 1);  // neither state nor lock
    CHECK(normalign(train("stopped")).status == 2);                             // the log is not replaced
    CHECK(normalign(train("stopped", {"--overwrite", "--save-model"}, "1")).status == 0);
    CHECK(fs::exists(folder / ("stopped/" + name + ".safetensors")));
    CHECK(normalign(train("stopped", {"--overwrite"}, "1")).status == 0);
    CHECK_FALSE(fs::exists(folder / ("stopped/" + name + ".safetensors")));  // nor is the other run's model left
    if (signal == SIGINT) continue;
    // --overwrite begins anew, whatever state is there.
    stopped(train("stopped", {"--overwrite"}), signal, [&] { return read_log(log).status == RunStatus::running; });
    CHECK(normalign(train("stopped", {"--overwrite"}, "2")).status == 0);
    CHECK(read_log(log).metrics.size() == 3);
    CHECK_FALSE(fs::exists(state));
  }
}

TEST_CASE("train: killed before it left any state the same command begins anew, and another run is refused") {
  if (without_program("killed runs")) return;
  const TemporaryFolder folder;
  const auto train = [&](const Arguments& more = {}) {
    Arguments result{"train", "sparse_parity", "--epochs", "300", "--threads", "1", "--out", folder.path().string()};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  };
  const std::string name = "sparse_parity_baseline_seed0";
  const fs::path log = folder / (name + ".json");
  stopped(train(), SIGKILL, [&] { return fs::exists(log); });
  REQUIRE(read_log(log).status == RunStatus::running);
  REQUIRE_FALSE(fs::exists(RunPlace{folder.path(), name}.checkpoint()));
  const Finished other = normalign(train({"--weight-decay", "0.5"}));
  CAPTURE(other.err);
  CHECK(other.status == 2);
  CHECK(contains(other.err, "another run of that name is there: config.weight_decay: found 0.1, expected 0.5"));
  CHECK(read_log(log).status == RunStatus::running);
  CHECK(normalign(train()).status == 0);
  CHECK(read_log(log).metrics.back().epoch == 300);
  CHECK(contains(normalign(train()).err, "a log is there already"));
}

TEST_CASE("train: --config makes the run of a log again, and options go before what it says") {
  if (without_program("train --config")) return;
  const TemporaryFolder folder;
  const auto train = [&](const Arguments& arguments) {
    Arguments all{"train"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    all.insert(all.end(), {"--quiet", "--threads", "1"});
    return normalign(all);
  };
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  REQUIRE(train({"rings", "--condition", "grokalign", "--lambda", "0.3", "--seed", "4", "--epochs", "20", "--out",
                 path("a"), "--set", "label=mine", "--set", "hidden=[7,5]", "--set", "geometry_samples=5"})
              .status == 0);
  const std::string name = "rings_mine_seed4.json";
  const Finished again = train({"--config", path("a/" + name), "--out", path("b")});
  CAPTURE(again.err);
  REQUIRE(again.status == 0);
  CHECK(lasting(folder / ("b/" + name)) == lasting(folder / ("a/" + name)));
  // The object alone does the same, with or without the task.
  nlohmann::json config = nlohmann::json::parse(read_file(folder / ("a/" + name)))["config"];
  write_file(folder / "own.json", config.dump());
  REQUIRE(train({"rings", "--config", path("own.json"), "--out", path("c")}).status == 0);
  CHECK(lasting(folder / ("c/" + name)) == lasting(folder / ("a/" + name)));
  config.erase("task");
  write_file(folder / "part.json", config.dump());
  REQUIRE(train({"rings", "--config", path("part.json"), "--out", path("d")}).status == 0);
  CHECK(lasting(folder / ("d/" + name)) == lasting(folder / ("a/" + name)));
  // A grid's run keeps its name.
  REQUIRE(train({"--config", path("own.json"), "--out", path("e"), "--lambda", "0.5", "--seed", "1", "--set",
                 "hidden=[6]", "--set", "condition_grid=lambda", "--set", "task_grid=hidden"})
              .status == 0);
  const RunLog changed = read_log(folder / "e/rings_mine_hidden6_lambda0.5_seed1.json");
  CHECK(changed.config["lambda"] == 0.5);
  CHECK(changed.config["hidden"] == nlohmann::ordered_json{6});
  CHECK(changed.config["geometry_samples"] == 5);
  CHECK(changed.condition == "mine lambda 0.5");
  // What its own run reads is no mistake where an option leaves it without a reader.
  REQUIRE(train({"--config", path("own.json"), "--out", path("f"), "--condition", "baseline"}).status == 0);
  CHECK_FALSE(read_log(folder / "f/rings_baseline_seed4.json").config.contains("lambda"));
}

TEST_CASE("train: a mistake in the file of --config is one line with its name, and nothing is written") {
  if (without_program("mistakes in --config")) return;
  const TemporaryFolder folder;
  const fs::path file = folder / "c.json";
  struct Row {
    const char *content, *message;
    Arguments arguments = {};
  };
  const Row rows[] = {
      {R"({"task": "rings", "lamda": 1})", "lamda: unknown field, expected one of "},
      {R"({"task": "rings", "lambda": 1})", "lambda: found nothing in this run (rings, baseline) that reads lambda, "},
      {R"({"task": "rings", "epochs": 1.5})", "epochs: found 1.5, expected a whole number"},
      {R"({"task": "ring"})", "task: found 'ring', expected one of "},
      {R"({"task": 3})", "task: found 3, expected a text"},
      {R"({"epochs": 3})", "task: found none, expected one here or as TASK"},
      {R"({"task": "rings", "condition": "grok"})", "condition: found 'grok', expected baseline"},
      {R"({"task": "rings"})", "task: found 'rings', expected mod_add, as TASK says", {"mod_add"}},
      {R"({"task": "rings", "task_grid": "hiden"})",
       "task_grid: found 'hiden', expected names of settings joined by +"},
      {R"({"kind": "summary", "settings": []})",
       "found a file of the kind summary, expected a training run's log, or "},
      {R"({"kind": "run_log", "run_name": "a"})", "config: found none, expected that of a log"},
      {"[1]", "found no object, expected a training run's log, or an object of settings"},
      {"{", "line 1"},
      {R"({"task": "rings", "task": "rings"})", "task"}};
  for (const Row& row : rows) {
    write_file(file, row.content);
    Arguments arguments{"train", "--config", file.string(), "--out", (folder / "out").string()};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    const Finished finished = normalign(arguments);
    CAPTURE(row.content, finished.err);
    CHECK(finished.status == 2);
    CHECK(lines(finished.err).size() == 1);
    CHECK(contains(finished.err, "c.json: "));
    CHECK(contains(finished.err, row.message));
  }
  CHECK_FALSE(fs::exists(folder / "out"));
  CHECK(contains(normalign({"train"}).err, "task is required"));
  CHECK(normalign({"train", "--config", (folder / "none.json").string()}).status == 2);
}

TEST_CASE("sweep: --list tells of the runs and trains none") {
  if (without_program("sweep --list")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  write_file(folder / "s.json", R"({"settings": {"rings": {"hidden": [[4], [4, 5]], "epochs": 3}}, "seeds": [0, 1],
                                    "conditions": {"baseline": {}, "grokalign": {"lambda": [0.1, 1]}}})");
  const Finished listed = normalign({"sweep", path("s.json"), "--list"});
  CAPTURE(listed.out, listed.err);
  CHECK(listed.status == 0);
  const std::vector<std::string> all = lines(listed.out);
  REQUIRE(all.size() == 14);
  CHECK(all.back() == "12 runs");
  const auto line_of = [](const std::string& out, const std::string& name) {
    for (const std::string& line : lines(out))
      if (line.starts_with(name + ' ')) return line;
    return std::string();
  };
  CHECK(line_of(listed.out, "rings_grokalign_hidden4x5_lambda1_seed1").ends_with("  hidden 4x5, lambda 1"));
  CHECK(line_of(listed.out, "rings_baseline_hidden4_seed0").ends_with("  hidden 4"));

  const Finished sweep = normalign({"sweep", path("s.json"), "--out", path("runs"), "--shard", "1/4", "--jobs", "1"});
  CHECK(sweep.err.starts_with("sweep: 3 runs to do\n"));
  const Finished later = normalign({"sweep", path("s.json"), "--list", "--out", path("runs")});
  CHECK(contains(line_of(later.out, "rings_baseline_hidden4_seed0"), "  finished  "));
  CHECK(contains(line_of(later.out, "rings_baseline_hidden4_seed1"), "  waiting  "));
  const Finished other = normalign({"sweep", path("s.json"), "--list", "--out", path("runs"), "--set", "epochs=4"});
  CHECK(contains(line_of(other.out, "rings_baseline_hidden4_seed0"), "  another run's log  "));
  CHECK(std::distance(fs::directory_iterator(folder / "runs"), {}) == 3);
  const Finished without = normalign({"sweep", path("s.json")});
  CHECK(without.status == 2);
  CHECK(contains(without.err, "--out is required"));
}

TEST_CASE("status: what is running, what was killed, what waits, while a sweep goes on and after it") {
  if (without_program("status")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  write_file(folder / "s.json", R"({"settings": {"rings": {"epochs": 1000000000, "learning_rate": [1e-6, 1e-7, 1e-8]}},
                                    "seeds": [0], "conditions": {"baseline": {}}})");
  const auto status = [&] {
    const Finished finished =
        normalign({"status", path("runs"), "--sweep", path("s.json"), "--json", path("status.json")});
    CAPTURE(finished.err);
    CHECK(finished.status == 0);
    return lines(finished.out).back();
  };
  const fs::path log = folder / "runs/rings_baseline_learning_rate1e-06_seed0.json";
  Child sweep(command({"sweep", path("s.json"), "--out", path("runs"), "--jobs", "1"}));
  const auto is_logged = [&] { return fs::exists(log) && read_log(log).epoch > 0; };
  for (int i = 0; i < 3000 && sweep.running() && !is_logged(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  for (int i = 0; i < 20; ++i) REQUIRE(status() == "3 runs: 1 running, 2 waiting");
  const auto json = nlohmann::json::parse(read_file(folder / "status.json"));
  CHECK(json["runs"][0]["run"] == "rings_baseline_learning_rate1e-06_seed0");
  CHECK(json["runs"][0]["epoch"] > 0);
  CHECK(json["runs"][0]["epochs"] == 1000000000);
  CHECK(json["runs"][0]["left_seconds"] > 1000);
  CHECK(json["runs"][0]["elapsed_seconds"] > 0);
  CHECK(sweep.running());
  sweep.kill(SIGKILL);
  sweep.wait();
  // Its process ends with it, soon.
  for (int i = 0; i < 3000 && status() != "3 runs: 1 stopped, 2 waiting"; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(status() == "3 runs: 1 stopped, 2 waiting");
  fs::create_directories(folder / "empty");
  CHECK(normalign({"status", path("empty")}).out == "0 runs\n");
  CHECK(normalign({"status", path("none")}).status == 2);
}

TEST_CASE("predict and importances take a machine of a table, and predict a network of the same table") {
  if (without_program("predict")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  std::string csv = "size,noise,kind\n";
  for (int i = 0; i < 60; ++i) csv += text(i % 2 ? 5 + i % 3 : -5 - i % 3, ',', i % 7, i % 2 ? ",big\n" : ",small\n");
  write_file(folder / "own.csv", csv);
  write_file(folder / "new.csv", "noise,size\n3,6\n2,-6\n");
  REQUIRE(normalign({"tabular", path("own.csv"), "--label", "kind", "--alpha", "1", "--out", path("runs"), "--set",
                     "attack_radii=[]", "--save-model"})
              .status == 0);
  REQUIRE(normalign({"train", "table", path("own.csv"), "--label", "kind", "--widths", "8", "--epochs", "150",
                     "--quiet", "--out", path("runs"), "--save-model"})
              .status == 0);
  const std::string machine = path("runs/own_rfm_nested_seed0.safetensors"),
                    network = path("runs/own_baseline_seed0.safetensors");
  for (const std::string& model : {machine, network}) {
    const Finished found = normalign({"predict", model, path("new.csv")});
    CAPTURE(model, found.err);
    CHECK(found.status == 0);
    REQUIRE(lines(found.out).size() == 3);
    CHECK(lines(found.out)[0] == "predicted,big,small");
    CHECK(lines(found.out)[1].starts_with("big,"));
    CHECK(lines(found.out)[2].starts_with("small,"));
    const Finished known = normalign({"predict", model, path("own.csv"), "-o", path("out.csv")});
    CHECK(known.out.empty());
    CHECK(contains(known.err, "60 rows predicted, per cent right 100.00"));
    CHECK(lines(read_file(folder / "out.csv")).size() == 61);
  }
  const Finished found = normalign({"importances", machine, "--json", path("i.json"), "--picture", path("i.svg")});
  CHECK(found.status == 0);
  CHECK(lines(found.out)[1].starts_with("size "));
  const auto json = nlohmann::json::parse(read_file(folder / "i.json"));
  CHECK(json["features"][0]["share"] > 0.8);
  CHECK(read_file(folder / "i.svg").starts_with("<?xml"));

  for (const Arguments& wrong :
       {Arguments{"importances", network}, Arguments{"predict", machine, path("none.csv")},
        Arguments{"predict", path("own.csv"), path("own.csv")}, Arguments{"importances", machine, "--top", "0"},
        Arguments{"predict", machine, path("new.csv"), "--activation", "relu"}}) {
    const Finished refused = normalign(wrong);
    CAPTURE(wrong, refused.err);
    CHECK(refused.status == 2);
    CHECK(lines(refused.err).size() == 1);
    CHECK(refused.out.empty());
  }
}

TEST_CASE("train: a run that fails has no model, and replaces none") {
  if (without_program("models of failed runs")) return;
  const TemporaryFolder folder;
  const auto train = [&](const Arguments& more) {
    Arguments result{"train", "sparse_parity", "--threads", "1", "--save-model", "--out", folder.path().string()};
    result.insert(result.end(), more.begin(), more.end());
    return normalign(result);
  };
  const fs::path model = folder / "sparse_parity_baseline_seed0.safetensors";
  CHECK(train({"--epochs", "2"}).status == 0);
  CHECK(fs::exists(model));
  CHECK(train({"--epochs", "50", "--learning-rate", "1e6", "--overwrite"}).status == 1);
  CHECK_FALSE(fs::exists(model));  // neither that of the log which is gone, nor one of NaN
  // The log of a run that failed holds no result that another one could replace.
  CHECK(train({"--epochs", "2"}).status == 0);
  CHECK(fs::exists(model));
}

TEST_CASE("study: with --out the same command goes on after the last size") {
  if (without_program("study")) return;
  const TemporaryFolder folder;
  const auto study = [&](const std::string& out, const std::string& to) {
    return Arguments{"study", "sparsity", "--from", "4",         "--to", to,      "--seeds",
                     "0",     "--loss",   "0.1",    "--threads", "1",    "--out", (folder / out).string()};
  };
  CHECK(normalign(study("parts", "4")).status == 0);
  const Finished rest = normalign(study("parts", "5"));
  const Finished whole = normalign(study("whole", "5"));
  CHECK(contains(rest.err, "up to n = 16 it is there already"));
  Arguments of_others = study("parts", "5");
  of_others.insert(of_others.end(), {"--steps", "77"});
  const Finished others = normalign(of_others);
  CHECK(others.status == 2);
  CHECK(contains(others.err, "sparsity.json: another study is there: steps: found 20000, expected 77"));
  CHECK(rest.out == whole.out);
  for (const char* file : {"sparsity.txt", "sparsity.json", "sparsity.csv"})
    CHECK(read_file(folder / (std::string("parts/") + file)) == read_file(folder / (std::string("whole/") + file)));
  // A damaged table is done again, whatever is wrong with it.
  const std::string table = read_file(folder / "parts/sparsity.json");
  const auto rows = table.find("\"rows\": [");
  for (const std::string& damaged :
       {table.substr(0, table.size() / 2), std::string(table).replace(table.find("\"train\"", rows), 7, "\"test\"")}) {
    write_file(folder / "parts/sparsity.json", damaged);
    const Finished again = normalign(study("parts", "5"));
    CHECK(again.status == 0);
    CHECK(contains(again.err, "sparsity.json: "));
    CHECK(contains(again.err, "begins anew"));
    CHECK(read_file(folder / "parts/sparsity.json") == table);
  }
  const Finished stopped_early =
      stopped(study("stopped", "13"), SIGINT, [&] { return fs::exists(folder / "stopped/sparsity.json"); });
  CAPTURE(stopped_early.err);
  CHECK(stopped_early.status == 130);
  CHECK(contains(stopped_early.err, "the same command goes on"));
}

TEST_CASE("a reader that closes the pipe ends a command quietly, and files are written first") {
  if (without_program("pipes")) return;
  const TemporaryFolder folder;
  for (int i = 0; i < 3; ++i) {
    RunLog log = run_of("baseline", {row(0, 1, 2)});
    log.run_name = "toy_baseline_seed" + std::to_string(i);
    write_log(folder / (log.run_name + ".json"), log);
  }
  const std::string json = (folder / "table.out").string();
  const std::string line =
      "'" + command({}).front() + "' summary '" + folder.path().string() + "' --json '" + json + "'";
  const Finished finished = run({"/bin/bash", "-c", line + " | head -1"});
  CHECK(finished.status == 0);
  CHECK(finished.out == "toy\n");
  CHECK(finished.err.empty());
  CHECK(nlohmann::json::parse(read_file(json)).contains("settings"));
}

// The program as a shell starts it, with `redirections` behind its arguments.
Finished in_shell(const Arguments& arguments, const std::string& redirections) {
  std::string line;
  for (const std::string& word : command(arguments)) line += '\'' + word + "' ";
  return run({"/bin/sh", "-c", line + redirections});
}

TEST_CASE("output that cannot be written is told of, with status 1, in every command") {
  if (without_program("full outputs")) return;
  const TemporaryFolder folder;
  const std::string runs = (folder / "runs").string();
  fs::create_directories(runs);
  write_log(folder / "runs/a.json", run_of("baseline", {row(0, 1, 2)}));
  const std::vector<Arguments> commands = {{"--help"},
                                           {"--version"},
                                           {"train", "--help"},
                                           {"summary", runs},
                                           {"plot", runs},
                                           {"report", runs, "--out", (folder / "r.html").string()},
                                           {"train", "rings", "--epochs", "1", "--out", (folder / "t").string()}};
  for (const Arguments& arguments : commands) {
    CAPTURE(arguments);
    const Finished well = normalign(arguments);
    CHECK(well.status == 0);
    CHECK(!well.out.empty());
    fs::remove_all(folder / "t");
    const Finished full = in_shell(arguments, "> /dev/full");
    CHECK(full.status == 1);
    CHECK(contains(full.err, "normalign: standard output cannot be written"));
    fs::remove_all(folder / "t");
    const Finished closed = in_shell(arguments, ">&-");
    CHECK(closed.status == 1);
    CHECK(contains(closed.err, "normalign: standard output cannot be written"));
  }
  CHECK(in_shell({"summary", runs}, "> /dev/full").err ==
        "normalign: standard output cannot be written: No space left on device\n");
  // A command that says nothing has nothing to lose, and what else is wrong keeps its status.
  CHECK(in_shell({"train", "rings", "--quiet", "--epochs", "1", "--out", (folder / "q").string()}, ">&-").status == 0);
  CHECK(in_shell({"summary", (folder / "absent").string()}, "> /dev/full").status == 2);
}

TEST_CASE("files that are written where standard streams are closed hold what they should and no more") {
  if (without_program("closed streams")) return;
  const TemporaryFolder folder;
  write_log(folder / "a.json", run_of("baseline", {row(0, 1, 2)}));
  const std::string json = (folder / "table.out").string();
  CHECK(normalign({"summary", folder.path().string(), "--json", json}).status == 0);
  const std::string expected = read_file(json);
  for (const char* closed : {">&-", "<&-", "<&- >&-", "<&- >&- 2>&-", "2>&-"}) {
    CAPTURE(closed);
    fs::remove(json);
    in_shell({"summary", folder.path().string(), "--json", json}, closed);
    CHECK(read_file(json) == expected);
  }
}

TEST_CASE("a folder with runs of both kinds has both tables and both pictures") {
  if (without_program("both kinds")) return;
  const TemporaryFolder folder;
  write_log(folder / "a.json", tabular_log("iris", 1, {80, 90}));
  write_log(folder / "b.json", tabular_log("iris", 0, {70}));
  write_log(folder / "c.json", run_of("baseline", {row(0, 1, 2), row(10, 60, 45, 0.5)}));
  const Finished table = normalign({"summary", folder.path().string()});
  CHECK(table.status == 0);
  CHECK(contains(table.out, "published RFAM"));
  CHECK(contains(table.out, "baseline "));
  CHECK(table.err.empty());
  const Finished written = normalign({"summary", folder.path().string(), "--csv", (folder / "t.csv").string()});
  CHECK(contains(written.err, "files have the runs on tables alone; 1 training runs of the folder are in none"));
  const Finished drawn = normalign({"plot", folder.path().string(), "--out", (folder / "pictures").string()});
  CHECK(drawn.status == 0);
  CHECK(fs::exists(folder / "pictures" / "published_test_acc.dat"));
  CHECK(contains(drawn.out, "toy"));
}

TEST_CASE("a damaged log is named and left out, and blocks neither tables nor pictures; none but such is an error") {
  if (without_program("damaged logs")) return;
  for (const bool is_tabular : {false, true}) {
    const TemporaryFolder folder;
    for (const char* name : {"a.json", "b.json", "c.json"})
      if (is_tabular)
        write_log(folder / name, tabular_log("iris", name[0] == 'a' ? 1 : 0, {90, 80}));
      else
        write_log(folder / name, run_of("baseline", {row(0, 1, 2), row(10, 60, 45, 0.5)}));
    const std::string whole = read_file(folder / "b.json");
    const std::string damaged[] = {whole.substr(0, whole.size() / 2), "", "{\"x\": nul}",
                                   std::string(100000, '[') + std::string(100000, ']')};
    for (const std::string& content : damaged) {
      write_file(folder / "b.json", content);
      for (const char* name : {"summary", "plot"}) {
        CAPTURE(is_tabular, name);
        const Finished finished = normalign({name, folder.path().string()});
        CHECK(finished.status == 0);
        CHECK(contains(finished.out, "1 file left out, unreadable: " + (folder / "b.json").string() + "\n"));
        CHECK(lines(finished.err).size() == 1);
        CHECK(contains(finished.err, (folder / "b.json").string() + ": "));
      }
    }
    for (const char* name : {"a.json", "c.json"}) write_file(folder / name, "{");
    for (const char* name : {"summary", "plot"}) {
      const Finished finished = normalign({name, folder.path().string()});
      CHECK(finished.status == 2);
      CHECK(contains(finished.err, "a.json: not JSON"));
    }
  }
}

TEST_CASE("plot: a picture that cannot be written has status 1, and the former one stays") {
  if (without_program("full disk, plot")) return;
  if (run({"/bin/sh", "-c", "command -v gnuplot"}).status != 0) return skip("full disk, plot: no gnuplot in PATH");
  const TemporaryFolder folder;
  write_log(folder / "a.json", run_of("baseline", {row(0, 1, 2), row(10, 60, 45, 0.5)}));
  const Arguments plot{"plot", folder.path().string()};
  REQUIRE(normalign(plot).status == 0);
  const std::string png = read_file(folder / "toy.png");
  const FileSizeLimit full(std::max(fs::file_size(folder / "toy.gp"), fs::file_size(folder / "toy.dat")) + 1000);
  REQUIRE(full.bytes() < png.size());
  const Finished finished = normalign(plot);
  CHECK(finished.status == 1);
  CHECK(contains(finished.err, "is there space on the disk?"));
  CHECK(read_file(folder / "toy.png") == png);
}

TEST_CASE("--json on a full disk has status 1, and status 2 where the path is wrong") {
  if (without_program("full disk, tables")) return;
  const TemporaryFolder folder;
  write_log(folder / "a.json", run_of("baseline", {row(0, 1, 2)}));
  const auto summary = [&](const std::string& json) {
    return normalign({"summary", folder.path().string(), "--json", json});
  };
  const Finished full = summary("/dev/full");
  CHECK(full.status == 1);
  CHECK(contains(full.err, "/dev/full: cannot be written: No space left on device"));
  CHECK(summary((folder / "absent/t.json").string()).status == 2);
}

TEST_CASE("completion offers every command and every option of each, tasks, conditions, and else files") {
  if (without_program("completion")) return;
  if (run({"/bin/sh", "-c", "command -v bash awk"}).status != 0) return;
  const std::string script = "completions/normalign.bash";
  if (!fs::exists(script)) return;  // tests may run elsewhere
  const auto offered = [&](const std::string& words) {
    const std::string program = command({}).front();
    const Finished finished =
        run({"/bin/bash", "-c",
             "source " + script + "; COMP_WORDS=('" + program + "' " + words +
                 "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _normalign; printf '%s\\n' \"${COMPREPLY[@]}\""});
    CHECK(finished.err.empty());
    return lines(finished.out);
  };
  const auto has = [](const std::vector<std::string>& all, const std::string& one) {
    return std::ranges::find(all, one) != all.end();
  };
  const std::vector<std::string> commands = offered("''");
  for (const std::string& name : all_commands) {
    CAPTURE(name);
    CHECK(has(commands, name));
    const std::vector<std::string> options = offered(name + " --");
    for (const std::string& option : options_in(normalign({name, "--help"}).out))
      if (option.starts_with("--")) CHECK(has(options, option));
  }
  CHECK(offered("su") == std::vector<std::string>{"summary"});
  CHECK(has(offered("train ''"), "sparse_parity"));
  CHECK(offered("train mod_add --condition grokf") == std::vector<std::string>{"grokfast"});
  CHECK(has(offered("slice --task mo"), "mod_add"));
  CHECK(offered("summary ''") == std::vector<std::string>{""});  // none of ours: bash offers files
  const std::string conditions = normalign({"train", "--help"}).out;
  for (const std::string& name : offered("train mod_add --condition ''")) CHECK(contains(conditions, name));
}

// A network of random weights in a file.
std::string random_model(const fs::path& file, std::vector<Index> widths) {
  write_safetensors(file, tensor_file(Mlp<double>({.widths = std::move(widths), .seed = 1})));
  return file.string();
}

TEST_CASE("regions: a search that a signal stops ends with 128 + signal, and leaves what was there") {
  if (without_program("stopping regions")) return;
  const TemporaryFolder folder;
  const std::string model = random_model(folder / "m.safetensors", {6, 60, 60, 60, 2});
  write_file(folder / "old.json", "{}");
  for (const int signal : {SIGINT, SIGTERM}) {
    int looks = 0;
    const Finished finished =
        stopped({"regions", model, "--json", (folder / "old.json").string()}, signal, [&] { return ++looks > 30; });
    CAPTURE(finished.out, finished.err);
    CHECK(finished.status == 128 + signal);
    CHECK(finished.out.empty());
    CHECK(lines(finished.err).size() == 1);
    CHECK(contains(finished.err, text("regions: stopped by signal ", signal, " after ")));
    CHECK(read_file(folder / "old.json") == "{}");
  }
}

TEST_CASE("regions: what cannot be searched or drawn is refused before the search, with the reason") {
  if (without_program("regions that are refused")) return;
  const TemporaryFolder folder;
  const std::string two = random_model(folder / "two.safetensors", {2, 5, 2}),
                    three = random_model(folder / "three.safetensors", {3, 5, 2}),
                    many = random_model(folder / "many.safetensors", {40, 60, 2});
  const auto refuses = [&](const Arguments& arguments, const std::string& reason) {
    const Finished finished = normalign(arguments);
    CAPTURE(arguments, finished.out, finished.err);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(lines(finished.err).size() == 1);
    CHECK(contains(finished.err, reason));
  };
  const std::string ply = (folder / "m.ply").string(), svg = (folder / "m.svg").string();
  refuses({"regions", many}, "more than 30 rows of the first layer are independent");
  refuses({"regions", many, "--box", "1"}, "40 inputs");
  refuses({"regions", two, "--box", "1", "--mesh", ply}, "--mesh: found a network with 2 inputs, expected 3");
  refuses({"regions", three, "--picture", svg}, "--picture: found no --box");
  refuses({"regions", three, "--box", "1", "--picture", (folder / "m.gif").string()},
          "--picture: found the ending '.gif'");
  refuses({"regions", three, "--box", "1", "--mesh", svg}, "expected a name that ends in .ply");
  refuses({"regions", three, "--box", "1", "--picture", svg, "--class", "2"},
          "--class: found 2, expected a class from 0 to 1");
  refuses({"regions", three, "--box", "1", "--picture", svg, "--scale", "2", "1"}, "--scale: found 2 and 1");
  refuses({"regions", three, "--box", "1", "--picture", svg, "--view", "0", "91"}, "--view: found 0 and 91");
  refuses({"regions", (folder / "none.safetensors").string()}, "none.safetensors");
  for (const char* name : {"m.ply", "m.svg", "m.gif"}) CHECK_FALSE(fs::exists(folder / name));
  const Finished crowded = normalign({"regions", two, "--max-regions", "3"});
  CHECK(crowded.status == 1);
  CHECK(contains(crowded.err, "regions: more than 3 regions"));
  const Finished hopeless = normalign({"regions", random_model(folder / "wide.safetensors", {25, 30, 30, 2})});
  CHECK(hopeless.status == 1);
  CHECK(contains(hopeless.err, "regions: more than 10000000 regions"));
  const Finished full = normalign({"regions", two, "--json", "/dev/full"});
  CHECK(full.status == 1);
  CHECK(contains(full.err, "/dev/full: cannot be written: No space left on device"));
  CHECK(full.out.empty());
}

TEST_CASE("numbers that are none or out of range are refused in every command, in one line that names the option") {
  if (without_program("numbers")) return;
  const TemporaryFolder folder;
  const std::string model = (folder / "m.safetensors").string(), out = (folder / "out").string();
  write_safetensors(model, tensor_file(Mlp<double>({.widths = {2, 4, 2}, .seed = 1})));
  const auto refuses = [](Arguments arguments, const std::string& option, const std::string& value) {
    arguments.insert(arguments.end(), {option, value});
    const Finished finished = normalign(arguments);
    CAPTURE(arguments, finished.out, finished.err);
    CHECK(finished.status == 2);
    CHECK(lines(finished.err).size() == 1);
    CHECK(contains(finished.err, option.substr(2)));
    CHECK(contains(finished.err, "found " + value + ','));
    CHECK(contains(finished.err, "expected"));
  };
  const Arguments slice{"slice", model, "--out", out}, regions{"regions", model},
      inspect{"inspect", model, "--task", "rings"}, study{"study", "sparsity", "--to", "4"},
      train{"train", "rings", "--out", out}, sweep{"sweep", "x.json", "--out", out};
  for (const std::string value : {"nan", "inf", "-inf", "1e999"}) {
    for (const char* option : {"--window", "--level"}) {
      Arguments arguments = slice;
      arguments.insert(arguments.end(), {"--output", "0"});
      refuses(arguments, option, value);
    }
    for (const char* option : {"--seconds", "--radius"}) refuses(inspect, option, value);
    refuses(regions, "--box", value);
    for (const char* option : {"--lambda", "--learning-rate", "--level", "--init-scale"}) refuses(train, option, value);
    refuses(study, "--loss", value);
    refuses({"gradcheck"}, "--tolerance", value);
    refuses(sweep, "--checkpoint-seconds", value);
  }
  for (const std::string value : {"0", "-1", "1025"}) {
    for (const Arguments& arguments : {slice, inspect, study, sweep, Arguments{"tabular", "--out", out}})
      refuses(arguments, "--threads", value);
    for (const Arguments& arguments : {sweep, Arguments{"tabular", "--out", out}}) refuses(arguments, "--jobs", value);
  }
  refuses(slice, "--points", "-1");
  refuses(slice, "--window", "1e-200");
  for (const std::string value : {"0", "1000000000000"})
    for (const Arguments& arguments : {slice, regions}) refuses(arguments, "--max-regions", value);
  for (const std::string value : {"0", "-1", "1e-100"}) refuses(regions, "--box", value);
  refuses({"tabular", "--out", out}, "--seeds", "0");
  for (const char* option : {"--certificates", "--samples"}) refuses(inspect, option, "-1");
  for (const char* option : {"--radius", "--seconds"}) refuses(inspect, option, "-1");
  for (const char* option : {"--parts", "--directions"}) refuses(inspect, option, "-1");
  refuses(inspect, "--seed", "-1");
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("what no memory holds is refused before it is made, with what it takes and what there is") {
  if (without_program("memory")) return;
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string();
  for (const Arguments& arguments :
       {Arguments{"train", "sparse_parity", "--set", "hidden=[1000000,1000000]"},
        {"train", "xor", "--set", "features=100000000", "--set", "train_samples=100000000"}}) {
    Arguments all = arguments;
    all.insert(all.end(), {"--out", out, "--epochs", "1"});
    const Finished finished = normalign(all);
    CAPTURE(all, finished.err);
    CHECK(finished.status == 2);
    CHECK(lines(finished.err).size() == 1);
    CHECK(contains(finished.err, " GiB of memory, expected at most the "));
  }
  // A limit on addresses is one too. Sanitizers need more of them than that to start.
  const auto limited = [](const std::string& arguments) {
    return run({"/bin/bash", "-c", "ulimit -v 2000000; exec '" + command({}).front() + "' " + arguments});
  };
  if (limited("--version").status != 0) return;
  const Finished modular = limited("train mod_add --modulus 499 --threads 1 --epochs 1 --out '" + out + "'");
  CAPTURE(modular.err);
  CHECK(modular.status == 2);
  CHECK(contains(modular.err, "modulus: the pairs of 499 numbers as one-hot rows: takes 5.55 GiB of memory"));
}

// A network of relu layers with these weights and no biases.
void write_network(const fs::path& file, const std::vector<Matrix<double>>& weights) {
  TensorFile tensors;
  tensors.metadata["activation"] = "relu";
  for (std::size_t l = 0; l < weights.size(); ++l)
    tensors.tensors["layers." + std::to_string(l) + ".weight"] = {.values = weights[l]};
  write_safetensors(file, tensors);
}

TEST_CASE("a stack of linear layers that PyTorch saved is looked at, with the activation that is asked for") {
  if (without_program("a model from PyTorch")) return;
  const TemporaryFolder folder;
  const std::string points = (folder / "points.csv").string(), model = (folder / "net.safetensors").string();
  write_file(points, "0.5,0.25,0\n-0.5,0.75,1\n0,0.1,0\n");
  const Mlp<double> mlp({.widths = {2, 5, 4, 3}, .seed = 6});
  TensorFile file;
  file.metadata = {{"format", "pt"}};
  for (std::size_t l = 0; l < 3; ++l) {
    file.tensors[text("module.", 2 * l, ".weight")] = {.values = mlp.layers()[l].weight};
    file.tensors[text("module.", 2 * l, ".bias")] = {.values = mlp.layers()[l].bias, .is_vector = true};
  }
  write_safetensors(model, file);
  const std::vector<Arguments> commands = {{"inspect", model, "--data", points},
                                           {"slice", model, "--out", (folder / "s").string(), "--statistics-only"},
                                           {"regions", model, "--box", "1"}};
  for (const Arguments& command : commands) {
    const auto run_with = [&](const Arguments& more) {
      Arguments all = command;
      all.insert(all.end(), more.begin(), more.end());
      return normalign(all);
    };
    const auto refusal = [&](const Arguments& more) {
      const Finished finished = run_with(more);
      CHECK(finished.status == 2);
      CHECK(lines(finished.err).size() == 1);
      return finished.err;
    };
    CAPTURE(command);
    CHECK(contains(refusal({}), "net.safetensors: metadata activation: found none, expected one of relu, "));
    CHECK(contains(refusal({"--activation", "ELU"}), "--activation: found 'ELU', expected one of relu, "));
    CHECK(contains(refusal({"--activation", "LeakyReLU"}), "metadata slope: found none"));
    CHECK(contains(refusal({"--activation", "leaky_relu", "--slope", "-1"}), "--slope: found -1, expected"));
    CHECK(contains(refusal({"--activation", "ReLU", "--slope", "0.1"}), "slope: found 0.1, expected none"));
    CHECK(contains(refusal({"--activation", "LeakyReLU(0.2)", "--slope", "0.1"}), "--slope: found 0.1, expected 0.2"));
    const std::string of_relu = run_with({"--activation", "ReLU"}).out;
    CHECK(run_with({"--activation", "relu"}).out == of_relu);
    const Finished leaky = run_with({"--activation", "leaky_relu", "--slope", "0.2"});
    CHECK(leaky.status == 0);
    CHECK(leaky.out != of_relu);
    CHECK(run_with({"--activation", "LeakyReLU(negative_slope=0.2)"}).out == leaky.out);
    const Finished smooth = run_with({"--activation", "GELU"});
    CHECK(smooth.status == (command.front() == "inspect" ? 0 : 2));
  }
  file.metadata["activation"] = "ReLU()";
  write_safetensors(model, file);
  for (const Arguments& command : commands) CHECK(normalign(command).status == 0);
  Arguments contradicted = commands[0];
  contradicted.insert(contradicted.end(), {"--activation", "tanh"});
  CHECK(contains(normalign(contradicted).err, "net.safetensors: metadata activation: found relu, expected tanh"));
  const std::string pickle = (folder / "net.pt").string();
  write_file(pickle, "PK\x03\x04 and so on");
  CHECK(contains(normalign({"inspect", pickle, "--data", points}).err, "net.pt: found a file of torch.save or pickle"));
}

TEST_CASE("degenerate networks are sliced and inspected without a NaN, or refused with the reason") {
  if (without_program("degenerate networks")) return;
  const TemporaryFolder folder;
  write_file(folder / "two.csv", "0.5,0.25,0\n-0.5,0.75,1\n0,0,0\n");
  write_file(folder / "one.csv", "0.5,0\n-0.5,1\n");
  using M = Matrix<double>;
  const std::map<std::string, std::vector<M>> networks = {
      {"zero", {M(3, 2), M(2, 3)}},
      {"dead", {{{-1, 0}, {-1, -1}}, {{0, 0}, {0, 0}}}},
      {"one_unit", {{{1, 2}}, {{1}, {-1}}}},
      {"one_output", {{{1, 2}, {2, -1}}, {{1, -1}}}},
      {"same_units", {{{1, 2}, {1, 2}, {-1, -2}}, {{1, 1, 0}, {0, 1, 1}}}},
      {"same_outputs", {{{1, 2}, {2, -1}}, {{1, -1}, {1, -1}, {-1, 1}}}},
      {"linear", {{{1, 2}, {3, 4}}}},
      {"tiny", {{{1e-150, 2e-150}, {2e-150, -1e-150}}, {{1e-150, 1e-150}, {0, 1e-150}}}},
      {"tiniest", {{{1e-300, 2e-300}, {2e-300, -1e-300}}, {{1, 1}, {0, 1}}}},
      {"large", {{{1e45, 2e45}, {2e45, -1e45}}, {{1e45, 1e45}, {0, 1e45}}}},
      {"mixed", {{{1e90, 1e-90}, {-1e-90, 1e90}}, {{1e-90, 1}, {1, 1e-90}}}}};
  for (const auto& [name, weights] : networks) {
    const fs::path file = folder / (name + ".safetensors");
    write_network(file, weights);
    for (const Arguments& arguments :
         {Arguments{"slice", file.string(), "--out", (folder / name).string(), "--data", (folder / "two.csv").string()},
          {"slice", file.string(), "--out", (folder / name).string(), "--output", "0", "--level", "0.1", "--colour",
           "class"},
          {"regions", file.string(), "--json", (folder / "regions.json").string()},
          {"regions", file.string(), "--box", "1", "--json", (folder / "regions.json").string()},
          {"inspect", file.string(), "--data", (folder / "two.csv").string()}}) {
      const Finished finished = normalign(arguments);
      CAPTURE(arguments, finished.out, finished.err);
      CHECK(finished.status == 0);
      const bool has_data = std::ranges::find(arguments, "--data") != arguments.end();
      CHECK(lines(finished.err).size() == has_data);  // how the file was read
      CHECK_FALSE(contains(finished.out, "nan"));
      CHECK_FALSE(contains(finished.out, "inf"));
    }
    const std::string json = read_file(folder / (name + ".json"));
    CHECK_FALSE(contains(json, "null"));
  }
  const fs::path one = folder / "one.safetensors";
  write_network(one, {{{1}, {-1}}, {{1, 0}, {0, 1}}});
  CHECK(normalign({"inspect", one.string(), "--data", (folder / "one.csv").string()}).status == 0);
  const Finished sliced = normalign({"slice", one.string(), "--out", (folder / "one").string()});
  CHECK(sliced.status == 2);
  CHECK(contains(sliced.err, "one.safetensors: found a network with one input, expected two or more"));
  const fs::path huge = folder / "huge.safetensors";
  write_network(huge, {{{1, 1e300}}, {{1e300}, {0}}});
  for (const Arguments& arguments : {Arguments{"slice", huge.string(), "--out", (folder / "huge").string()},
                                     {"inspect", huge.string(), "--data", (folder / "two.csv").string()}}) {
    const Finished finished = normalign(arguments);
    CHECK(finished.status == 2);
    CHECK(contains(finished.err, "huge.safetensors: tensor layers.0.weight: found a value of size 1e+300 at (0, 1)"));
  }
}

}  // namespace
}  // namespace normalign::tests

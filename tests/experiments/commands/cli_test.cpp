// The program as a user runs it: exit status, standard output, standard error, files.
#include "experiments/commands/cli.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "autodiff/check/op_table.hpp"
#include "experiments/training/parts.hpp"
#include "experiments/training/run_log.hpp"
#include "experiments/training/task.hpp"
#include "support/catch.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// A user's mistake: status 2, one line on standard error that begins with the program's name and holds
// `parts`, nothing on standard output.
void check_mistake(const Arguments& arguments, const std::vector<std::string>& parts) {
  std::string line;
  for (const std::string& argument : arguments) line += argument + " ";
  const Finished finished = normalign(arguments);
  CAPTURE(line, finished.out, finished.err);
  CHECK(finished.status == 2);
  CHECK(finished.out.empty());
  CHECK(std::ranges::count(finished.err, '\n') == 1);
  CHECK(finished.err.ends_with("\n"));
  CHECK(finished.err.starts_with("normalign: "));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(contains(finished.err, part));
  }
}

Arguments short_run(const fs::path& out, const Arguments& more = {}) {
  Arguments result{"train", "sparse_parity", "--epochs", "3", "--threads", "2", "--out", out.string()};
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

// ---- help
// -----------------------------------------------------------------------------------------------------------

TEST_CASE("help and version go to standard output with status 0") {
  if (without_program("help")) return;
  for (const Arguments& arguments : {Arguments{"--help"},
                                     {"train", "--help"},
                                     {"summary", "--help"},
                                     {"sweep", "--help"},
                                     {"plot", "--help"},
                                     {"inspect", "--help"},
                                     {"slice", "--help"},
                                     {"study", "--help"},
                                     {"gradcheck", "--help"},
                                     {"--version"}}) {
    const Finished finished = normalign(arguments);
    CAPTURE(arguments.front(), finished.out, finished.err);
    CHECK(finished.status == 0);
    CHECK(finished.err.empty());
    CHECK(finished.out.size() > 5);
  }
  const std::string all = normalign({"--help"}).out;
  for (const char* part : {"train", "sweep", "summary", "plot", "study", "datasets", "gradcheck", "--version"})
    CHECK(contains(all, part));
  CHECK(contains(normalign({"--version"}).out, NORMALIGN_VERSION));

  const std::string train = normalign({"train", "--help"}).out;
  for (const Task& task : all_tasks()) CHECK(contains(train, task.name));
  for (const char* part :
       {"--condition",  "default baseline", "--seed",           "default 0",          "--out",
        "default runs", "--epochs",         "--threads",        "default: all cores", "--quiet",
        "--overwrite",  "--save-model",     "--lambda",         "--projections",      "default 1",
        "--exact",      "--level",          "--grokfast-alpha", "default 0.8",        "default 0.1",
        "--operation",  "--modulus",        "default 61",       "--learning-rate",    "--weight-decay",
        "--batch-size"}) {
    CAPTURE(part);
    CHECK(contains(train, part));
  }
  const std::string summary = normalign({"summary", "--help"}).out;
  for (const char* part : {"DIR", "--json", "--csv", "FILE", "epochs", "seconds", "--geometry"})
    CHECK(contains(summary, part));
  const std::string sweep = normalign({"sweep", "--help"}).out;
  for (const char* part :
       {"CONFIG.json", "--out", "--setting", "--jobs", "--threads", "--shard", "i/n", "--run", "--data", "--set",
        "--checkpoint-seconds", "default 30", "settings", "conditions", "seeds", "overrides"})
    CHECK(contains(sweep, part));
  CHECK_FALSE(contains(sweep, "--parent"));
  const std::string plot = normalign({"plot", "--help"}).out;
  for (const char* part : {"DIR", "--out", "--metric", "NAME", "centroid_alignment", "gnuplot"})
    CHECK(contains(plot, part));
  const std::string gradcheck = normalign({"gradcheck", "--help"}).out;
  for (const char* part : {"--seed", "--tolerance", "1e-6", "default"}) CHECK(contains(gradcheck, part));
}

// ---- mistakes
// -------------------------------------------------------------------------------------------------------

TEST_CASE("a mistake on the command line is one line that names it, with status 2, and nothing is written") {
  if (without_program("mistakes")) return;
  const TemporaryFolder folder;
  const std::string out = (folder / "runs").string();
  const auto train = [&](const Arguments& more) {
    Arguments result{"train", "sparse_parity", "--out", out};
    result.insert(result.end(), more.begin(), more.end());
    return result;
  };
  check_mistake({}, {"train", "summary", "plot", "gradcheck"});
  check_mistake({"tarin"}, {"tarin"});
  check_mistake({"train"}, {"task"});
  check_mistake({"train", "xor_of_everything", "--out", out},
                {"task", "xor_of_everything", "sparse_parity", "mod_add"});
  for (const char* task : {"mnist_ce", "mnist_se", "lazy_regime"})
    check_mistake({"train", task, "--data", "no/such", "--out", out},
                  {"data: found 'no/such'", "--data DIR", "make data"});
  check_mistake({"train", "lazy_regime", "--output-scale", "-1", "--out", out}, {"output_scale", "-1"});
  check_mistake({"train", "lazy_regime", "--output-scale", "large", "--out", out}, {"output-scale", "large"});
  check_mistake(train({"--condition", "grok"}), {"condition", "'grok'", "baseline"});
  check_mistake(train({"--condition", ""}), {"condition"});
  check_mistake(train({"--frobnicate"}), {"frobnicate"});
  check_mistake(train({"surplus"}), {"surplus"});
  check_mistake(train({"--epochs"}), {"epochs"});

  check_mistake(train({"--epochs", "-5"}), {"epochs", "-5"});
  check_mistake(train({"--seed", "-1"}), {"seed", "-1"});
  check_mistake(train({"--threads", "-2"}), {"threads", "-2"});
  check_mistake(train({"--threads", "1000000"}), {"threads", "1000000"});
  check_mistake(train({"--batch-size", "-1"}), {"batch_size", "-1"});
  check_mistake(train({"--projections", "0"}), {"projections", "0"});
  check_mistake(train({"--penalty-share", "0"}), {"penalty_share", "0"});
  check_mistake(train({"--lambda", "-0.1"}), {"lambda", "-0.1"});
  check_mistake(train({"--level", "-1"}), {"level", "-1"});
  check_mistake(train({"--init-scale", "-1"}), {"init_scale", "-1"});
  check_mistake(train({"--grokfast-alpha", "1.5"}), {"grokfast_alpha", "1.5"});
  check_mistake(train({"--grokfast-lambda", "-1"}), {"grokfast_lambda", "-1"});

  check_mistake(train({"--epochs", "many"}), {"epochs", "many"});
  check_mistake(train({"--epochs", "1.5"}), {"epochs", "1.5"});
  check_mistake(train({"--epochs", "1e400"}), {"epochs", "1e400"});
  check_mistake(train({"--epochs", "99999999999999999999"}), {"epochs", "99999999999999999999"});
  check_mistake(train({"--epochs", "5000000000"}), {"epochs", "5000000000"});
  check_mistake(train({"--seed", "0x"}), {"seed"});
  check_mistake(train({"--threads", "two"}), {"threads", "two"});
  check_mistake(train({"--lambda", "nan"}), {"lambda", "nan"});
  check_mistake(train({"--lambda", "inf"}), {"lambda", "inf"});
  check_mistake(train({"--lambda", "1e400"}), {"lambda"});
  check_mistake(train({"--lambda", "0.1.2"}), {"lambda", "0.1.2"});
  check_mistake(train({"--learning-rate", "nan"}), {"learning-rate", "nan"});
  check_mistake(train({"--weight-decay", "abc"}), {"weight-decay", "abc"});
  check_mistake(train({"--name", "a/b"}), {"name", "a/b"});

  check_mistake(train({"--operation", "add"}), {"--operation", "mod_add", "sparse_parity"});
  check_mistake(train({"--modulus", "7"}), {"--modulus", "mod_add", "sparse_parity"});
  check_mistake({"train", "mod_add", "--out", out, "--operation", "root"}, {"root", "add", "subtract"});
  check_mistake({"train", "mod_add", "--out", out, "--modulus", "1"}, {"modulus", "1"});
  check_mistake({"train", "mod_add", "--out", out, "--modulus", "1000000"}, {"modulus", "1000000"});
  check_mistake({"train", "mod_add", "--out", out, "--operation", "divide", "--modulus", "60"}, {"60", "prime"});

  check_mistake({"plot"}, {"folder"});
  check_mistake({"plot", out + "/absent"}, {out + "/absent", "no such folder"});
  check_mistake({"plot", out, "--metric"}, {"metric"});

  check_mistake({"gradcheck", "--tolerance", "0"}, {"tolerance", "0"});
  check_mistake({"gradcheck", "--tolerance", "nan"}, {"tolerance", "nan"});
  check_mistake({"gradcheck", "--seed", "-1"}, {"seed", "-1"});
  // No log was begun, and no folder holds anything but what making sure of it left behind.
  if (fs::exists(out)) CHECK(fs::is_empty(out));
}

TEST_CASE("an output folder that cannot be written is named, with status 2") {
  if (without_program("unwritable folders")) return;
  const TemporaryFolder folder;
  write_file(folder / "file", "kept");
  const std::string below = (folder / "file" / "runs").string();
  check_mistake({"train", "sparse_parity", "--epochs", "1", "--out", below}, {below});
  check_mistake({"train", "sparse_parity", "--epochs", "1", "--out", (folder / "file").string()},
                {(folder / "file").string()});
  CHECK(read_file(folder / "file") == "kept");
}

TEST_CASE("a log that is there is not replaced without --overwrite") {
  if (without_program("existing logs")) return;
  const TemporaryFolder folder;
  const fs::path log = folder / "sparse_parity_baseline_seed0.json";
  write_file(log, "precious");
  check_mistake(short_run(folder.path()), {log.string(), "--overwrite"});
  CHECK(read_file(log) == "precious");
  const Finished finished = normalign(short_run(folder.path(), {"--overwrite", "--quiet"}));
  CAPTURE(finished.err);
  CHECK(finished.status == 0);
  CHECK(finished.out.empty());
  CHECK(finished.err.empty());
  CHECK(read_log(log).status == RunStatus::finished);
}

TEST_CASE("a summary of nothing, or of something broken, names what is wrong, with status 2") {
  if (without_program("summaries of nothing")) return;
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing").string();
  check_mistake({"summary", missing}, {missing});
  check_mistake({"summary"}, {"folder"});
  check_mistake({"summary", folder.path().string()}, {folder.path().string(), "*.json"});
  REQUIRE(normalign(short_run(folder.path(), {"--quiet"})).status == 0);
  // A broken log beside a good one is told of and left out; alone it is a mistake.
  const fs::path alone = folder / "alone";
  fs::create_directory(alone);
  for (const char* content : {"{\"run_name\": \"half", "{\"metrics\": []}"}) {
    write_file(folder / "broken.json", content);
    const Finished beside = normalign({"summary", folder.path().string()});
    CHECK(beside.status == 0);
    CHECK(contains(beside.err, "broken.json"));
    fs::rename(folder / "broken.json", alone / "broken.json");
    check_mistake({"summary", alone.string()}, {"broken.json"});
    fs::remove(alone / "broken.json");
  }
  const std::string unwritable = (folder / "missing" / "table.json").string();
  const Finished finished = normalign({"summary", folder.path().string(), "--json", unwritable});
  CHECK(finished.status == 2);
  CHECK(lines(finished.err).size() == 1);
  CHECK(contains(finished.err, unwritable));
}

TEST_CASE("a network for IDX files of 26 letters, counted from 1, has an output for each label") {
  if (without_program("IDX files of letters")) return;
  const TemporaryFolder folder;
  std::string labels;
  for (char label = 1; label <= 26; ++label) labels += label;
  for (const char* side : {"train", "test"}) {
    write_file(folder / text("emnist-letters-", side, "-images-idx3-ubyte"), idx_images_bytes(26, 2, 3));
    write_file(folder / text("emnist-letters-", side, "-labels-idx1-ubyte"), idx_labels_bytes(labels));
  }
  const std::string data = folder.path().string(), out = (folder / "runs").string();
  const Finished trained =
      normalign({"train", "mnist_ce", "--data", data, "--out", out, "--save-model", "--epochs", "2", "--set",
                 "train_samples=20", "--set", "test_samples=0", "--set", "hidden=[5]"});
  CAPTURE(trained.err);
  REQUIRE(trained.status == 0);
  const std::string model = out + "/mnist_ce_baseline_seed0.safetensors";
  CHECK(model_in<double>(model).options().widths == std::vector<Index>{6, 5, 27});
  const Finished inspected = normalign({"inspect", model, "--data", data});
  CAPTURE(inspected.err);
  CHECK(inspected.status == 0);
}

// ---- runs
// -----------------------------------------------------------------------------------------------------------

TEST_CASE("a run leaves a log and a model, and a summary of several makes a table in three forms") {
  if (without_program("runs")) return;
  const TemporaryFolder folder;
  const std::string runs = (folder / "deep" / "runs").string();
  for (const char* condition : {"baseline", "grokalign"})
    for (const char* seed : {"0", "1"}) {
      const Finished finished = normalign(
          short_run(runs, {"--condition", condition, "--seed", seed, "--save-model", "--weight-decay", "0.25"}));
      CAPTURE(condition, seed, finished.err);
      CHECK(finished.status == 0);
      const std::string name = std::string("sparse_parity_") + condition + "_seed" + seed;
      const RunLog log = read_log(fs::path(runs) / (name + ".json"));
      CHECK(log.run_name == name);
      CHECK(log.condition == condition);
      CHECK(log.status == RunStatus::finished);
      CHECK(log.metrics.size() == 4);
      CHECK(log.config.at("task") == "sparse_parity");
      CHECK(log.config.at("epochs") == 3);
      CHECK(log.config.at("weight_decay") == 0.25);
      CHECK(log.config.contains("lambda") == (std::string(condition) == "grokalign"));
      CHECK(log.config.at("seed") == std::stoi(seed));
      CHECK(log.environment.at("threads") == 2);
      CHECK(fs::exists(fs::path(runs) / (name + ".safetensors")));
      // Neither stream is a terminal: one line at the end, no line that is written over.
      CHECK(lines(finished.out).size() == 1);
      CHECK(finished.out.starts_with(name + ": not grokked by epoch 3"));
      CHECK_FALSE(contains(finished.out + finished.err, "\r"));
    }
  const Finished summary = normalign({"summary", (folder / "deep").string(), "--json", (folder / "t.json").string(),
                                      "--csv", (folder / "t.csv").string(), "--latex", (folder / "t.tex").string()});
  CAPTURE(summary.out, summary.err);
  CHECK(summary.status == 0);
  CHECK(summary.err.empty());
  for (const char* part : {"sparse_parity", "condition", "baseline", "grokalign", "0/2", "median"})
    CHECK(contains(summary.out, part));
  const auto json = nlohmann::json::parse(read_file(folder / "t.json"));
  REQUIRE(json.at("settings").size() == 1);
  CHECK(json.at("settings")[0].at("setting") == "sparse_parity");
  CHECK(json.at("settings")[0].at("conditions").size() == 2);
  CHECK(json.at("settings")[0].at("conditions")[0].at("runs") == 2);
  const auto csv = lines(read_file(folder / "t.csv"));
  REQUIRE(csv.size() == 3);
  for (const std::string& line : csv) CHECK(std::ranges::count(line, ',') == std::ranges::count(csv.front(), ','));
  CHECK(csv[1].starts_with("sparse_parity,baseline,2,0,"));
  CHECK(contains(read_file(folder / "t.tex"), "\\begin{tabular}"));
}

TEST_CASE("a log says the same whatever the number of threads") {
  if (without_program("threads")) return;
  const TemporaryFolder folder;
  std::vector<RunLog> logs;
  for (const char* threads : {"1", "2", "3"}) {
    REQUIRE(normalign({"train", "sparse_parity", "--condition", "grokalign+grokfast", "--epochs", "3", "--quiet",
                       "--threads", threads, "--name", threads, "--out", folder.path().string()})
                .status == 0);
    RunLog& log = logs.emplace_back(read_log(folder / (std::string(threads) + ".json")));
    CHECK(log.environment.at("threads") == std::stoi(threads));
    log.environment = {};
    for (MetricRow& row : log.metrics) row.opt_time = 0;
  }
  CHECK(logs[0] == logs[1]);
  CHECK(logs[0] == logs[2]);
}

TEST_CASE("options of mod_add reach the run") {
  if (without_program("mod_add")) return;
  const TemporaryFolder folder;
  const Finished finished = normalign({"train",
                                       "mod_add",
                                       "--operation",
                                       "sum_of_squares",
                                       "--modulus",
                                       "13",
                                       "--epochs",
                                       "2",
                                       "--threads",
                                       "1",
                                       "--batch-size",
                                       "16",
                                       "--learning-rate",
                                       "0.002",
                                       "--weight-decay",
                                       "0.5",
                                       "--condition",
                                       "hold_jacobian",
                                       "--exact",
                                       "--level",
                                       "2",
                                       "--out",
                                       folder.path().string()});
  CAPTURE(finished.err);
  REQUIRE(finished.status == 0);
  const RunLog log = read_log(folder / "mod_add_hold_jacobian_seed0.json");
  CHECK(log.config.at("operation") == "sum_of_squares");
  CHECK(log.config.at("modulus") == 13);
  CHECK(log.config.at("batch_size") == 16);
  CHECK(log.config.at("learning_rate") == 0.002);
  CHECK(log.config.at("weight_decay") == 0.5);
  CHECK(log.config.at("jacobian_norm") == "exact");
  CHECK(log.config.at("level") == 2);
}

TEST_CASE("an option that the run does not read is a mistake, and names who would read it") {
  if (without_program("options that nothing reads")) return;
  const TemporaryFolder folder;
  const std::string out = folder.path().string();
  const auto train = [&](const char* task, Arguments more) {
    more.insert(more.begin(), {"train", task, "--out", out});
    return more;
  };
  check_mistake(train("rings", {"--data", "pts.csv"}),
                {"--data: found nothing in this run (rings, baseline)", "mnist"});
  check_mistake(train("rings", {"--lambda", "0.5", "--exact"}), {"--lambda", "the condition grokalign"});
  check_mistake(train("rings", {"--exact"}), {"--exact", "jacobian_norm"});
  check_mistake(train("rings", {"--no-offset"}), {"--no-offset", "penalise_offset"});
  check_mistake(train("rings", {"--output-scale", "4"}), {"--output-scale", "the task lazy_regime"});
  check_mistake(train("rings", {"--level", "4"}), {"--level", "the condition hold_jacobian"});
  check_mistake(train("rings", {"--grokfast-alpha", "0.9"}), {"--grokfast-alpha", "the condition grokfast"});
  check_mistake(train("sparse_parity", {"--modulus", "7"}), {"--modulus", "the task mod_add"});
  check_mistake(train("sparse_parity", {"--set", "train_samples=20"}), {"--set train_samples", "rings"});
  check_mistake(train("rings", {"--set", "features=9"}), {"--set features", "the task xor"});
  check_mistake(train("rings", {"--set", "task=xor"}), {"--set task: unexpected here, expected TASK"});
  check_mistake(train("rings", {"--set", "seed=1"}), {"--set seed: unexpected here, expected --seed"});
  check_mistake(train("rings", {"--epochs", "3", "--set", "epochs=4"}),
                {"--set epochs: found after --epochs, expected one value of epochs"});
  check_mistake(train("rings", {"--set", "epochs=3", "--set", "epochs=4"}), {"--set epochs: found after --set epochs"});
  check_mistake(train("rings", {"--condition", "grokalign", "--no-jacobian", "--no-offset"}),
                {"penalise_offset: found false, as penalise_jacobian is"});
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a run that fails ends with status 1, one line with the epoch, and a log marked failed") {
  if (without_program("failed runs")) return;
  const TemporaryFolder folder;
  const Finished finished = normalign({"train", "sparse_parity", "--learning-rate", "1e6", "--epochs", "50",
                                       "--threads", "1", "--out", folder.path().string()});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 1);
  CHECK(finished.out.empty());
  CHECK(lines(finished.err).size() == 1);
  CHECK(finished.err.starts_with("normalign: sparse_parity_baseline_seed0 failed: epoch "));
  const RunLog log = read_log(folder / "sparse_parity_baseline_seed0.json");
  CHECK(log.status == RunStatus::failed);
  CHECK(contains(finished.err, log.failure));
  CHECK_FALSE(log.metrics.empty());
  const Finished summary = normalign({"summary", folder.path().string()});
  CHECK(summary.status == 0);
  CHECK(contains(summary.out, "failed: sparse_parity_baseline_seed0"));
}

TEST_CASE("a run that is killed leaves a readable log that says it was running") {
  if (without_program("killed runs")) return;
  const TemporaryFolder folder;
  const fs::path file = folder / "long.json";
  Child child(command({"train", "sparse_parity", "--epochs", "1000000000", "--learning-rate", "1e-6", "--threads", "1",
                       "--name", "long", "--out", folder.path().string()}));
  // The log is there from the start and every look at it finds a whole one, which grows within a few seconds.
  std::size_t rows = 0;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (rows < 2 && child.running() && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    if (!fs::exists(file)) continue;
    const RunLog log = read_log(file);
    REQUIRE(log.status == RunStatus::running);
    REQUIRE(log.metrics.size() >= rows);
    rows = log.metrics.size();
  }
  CHECK(rows >= 2);
  child.kill();
  const Finished finished = child.wait();
  CHECK(finished.status == -9);
  CHECK_FALSE(contains(finished.out + finished.err, "\r"));
  const RunLog log = read_log(file);
  CHECK(log.status == RunStatus::running);
  CHECK(log.metrics.size() >= rows);
  const Finished summary = normalign({"summary", folder.path().string()});
  CHECK(summary.status == 0);
  CHECK(contains(summary.out, "unfinished: "));
}

TEST_CASE("datasets lists a collection whose files are in order, and names the first fault") {
  if (without_program("datasets")) return;
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  check_mistake({"datasets", path}, {path + ": found no data set"});
  std::filesystem::create_directory(folder / "toy");
  write_file(folder / "toy/toy.txt",
             "n_entradas= 1\nn_clases= 2\nn_arquivos= 1\nfich1= toy_R.dat\nn_patrons1= 3\nn_patrons_entrena= 2\n"
             "n_patrons_valida= 1\nn_conxuntos= 1\n");
  write_file(folder / "toy/toy_R.dat", "\tf1\tclase\n1\t5\t0\n2\t6\t1\n3\t7\t1\n");
  write_file(folder / "toy/conxuntos.dat", "0 1 \n2 \n");
  write_file(folder / "toy/conxuntos_kfold.dat", "0 1 \n2 \n0 2 \n1 \n1 2 \n0 \n2 1 \n0 \n");
  const auto found = lines(normalign({"datasets", path}).out);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == "data set  rows  features  classes  rows of the test file");
  CHECK(found[1] == "toy          3         1        2                      -");
  write_file(folder / "toy/conxuntos.dat", "0 1 \n");
  check_mistake({"datasets", path}, {"toy/conxuntos.dat: line 2: found the end of the file"});
}

TEST_CASE("gradcheck passes, with a row for every row of the table") {
  if (without_program("gradcheck")) return;
  const Finished finished = normalign({"gradcheck"});
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  const auto found = lines(finished.out);
  REQUIRE(found.size() == op_table().size() + 3);  // two lines of head, one of sums
  for (std::size_t i = 0; i < op_table().size(); ++i) CHECK(found[i + 2].starts_with(op_table()[i].name));
  CHECK(contains(found.back(), " 0 failed"));
  // A bound that no difference can meet: the same rows, failures said below them, status 1.
  const Finished strict = normalign({"gradcheck", "--tolerance", "1e-16"});
  CHECK(strict.status == 1);
  CHECK(contains(strict.out, "FAILED"));
}

// ---- slice and inspect
// ------------------------------------------------------------------------------------------------

TEST_CASE("a trained network is sliced and inspected on its own samples") {
  if (without_program("slice and inspect")) return;
  const TemporaryFolder folder;
  const std::string model = (folder.path() / "toy.safetensors").string(), out = (folder.path() / "toy").string();
  const Finished trained = normalign({"train", "rings", "--epochs", "20", "--threads", "2", "--out",
                                      folder.path().string(), "--name", "toy", "--save-model", "--quiet"});
  REQUIRE(trained.status == 0);

  const Finished sliced =
      normalign({"slice", model, "--task", "rings", "--window", "0.5", "--out", out, "--centroids"});
  CAPTURE(sliced.out, sliced.err);
  CHECK(sliced.status == 0);
  CHECK(sliced.err.empty());
  CHECK(contains(sliced.out, " regions, "));
  for (const char* ending : {".json", ".svg", ".png"}) CHECK(fs::file_size(out + ending) > 1000);

  const std::string whole = (folder.path() / "regions.json").string();
  const Finished found = normalign({"regions", model, "--box", "0.5", "--json", whole, "--statistics-only"});
  CAPTURE(found.out, found.err);
  CHECK(found.status == 0);
  CHECK(found.err.empty());
  CHECK(contains(found.out, " linear regions in the box |x_i| <= 0.5, "));
  // As many as in the same square by `slice`.
  const Finished on_output = normalign({"regions", model, "--box", "0.5", "--json", "--statistics-only"});
  CHECK(on_output.out == read_file(whole));
  CHECK(nlohmann::json::parse(read_file(whole)).at("num_regions") ==
        nlohmann::json::parse(read_file(out + ".json")).at("statistics").at("regions"));

  const std::string report = (folder.path() / "report.json").string();
  const Finished inspected = normalign({"inspect", model, "--task", "rings", "--certificates", "3", "--json", report});
  CAPTURE(inspected.out, inspected.err);
  CHECK(inspected.status == 0);
  CHECK(contains(inspected.out, "Certificates (l2, first 3 samples): 3 exact"));
  CHECK(fs::file_size(report) > 1000);

  const Finished attacked = normalign({"inspect",
                                       model,
                                       "--task",
                                       "rings",
                                       "--certificates",
                                       "0",
                                       "--attack",
                                       "0.3",
                                       "--attack",
                                       "0",
                                       "--norm",
                                       "linf",
                                       "--clamp",
                                       "-9",
                                       "9",
                                       "--restarts",
                                       "2",
                                       "--attack-steps",
                                       "20",
                                       "--threads",
                                       "2"});
  CAPTURE(attacked.out, attacked.err);
  CHECK(attacked.status == 0);
  CHECK(contains(attacked.out, "attacked within"));
  CHECK(contains(attacked.out, "Attacks: apgd in linf, 20 steps, 2 starts for each loss, inputs from -9 to 9;"));
  const Arguments attack{"inspect", model, "--task", "rings", "--attack"};
  const auto attack_mistake = [&](const Arguments& more, const char* message) {
    Arguments all = attack;
    all.insert(all.end(), more.begin(), more.end());
    check_mistake(all, {message});
  };
  attack_mistake({"-1"}, "--attack: found -1, expected a number from 0 on");
  attack_mistake({"nan"}, "--attack: found nan");
  attack_mistake({"1", "--attack-kind", "fgsm"}, "--attack-kind: found 'fgsm', expected one of pgd, apgd_ce");
  attack_mistake({"1", "--attack-steps", "-1"}, "--attack-steps: found -1");
  attack_mistake({"1", "--restarts", "0"}, "--restarts: found 0");
  attack_mistake({"1", "--clamp", "1", "0"}, "--clamp: found 1 and 0, expected two numbers in order");
  attack_mistake({"1", "--clamp", "0", "0.1"}, "the inputs must lie in it");
  check_mistake({"inspect", model, "--task", "rings", "--restarts", "3"},
                {"--restarts: found without --attack, which it is about"});

  const std::string pictures = (folder.path() / "pictures").string(), table = (folder.path() / "table.json").string();
  const Finished compared =
      normalign({"robustness", report, "--name", "a network", "--out", pictures, "--json", table});
  CAPTURE(compared.out, compared.err);
  CHECK(compared.status == 0);
  CHECK(contains(compared.out, "a network"));
  CHECK(fs::file_size(pictures + "/robustness_class_alignment.dat") > 100);
  CHECK(fs::file_size(table) > 100);
  check_mistake({"robustness", report, "--name", "a", "--name", "b"}, {"--name: found 2 names, expected 1"});
  check_mistake({"robustness", report, "--measure", "x", "--out", pictures}, {"measure: found 'x'"});

  check_mistake({"slice", model, "--plane", "0", "1", "2", "--out", out}, {"--plane: found no samples"});
  check_mistake({"slice", model, "--task", "rings", "--plane", "0", "1", "900", "--out", out},
                {"--plane: found 900", "from 0 to 119"});
  check_mistake({"slice", model, "--task", "rings", "--window", "-1", "--out", out}, {"--window: found -1"});
  check_mistake({"slice", model, "--window", "0", "--out", out}, {"--window: found 0"});
  check_mistake({"slice", model, "--task", "rings", "--origin", "-3", "--out", out}, {"--origin: found -3"});
  check_mistake({"slice", model, "--max-regions", "0", "--out", out}, {"--max-regions: found 0"});
  check_mistake({"slice", model, "--task", "rings", "--colour", "red", "--out", out}, {"colour: found 'red'", "slope"});
  check_mistake({"slice", model, "--task", "sparse_parity", "--out", out}, {"2 inputs", "43 features"});
  check_mistake({"slice", model, "--task", "rings", "--axes", "0", "2", "--out", out}, {"axes are 0 and 2"});
  check_mistake({"slice", model, "--output", "5", "--out", out}, {"level_set: output is 5"});
  check_mistake({"slice", (folder.path() / "none.safetensors").string()}, {"none.safetensors"});
  check_mistake({"slice", model, "--out", (folder.path() / "toy.json" / "x").string()}, {"toy.json"});
  check_mistake({"inspect", model}, {"neither --data nor --task"});
  check_mistake({"inspect", model, "--task", "rings", "--norm", "l1"},
                {"--norm: found 'l1', expected one of l2, linf"});
  check_mistake({"inspect", model, "--task", "rings", "--certificates", "-2"}, {"--certificates: found -2"});
  const Finished crowded = normalign({"slice", model, "--max-regions", "10", "--out", out});
  CHECK(crowded.status == 1);
  CHECK(contains(crowded.err, "more than 10 cells"));
}

}  // namespace
}  // namespace normalign::tests

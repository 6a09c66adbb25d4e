#include "experiments/training/settings_read.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "experiments/figures/text_file.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/task.hpp"
#include "support/catch.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

// A run that takes milliseconds.
RunConfig small(const std::string& task_name, const std::string& condition) {
  RunConfig config = defaults_for(task(task_name), condition);
  config.hidden = {6};
  config.epochs = 4;
  config.train_samples = 10;
  config.test_samples = 10;
  config.features = 8;
  config.modulus = 5;
  config.noise_criterion = 0;
  config.train_criterion = 100;  // which nothing is above
  if (task_name == "rings") config.batch_size = 4;
  return config;
}

// Another value of the setting that `check` takes.
Json changed(const std::string& name, const Json& value) {
  static const std::map<std::string, Json> others = {{"hidden", {5}},
                                                     {"activation", "tanh"},
                                                     {"operation", "multiply"},
                                                     {"modulus", 7},
                                                     {"noise_levels", {0.5}},
                                                     {"noise_first_column", 1},
                                                     {"attack_radii", {0.5}},
                                                     {"attack_norm", "l2"},
                                                     {"level", 1e3},
                                                     {"eval_every", 3},
                                                     {"stop", "never"},
                                                     {"momentum", 0.7},
                                                     {"beta1", 0.4},
                                                     {"beta2", 0.4},
                                                     {"epsilon", 0.01},
                                                     {"gradient_clip", 1e-3},
                                                     {"train_criterion", 0},
                                                     {"test_criterion", 0},
                                                     {"grokfast_alpha", 0.3},
                                                     {"attack_steps", 1},
                                                     {"attack_step", 0.01},
                                                     {"attack_samples", 1},
                                                     {"certificate_samples", 1},
                                                     {"certificate_parts", 0},
                                                     {"batch_size", 3},
                                                     {"region_box", 0.25},
                                                     {"penalty_share", 0.5},
                                                     {"coordinates", "span"},
                                                     {"label_column", "other"},
                                                     {"test_data", "/nowhere.csv"},
                                                     {"labels", "/nowhere.csv"},
                                                     {"test_labels", "/nowhere.csv"},
                                                     {"header", "no"},
                                                     {"columns", {"w"}},
                                                     {"targets", {"w"}},
                                                     {"drop", {"w"}},
                                                     {"categories", {"w"}}};
  if (const auto found = others.find(name); found != others.end()) return found->second;
  if (name == "max_regions") return value == 0 ? 1000 : 1;  // more than one are not logged
  if (name == "missing") return value == "drop" ? "impute" : "drop";
  if (name == "index_column") return value == "drop" ? "keep" : "drop";
  if (name == "precision") return value == "float32" ? "float64" : "float32";
  if (name == "jacobian_norm") return value == "exact" ? "projection" : "exact";
  if (name == "loss") return value == "mse" ? "bce" : "mse";
  if (name == "optimizer") return value == "sgd" ? "adamw" : "sgd";
  if (value.is_boolean()) return !value.get<bool>();
  if (value.is_number_integer()) return value.get<Index>() + 1;
  REQUIRE(value.is_number());
  return value.get<double>() + 0.5;
}

// What a run found, but for the time that it took.
Json findings(const RunConfig& config) {
  // A network whose regions cannot be counted is refused, which is an effect too.
  RunLog log;
  const std::string refusal = message_of<InputError>([&] { log = task(config.task).run(config, 1, {}); });
  if (refusal != "nothing was thrown") return refusal;
  Json result = Json::array();
  for (const MetricRow& row : log.metrics) {
    Json json = {row.epoch, row.train_acc, row.test_acc, row.train_loss, row.test_loss};
    for (const auto& [name, value] : row.extras)
      if (!name.ends_with("_time")) json.push_back({name, value});
    result.push_back(std::move(json));
  }
  return result;
}

TEST_CASE("settings read: a setting changes what a run finds if and only if the run reads it") {
  const TemporaryFolder folder;
  write_digits(folder.path(), 12, 4);
  std::vector<RunConfig> runs;
  for (const char* condition : {"baseline", "grokalign", "hold_jacobian", "grokfast+orthograd", "adversarial_noise"})
    runs.push_back(small("rings", condition));
  RunConfig measured = small("rings", "baseline");
  measured.noise_levels = {2};
  measured.attack_radii = {0.4};
  measured.max_regions = 1000;
  measured.certificate_samples = 3;
  runs.push_back(measured);
  RunConfig offset_alone = small("rings", "grokalign");
  offset_alone.penalise_jacobian = false;
  runs.push_back(offset_alone);
  RunConfig exact = small("rings", "grokalign");
  exact.jacobian_norm = "exact";
  runs.push_back(exact);
  runs.push_back(small("xor", "baseline"));
  runs.push_back(small("mod_add", "baseline"));
  runs.push_back(small("sparse_parity", "baseline"));
  for (const char* name : {"mnist_ce", "lazy_regime"}) {
    RunConfig digits = small(name, "baseline");
    digits.data = folder.path().string();
    digits.train_samples = digits.test_samples = 5;
    runs.push_back(digits);
  }
  RunConfig table = small("table", "baseline");
  table.data = (folder / "table.csv").string();
  table.label_column = "kind";
  table.index_column = "drop";
  table.missing = "impute";
  std::string content = "row,w,h,kind,other\n";
  for (int i = 1; i <= 24; ++i)
    content += text(i, ',', i % 5, ',', i == 7 ? "NA" : text(i * i % 11), ',', i % 3, ',', i % 2, '\n');
  write_text_file(table.data, content);
  runs.push_back(table);
  // Which run it is, and where files are.
  const std::set<std::string> identity = {"task",           "condition", "label",        "task_grid",
                                          "condition_grid", "data",      "initial_model"};
  // These decide nothing unless a run groks (the next test has them), or its logits are far apart.
  const std::set<std::string> without_effect = {"train_criterion",  "test_criterion",         "stop",
                                                "noise_criterion",  "accurate_cross_entropy", "noise_criterion_level",
                                                "insist_on_classes"};
  for (const RunConfig& run : runs) {
    const Json reference = findings(run);
    const Json all = settings::as_json(run);
    int read = 0, unread = 0;
    for (const auto& [name, value] : all.items()) {
      if (identity.contains(name)) continue;
      RunConfig other = run;
      settings::set(other, name, changed(name, value));
      // A single output needs another loss and another number of classes at the same time.
      if (name == "single_output" || (name == "loss" && run.loss == "cross_entropy" && changed(name, value) == "bce"))
        continue;
      if (message_of([&] { check(other); }) != "nothing was thrown") continue;  // it is no run
      CAPTURE(run.task, run.condition, name, reads(run, name));
      const bool has_effect = findings(other) != reference;
      if (reads(run, name)) {
        ++read;
        CHECK((has_effect || without_effect.contains(name)));
      } else {
        ++unread;
        CHECK_FALSE(has_effect);
      }
    }
    CHECK(read > 10);
    CHECK(unread > 10);
  }
}

TEST_CASE("settings read: a criterion decides where a run ends") {
  RunConfig run = small("rings", "baseline");
  run.train_criterion = run.test_criterion = 0;
  CHECK(findings(run).size() < 5);
  run.stop = "never";
  CHECK(findings(run).size() == 5);
  run.stop = "grokked";
  run.noise_criterion = 100;
  run.noise_criterion_level = 0.1;
  CHECK(findings(run).size() == 5);
  CHECK(reads(run, "noise_criterion_level"));
  run.noise_criterion = 0;
  CHECK_FALSE(reads(run, "noise_criterion_level"));
}

TEST_CASE("settings read: a setting that no run reads is refused, with who would read it") {
  const auto refusal = [](const RunConfig& run, const std::string& setting) {
    return message_of([&] { require_read("--" + setting, setting, {&run, 1}); });
  };
  const RunConfig rings = defaults_for(task("rings"), "baseline");
  CHECK(
      refusal(rings, "data") ==
      "--data: found nothing in this run (rings, baseline) that reads data, expected the tasks lazy_regime, mnist_ce, "
      "mnist_se, table");
  CHECK(refusal(rings, "lambda") ==
        "--lambda: found nothing in this run (rings, baseline) that reads lambda, expected the condition grokalign");
  CHECK(refusal(rings, "features").ends_with("expected the task xor"));
  CHECK(refusal(rings, "output_scale").ends_with("expected the task lazy_regime"));
  CHECK(refusal(rings, "level").ends_with("expected the condition hold_jacobian"));
  CHECK(refusal(rings, "grokfast_alpha").ends_with("expected the condition grokfast"));
  CHECK(refusal(rings, "momentum").ends_with("expected the optimizer sgd"));
  CHECK(refusal(defaults_for(task("sparse_parity"), "baseline"), "train_samples").ends_with("mnist_se, rings, xor"));
  CHECK(refusal(rings, "train_samples") == "nothing was thrown");
  // One of several is enough.
  const std::vector<RunConfig> both = {rings, defaults_for(task("rings"), "grokalign")};
  CHECK(message_of([&] { require_read("overrides.lambda", "lambda", both); }) == "nothing was thrown");
  CHECK(message_of([&] { require_read("overrides.level", "level", both); }) ==
        "overrides.level: found none of the 2 runs that it is given for that reads level, expected the condition "
        "hold_jacobian");
}

TEST_CASE("settings read: the log of a run holds what it read, and every setting has a reader") {
  const RunConfig config = small("rings", "baseline");
  const RunLog log = task("rings").run(config, 1, {});
  CHECK(log.config == settings_read(config));
  CHECK_FALSE(log.config.contains("lambda"));
  CHECK_FALSE(log.config.contains("data"));
  CHECK(log.config.at("batch_size") == 4);
  const Json all = settings::as_json(RunConfig{});
  for (const auto& [name, value] : all.items()) {
    CAPTURE(name);
    CHECK(readers(name).size() > std::string("the tasks ").size());
  }
  // A run on a program's own samples may read whatever settings of data there are.
  CHECK(reads({.task = "own"}, "features"));
  CHECK_FALSE(reads({.task = "own"}, "output_scale"));
}

}  // namespace
}  // namespace normalign::tests

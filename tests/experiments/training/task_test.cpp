#include "experiments/training/task.hpp"

#include <algorithm>
#include <cmath>

#include "experiments/runs/settings.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// A task's name by its file's: the same but where that is a word of C++.
std::string name_of(const std::string& file) { return file == "xor_cluster" ? "xor" : file; }

TEST_CASE("every file in src/experiments/training/tasks is a task of its name, and there are no others") {
  const std::filesystem::path folder = "src/experiments/training/tasks";
  if (!std::filesystem::is_directory(folder)) return skip("tasks against their files: src/ is not below this folder");
  std::vector<std::string> files, names;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".cpp") files.push_back(file.path().stem().string());
  std::ranges::sort(files);
  std::ranges::transform(files, files.begin(), name_of);
  for (const Task& task : all_tasks()) names.push_back(task.name);
  CHECK(names == files);
  CHECK(names.size() >= 2);
}

TEST_CASE("a task is found by its name, and its protocol can be run") {
  for (const Task& found : all_tasks()) {
    CAPTURE(found.name);
    CHECK(&task(found.name) == &found);
    CHECK_FALSE(found.summary.empty());
    CHECK_FALSE(contains(found.summary, "\n"));
    CHECK(found.data);
    CHECK(found.train);
    CHECK(found.defaults.epochs > 0);
    CHECK((found.defaults.lambda > 0 || found.name == "lazy_regime"));
    CHECK(message_of([&] { check(found.defaults); }) == "nothing was thrown");
  }
}

TEST_CASE("an unknown task is refused with the known ones") {
  const std::string message = message_of([] { task("sparse-parity"); });
  CHECK(message.starts_with("task: found 'sparse-parity', expected one of "));
  for (const Task& known : all_tasks()) CHECK(contains(message, known.name));
  CHECK(contains(message_of([] { task(""); }), "found ''"));
}

TEST_CASE("the protocols of sparse_parity and mod_add are the paper's") {
  const RunConfig& parity = task("sparse_parity").defaults;
  CHECK(parity.hidden == std::vector<Index>{200, 200});
  CHECK(parity.activation == "relu");
  CHECK(parity.bias);
  CHECK(parity.loss == "cross_entropy");
  CHECK(parity.optimizer == "adamw");
  CHECK(parity.learning_rate == 1e-2);
  CHECK(parity.weight_decay == 0.1);
  CHECK(parity.batch_size == 0);
  CHECK(parity.epochs == 20000);
  CHECK(parity.train_criterion == 99);
  CHECK(parity.test_criterion == 90);
  CHECK(parity.lambda == 0.1);
  const RunConfig& modular = task("mod_add").defaults;
  CHECK(modular.hidden == std::vector<Index>{256});
  CHECK(modular.activation == "quadratic");
  CHECK_FALSE(modular.bias);
  CHECK(modular.loss == "cross_entropy");
  CHECK(modular.optimizer == "adamw");
  CHECK(modular.learning_rate == 1e-3);
  CHECK(modular.weight_decay == 1);
  CHECK(modular.batch_size == 32);
  CHECK(modular.epochs == 1000);
  CHECK(modular.train_criterion == 99);
  CHECK(modular.test_criterion == 99);
  CHECK(modular.lambda == 0.01);
  CHECK(modular.modulus == 61);
  CHECK(modular.operation == "add");
  for (const RunConfig* config : {&parity, &modular}) {
    CHECK(config->beta1 == 0.9);
    CHECK(config->beta2 == 0.99);
    CHECK(config->epsilon == 1e-25);
    CHECK(config->grokfast_alpha == 0.8);
    CHECK(config->grokfast_lambda == 0.1);
    CHECK(config->projections == 1);
    CHECK(config->penalise_jacobian);
    CHECK(config->penalise_offset);
  }
}

TEST_CASE("the protocols of mnist_ce, mnist_se and xor are the paper's") {
  const RunConfig& digits = task("mnist_ce").defaults;
  CHECK(digits.hidden == std::vector<Index>{200, 200, 200});
  CHECK(digits.activation == "relu");
  CHECK(digits.bias);
  CHECK(digits.init_scale == 8);
  CHECK(digits.precision == "float64");
  CHECK(digits.train_samples == 1024);
  CHECK(digits.test_samples == 1024);
  CHECK(digits.loss == "cross_entropy");
  CHECK(digits.optimizer == "adamw");
  CHECK(digits.beta2 == 0.99);
  CHECK(digits.epsilon == 1e-25);
  CHECK(digits.learning_rate == 1e-3);
  CHECK(digits.weight_decay == 0.01);
  CHECK(digits.batch_size == 196);
  CHECK(digits.epochs == 20000);
  CHECK(digits.train_criterion == 99);
  CHECK(digits.test_criterion == 80);
  CHECK(digits.lambda == 0.01);
  RunConfig squared = task("mnist_se").defaults;
  CHECK(squared.loss == "mse");
  squared.loss = digits.loss;
  CHECK(settings::as_json(squared) == settings::as_json(digits));

  const RunConfig& cluster = task("xor").defaults;
  CHECK(cluster.hidden == std::vector<Index>{2048});
  CHECK(cluster.activation == "relu");
  CHECK_FALSE(cluster.bias);
  CHECK(cluster.single_output);
  CHECK(cluster.init_scale == 1);
  CHECK(cluster.precision == "float32");
  CHECK(cluster.features == 40000);
  CHECK(cluster.feature_scale == 0.05);
  CHECK(cluster.train_samples == 400);
  CHECK(cluster.test_samples == 400);
  CHECK(cluster.loss == "mse");
  CHECK(cluster.optimizer == "sgd");
  CHECK(cluster.learning_rate == 0.1);
  CHECK(cluster.weight_decay == 0.1);
  CHECK(cluster.momentum == 0.2);
  CHECK(cluster.batch_size == 0);
  CHECK(cluster.epochs == 1000);
  CHECK(cluster.train_criterion == 99);
  CHECK(cluster.test_criterion == 95);
  CHECK(cluster.noise_criterion == 95);
  CHECK(cluster.noise_criterion_level == 0.2);
  CHECK(cluster.noise_first_column == 2);
  CHECK(cluster.lambda == 1);
}

TEST_CASE("a task's defaults know the task and the condition, and may depend on it") {
  for (const Task& found : all_tasks()) {
    for (const char* condition : {"baseline", "orthograd", "grokalign+orthograd", "grokfast"}) {
      CAPTURE(found.name, condition);
      RunConfig expected = found.defaults;
      expected.task = found.name;
      expected.condition = condition;
      if (found.name == "xor" && contains(condition, "orthograd")) expected.momentum = 0.8;
      CHECK(settings::as_json(defaults_for(found, condition)) == settings::as_json(expected));
    }
    CHECK(contains(message_of([&] { defaults_for(found, "nothing"); }), "condition: found 'nothing'"));
  }
}

TEST_CASE("every task runs in the precision of its config") {
  // Rounding to float shows in the loss of the untrained network, and a network in float stays one.
  for (const Task& found : all_tasks()) {
    if (!found.defaults.data.empty() || found.name == "table") continue;  // needs files
    CAPTURE(found.name);
    RunConfig config = defaults_for(found, "baseline");
    config.epochs = 0;
    config.features = 50;
    config.modulus = 5;
    config.noise_criterion = 0;
    const auto loss = [&](const char* precision) {
      config.precision = precision;
      const RunLog log = found.run(config, 1, {});
      return log.metrics.at(0).train_loss;
    };
    const double in_float = loss("float32"), in_double = loss("float64");
    CHECK(in_float != in_double);
    CHECK_THAT(in_float, WithinRel(in_double, 1e-5));
  }
}

TEST_CASE("xor learns its product on a single output with targets of both signs") {
  RunConfig config = defaults_for(task("xor"), "baseline");
  config.features = 20;
  config.hidden = {64};
  config.epochs = 300;
  config.noise_criterion = 0;
  const RunLog log = task("xor").run(config, 2, {});
  CHECK(log.status == RunStatus::finished);
  CHECK(log.grokked);
  // A small start: f = 0 is at distance 1 from targets of plus and minus one.
  CHECK_THAT(log.metrics.front().train_loss, WithinAbs(1, 0.1));
  config.loss = "bce";
  const RunLog other = task("xor").run(config, 2, {});
  CHECK(other.grokked);
  CHECK_THAT(other.metrics.front().train_loss, WithinAbs(std::log(2.0), 0.05));
}

TEST_CASE("a single output is refused where it cannot tell the classes") {
  RunConfig config = defaults_for(task("xor"), "baseline");
  config.loss = "cross_entropy";
  CHECK(message_of([&] { check(config); }) == "single_output: found true, expected false, as loss is cross_entropy");
  config = defaults_for(task("mod_add"), "baseline");
  config.modulus = 5;
  config.single_output = true;
  config.loss = "mse";
  CHECK(message_of([&] { task("mod_add").run(config, 1, {}); }) ==
        "single_output: found true with 5 classes, expected 2");
}

}  // namespace
}  // namespace normalign::tests

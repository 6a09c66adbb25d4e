#include "experiments/task.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("every file in src/experiments/tasks is a task of its name, and there are no others") {
  const std::filesystem::path folder = "src/experiments/tasks";
  if (!std::filesystem::is_directory(folder)) return skip("tasks against their files: src/ is not below this folder");
  std::vector<std::string> files, names;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    if (file.path().extension() == ".cpp") files.push_back(file.path().stem().string());
  for (const Task& task : all_tasks()) names.push_back(task.name);
  std::ranges::sort(files);
  CHECK(names == files);
  CHECK(names.size() >= 2);
}

TEST_CASE("a task is found by its name, and its protocol can be run") {
  for (const Task& found : all_tasks()) {
    CAPTURE(found.name);
    CHECK(&task(found.name) == &found);
    CHECK_FALSE(found.summary.empty());
    CHECK_FALSE(contains(found.summary, "\n"));
    CHECK(found.run);
    CHECK(found.defaults.epochs > 0);
    CHECK(found.defaults.lambda > 0);
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

}  // namespace
}  // namespace normalign::tests

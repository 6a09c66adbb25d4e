// Runs that predict numbers: the task table with regression.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/regression_scores.hpp"
#include "experiments/figures/text_file.hpp"
#include "experiments/training/table_samples.hpp"
#include "experiments/training/task.hpp"
#include "linalg/random.hpp"
#include "linalg/safetensors.hpp"
#include "nn/mlp_file.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"

namespace normalign::tests {
namespace {

// Two targets of three features, of very different units.
std::string houses() {
  const Matrix<double> x = random_matrix({80, 3}, 1);
  std::string content = "size,age,floor,price,rent\n";
  for (Index i = 0; i < x.rows(); ++i)
    content += text(x(i, 0), ',', x(i, 1), ',', x(i, 2), ',', 1e5 * (3 + x(i, 0) * x(i, 1)), ',',
                    20 + 5 * std::abs(x(i, 2)), '\n');
  return content;
}

RunConfig houses_config(const TemporaryFolder& folder, const std::string& condition = "baseline") {
  write_text_file(folder / "houses.csv", houses());
  RunConfig config = defaults_for(task("table"), condition);
  config.data = (folder / "houses.csv").string();
  config.regression = true;
  config.targets = {"price", "rent"};
  config.loss = "mse";
  config.hidden = {24};
  config.epochs = 30;
  config.batch_size = 16;
  config.learning_rate = 1e-2;
  return config;
}

RunLog houses_run(const RunConfig& config, int threads = 1, const RunObserver& observer = {}) {
  return task("table").run(config, threads, observer);
}

// What the network in that file predicts, in the units of the table, and what it should.
struct Predicted {
  Matrix<double> found, expected;
};

Predicted predicted(const std::filesystem::path& model, const RunConfig& config) {
  const TableSamples samples = table_samples(config);
  const Mlp<double> mlp = mlp_from<double>(read_safetensors(model));
  Tape<double> tape;
  auto net = mlp.on(tape);
  Predicted result{Matrix<double>(net(tape.constant(samples.split.test.inputs)).value()), samples.split.test.targets};
  for (Matrix<double>* each : {&result.found, &result.expected})
    for (Index i = 0; i < each->rows(); ++i)
      for (Index j = 0; j < each->cols(); ++j) {
        const auto at = static_cast<std::size_t>(j);
        (*each)(i, j) =
            (*each)(i, j) * samples.encoding.target_scales->deviations[at] + samples.encoding.target_scales->means[at];
      }
  return result;
}

}  // namespace

TEST_CASE("a run that predicts numbers logs R² and the error in the units of the table") {
  const TemporaryFolder folder;
  RunConfig config = houses_config(folder);
  config.precision = "float64";
  config.geometry_samples = 5;
  config.noise_levels = {0.1};
  const RunLog log = houses_run(config, 2, {.model_file = folder / "model"});
  REQUIRE(log.status == RunStatus::finished);
  CHECK(is_regression(log));
  CHECK(log.dataset.at("targets") == nlohmann::ordered_json({"price", "rent"}));
  const MetricRow &first = log.metrics.front(), &last = log.metrics.back();
  CHECK(last.train_acc > 80);
  CHECK(first.train_acc < 50);
  CHECK(has_extra(last, "normal_alignment"));
  CHECK(has_extra(last, "noise_acc_0.1"));
  CHECK_FALSE(has_extra(last, "class_alignment"));
  CHECK_FALSE(has_extra(last, "train_cross_entropy"));
  const auto [found, expected] = predicted(folder / "model", config);
  const RegressionScores scores = regression_scores<double>(found, expected);
  CHECK_THAT(last.test_acc, WithinRel(100 * scores.mean_r_squared(), 1e-9));
  CHECK_THAT(extra(last, "test_rmse"), WithinRel(joint_rmse(scores.rmse), 1e-9));
  CHECK(extra(last, "test_rmse") > 100);

  // Without scales the units of the table are those of the network.
  config.standardise = false;
  config.targets = {"rent"};
  config.epochs = 1;
  const RunLog plain = houses_run(config);
  CHECK_THAT(extra(plain.metrics.back(), "train_rmse"), WithinRel(std::sqrt(plain.metrics.back().train_loss), 1e-12));
}

TEST_CASE("a run that predicts numbers goes on where it was, on any number of threads, under conditions") {
  for (const char* condition : {"baseline", "grokalign", "adversarial_noise", "grokfast+orthograd"}) {
    CAPTURE(condition);
    const TemporaryFolder folder;
    const RunConfig config = houses_config(folder, condition);
    const RunLog whole = houses_run(config, 1, {.model_file = folder / "whole"});
    CHECK(whole.metrics.back().train_loss < whole.metrics.front().train_loss);
    RunObserver observer{.checkpoint_file = folder / "checkpoint", .model_file = folder / "pieces"};
    Index asked = 0;
    observer.stop = [&] { return ++asked == 11; };
    CHECK(houses_run(config, 2, observer).status == RunStatus::running);
    CHECK(without_timings(houses_run(config, 2, observer)).metrics == without_timings(whole).metrics);
    CHECK(read_file(folder / "pieces") == read_file(folder / "whole"));
  }
}

TEST_CASE("numbers are predicted in coordinates of the span as in the inputs") {
  const TemporaryFolder folder;
  RunConfig config = houses_config(folder, "grokalign");
  config.optimizer = "sgd";
  config.precision = "float64";
  const RunLog dense = houses_run(config);
  config.coordinates = "span";
  const RunLog span = houses_run(config);
  CHECK_THAT(span.metrics.back().test_acc, WithinRel(dense.metrics.back().test_acc, 1e-9));
  CHECK_THAT(extra(span.metrics.back(), "test_rmse"), WithinRel(extra(dense.metrics.back(), "test_rmse"), 1e-9));
  CHECK(dense.metrics.back().test_acc > dense.metrics.front().test_acc);
}

TEST_CASE("R² is what a run's criterion is held against") {
  const TemporaryFolder folder;
  RunConfig config = houses_config(folder);
  config.train_criterion = config.test_criterion = 60;
  config.stop = "grokked";
  const RunLog log = houses_run(config);
  REQUIRE(log.grokked);
  CHECK(log.metrics.back().test_acc > 60);
  CHECK(log.metrics.back().epoch == *log.grokking_epoch);
  CHECK(log.metrics[log.metrics.size() - 2].test_acc < log.metrics.back().test_acc);
}

TEST_CASE("targets are for mse alone, whoever gives them") {
  const Dataset<double> data{random_matrix({3, 2}, 1), {}, 0, random_matrix({3, 1}, 2)};
  CHECK(message_of([&] {
          grokking_run<double>({.hidden = {3}, .epochs = 1}, {data, data}, 1, {});
        }) == "loss: found \"cross_entropy\", expected \"mse\", as there are targets");
}

}  // namespace normalign::tests

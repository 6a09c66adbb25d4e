#include "experiments/training/lazy_regime.hpp"

#include <algorithm>
#include <cmath>

#include "data/xor_cluster.hpp"
#include "experiments/training/task.hpp"
#include "linalg/safetensors.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

RunConfig small_config() {
  return {.task = "small",
          .seed = 3,
          .hidden = {16, 12},
          .bias = false,
          .loss = "bce",
          .epochs = 50,
          .optimizer = "sgd",
          .learning_rate = 0.05};
}

const Split<double>& small_data() {
  static const Split<double> data =
      xor_cluster<double>({.features = 8, .feature_scale = 0.5, .train_samples = 40, .test_samples = 30, .seed = 1});
  return data;
}

RunLog small_run(const RunConfig& config, int threads = 1, const RunObserver& observer = {}) {
  return lazy_regime_run(config, small_data(), threads, observer);
}

// The network that `small_run` starts from.
Mlp<double> first_network(const RunConfig& config) {
  return Mlp<double>({.widths = {8, 16, 12, 1},
                      .bias = config.bias,
                      .init_scale = config.init_scale,
                      .seed = static_cast<std::uint64_t>(config.seed)});
}

// s f at the first `count` training rows, by plain loops.
M scaled_outputs(const Mlp<double>& mlp, const RunConfig& config, Index count) {
  M f = naive_output<double>(mlp, small_data().train.inputs.view().row_block(0, count));
  for (double& value : f.span()) value *= config.output_scale;
  return f;
}

double distance(const Mlp<double>& a, const Mlp<double>& b) {
  double squares = 0;
  for (std::size_t p = 0; p < a.parameters().size(); ++p)
    for (std::size_t i = 0; i < a.parameters()[p].span().size(); ++i)
      squares += std::pow(a.parameters()[p].span()[i] - b.parameters()[p].span()[i], 2);
  return std::sqrt(squares);
}

}  // namespace

TEST_CASE("log-spaced epochs are distinct, begin with 0, end with the last and keep their ratio") {
  for (const Index last : {0, 1, 5, 62, 63, 64, 65, 100, 2000, 4000, 100000}) {
    CAPTURE(last);
    const std::vector<Index> epochs = log_spaced_epochs(last, 64);
    CHECK(static_cast<Index>(epochs.size()) == std::min<Index>(last + 1, 64));
    CHECK(epochs.front() == 0);
    CHECK(epochs.back() == last);
    for (std::size_t i = 1; i < epochs.size(); ++i) CHECK(epochs[i] > epochs[i - 1]);
  }
  const std::vector<Index> epochs = log_spaced_epochs(4000, 64);
  const double ratio = std::pow(4000, 1 / 62.0);
  for (std::size_t i = 40; i < 64; ++i)
    CHECK_THAT(static_cast<double>(epochs[i]), WithinAbs(4000 * std::pow(ratio, static_cast<double>(i) - 63), 0.51));
  CHECK(log_spaced_epochs(9, 2) == std::vector<Index>{0, 9});
  CHECK_THROWS_AS(log_spaced_epochs(-1, 64), InputError);
  CHECK_THROWS_AS(log_spaced_epochs(10, 1), InputError);
}

TEST_CASE("a lazy-regime run logs every measure from the first to the last epoch and learns") {
  RunConfig config = small_config();
  config.epochs = 300;
  config.learning_rate = 0.5;
  const RunLog log = small_run(config, 2);
  CHECK(log.status == RunStatus::finished);
  CHECK_FALSE(log.grokked);
  REQUIRE(log.metrics.size() == 64);
  for (std::size_t i = 0; i < 64; ++i) {
    CHECK(log.metrics[i].epoch == log_spaced_epochs(300, 64)[i]);
    std::vector<std::string> names;
    for (const auto& [name, value] : log.metrics[i].extras) names.push_back(name);
    CHECK(names == std::vector<std::string>{"centroid_norm", "centroid_inner_product", "centroid_cosine", "ntk_self",
                                            "ntk_mean", "step_change", "weight_change"});
    // By Euler's theorem a bias-free ReLU network has <J^T, x> = f(x).
    const double inner = extra(log.metrics[i], "centroid_inner_product");
    const double norm_of_x = std::sqrt(2 + 6 * 0.25);
    CHECK_THAT(extra(log.metrics[i], "centroid_cosine") * extra(log.metrics[i], "centroid_norm") * norm_of_x,
               WithinRel(inner, 1e-12));
  }
  CHECK_THAT(extra(log.metrics.front(), "centroid_inner_product"),
             WithinAbs(scaled_outputs(first_network(config), config, 1)(0, 0), 1e-13));
  CHECK(extra(log.metrics.front(), "weight_change") == 0);
  CHECK(log.metrics.front().train_loss > 0.5);
  CHECK(log.metrics.back().train_loss < 0.2);
  CHECK(log.metrics.back().train_acc == 100);
}

TEST_CASE("with eval_every a lazy-regime run logs those epochs") {
  RunConfig config = small_config();
  config.epochs = 11;
  config.eval_every = 4;
  std::vector<Index> epochs;
  for (const MetricRow& row : small_run(config, 1).metrics) epochs.push_back(row.epoch);
  CHECK(epochs == std::vector<Index>{0, 4, 8, 11});
}

TEST_CASE("the logged losses are those of the scaled output") {
  RunConfig config = small_config();
  config.output_scale = 3;
  config.epochs = 0;
  const RunLog log = small_run(config);
  REQUIRE(log.metrics.size() == 1);
  const M f = scaled_outputs(first_network(config), config, 40);
  double loss = 0;
  int right = 0;
  for (Index i = 0; i < 40; ++i) {
    const double sign = small_data().train.labels[static_cast<std::size_t>(i)] == 1 ? 1 : -1;
    loss += std::log1p(std::exp(-sign * f(i, 0))) / 40;
    right += sign * f(i, 0) > 0;
  }
  CHECK_THAT(log.metrics[0].train_loss, WithinRel(loss, 1e-12));
  CHECK_THAT(log.metrics[0].train_acc, WithinAbs(100.0 * right / 40, 1e-12));
}

TEST_CASE("one step moves s f by the predicted change, and the weights by the logged distance") {
  for (const double scale : {1.0, 8.0}) {
    CAPTURE(scale);
    RunConfig config = small_config();
    config.output_scale = scale;
    config.epochs = 1;
    config.learning_rate = 1e-5;
    const TemporaryFolder folder;
    const RunLog log = small_run(config, 1, {.model_file = folder / "model"});
    const TensorFile file = read_safetensors(folder / "model");
    const Mlp<double> before = first_network(config);
    Mlp<double> after = before;
    double size = 0;
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const auto weight = values_as<double>(file.tensors.at(text("layers.", layer, ".weight")));
      std::ranges::copy(weight.span(), after.parameters()[layer].span().begin());
      for (const double value : before.parameters()[layer].span()) size += value * value;
    }
    const double change = scaled_outputs(after, config, 1)(0, 0) - scaled_outputs(before, config, 1)(0, 0);
    CHECK(change != 0);
    CHECK_THAT(extra(log.metrics.front(), "step_change"), WithinRel(change, 1e-3));
    CHECK_THAT(extra(log.metrics.back(), "weight_change"), WithinRel(distance(after, before) / std::sqrt(size), 1e-10));
  }
}

TEST_CASE("the kernel of s f is s^2 times that of f, and s f starts equally fast at every s") {
  RunConfig config = small_config();
  config.epochs = 0;
  // Centred at f = 0: with so small a start the residuals are the same at every s.
  config.init_scale = 0.05;
  const MetricRow plain = small_run(config).metrics.front();
  config.output_scale = 16;
  const MetricRow scaled = small_run(config).metrics.front();
  CHECK_THAT(extra(scaled, "ntk_self"), WithinRel(256 * extra(plain, "ntk_self"), 1e-12));
  CHECK_THAT(extra(scaled, "ntk_mean"), WithinRel(256 * extra(plain, "ntk_mean"), 1e-12));
  CHECK_THAT(extra(scaled, "step_change"), WithinRel(extra(plain, "step_change"), 0.05));
  CHECK(extra(scaled, "centroid_norm") == extra(plain, "centroid_norm"));
}

TEST_CASE("the larger the output scale, the less the weights move") {
  RunConfig config = small_config();
  config.learning_rate = 0.2;
  config.epochs = 200;
  double last = 1e30;
  for (const double scale : {1.0, 4.0, 16.0}) {
    config.output_scale = scale;
    const RunLog log = small_run(config);
    const double moved = extra(log.metrics.back(), "weight_change");
    CHECK(moved > 0);
    CHECK(moved < last / 2);
    last = moved;
    CHECK(log.metrics.back().train_loss < log.metrics.front().train_loss);
  }
}

TEST_CASE("a lazy-regime log has the same bits at any number of threads, and is on disk as returned") {
  const TemporaryFolder folder;
  int calls = 0;
  RunObserver observer{.log_file = folder / "log.json"};
  observer.progress = [&](const RunLog&, Index epoch) { CHECK(epoch == calls++); };
  const RunLog one = small_run(small_config(), 1, observer);
  CHECK(calls == 51);
  CHECK(read_log(folder / "log.json") == one);
  CHECK(without_timings(small_run(small_config(), 3)) == without_timings(one));
}

TEST_CASE("a lazy-regime run that blows up is marked failed with its epoch") {
  RunConfig config = small_config();
  config.learning_rate = 1e6;
  config.weight_decay = 1e6;
  config.epochs = 100;
  const RunLog log = small_run(config);
  CHECK(log.status == RunStatus::failed);
  CHECK(log.failure.starts_with("epoch "));
}

TEST_CASE("a start at zero stays there, and no measure is undefined") {
  RunConfig config = small_config();
  config.init_scale = 0;
  const RunLog log = small_run(config);
  CHECK(log.status == RunStatus::finished);
  for (const MetricRow& row : log.metrics)
    for (const auto& [name, value] : row.extras) CHECK(value == 0);
}

TEST_CASE("settings that the lazy-regime study does not know are refused") {
  RunConfig config = small_config();
  config.condition = "grokalign";
  CHECK(message_of([&] { small_run(config); }) ==
        "condition: found 'grokalign', expected baseline, the only one of lazy_regime");
  config = small_config();
  config.output_scale = 0;
  CHECK(message_of([&] { small_run(config); }) == "output_scale: found 0, expected a positive number");
  config = small_config();
  Split<double> three = small_data();
  three.train.classes = 3;
  CHECK(message_of([&] { lazy_regime_run(config, three, 1, {}); }) == "lazy_regime: found 3 classes, expected 2");
}

TEST_CASE("the lazy_regime task trains on the first zeros and ones of MNIST") {
  const auto reference = reference_folder();
  const std::filesystem::path folder = reference ? reference->parent_path() / "mnist" : std::filesystem::path();
  if (!reference || !std::filesystem::is_directory(folder))
    return skip("lazy_regime on digits: ../shared/data/mnist is absent");
  RunConfig config = defaults_for(task("lazy_regime"), "baseline");
  CHECK(config.hidden == std::vector<Index>{64, 64});
  CHECK(config.train_samples == 512);
  CHECK(config.epochs == 4000);
  CHECK(config.learning_rate == 1e-2);
  config.data = folder.string();
  config.epochs = 20;
  const RunLog log = task("lazy_regime").run(config, 2, {});
  CHECK(log.status == RunStatus::finished);
  // Of 217 test digits.
  const double right = log.metrics.back().test_acc / 100 * 217;
  CHECK_THAT(right, WithinAbs(std::round(right), 1e-9));
  CHECK(log.metrics.back().test_acc > 95);
}

}  // namespace normalign::tests

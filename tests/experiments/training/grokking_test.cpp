#include "experiments/training/grokking.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "data/modular.hpp"
#include "data/sparse_parity.hpp"
#include "experiments/training/settings_read.hpp"
#include "experiments/training/task.hpp"
#include "linalg/random.hpp"
#include "linalg/safetensors.hpp"
#include "nn/adamw.hpp"
#include "nn/evaluate.hpp"
#include "nn/grokalign.hpp"
#include "nn/grokfast.hpp"
#include "nn/mlp_file.hpp"
#include "nn/orthograd.hpp"
#include "nn/train_step.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

// A network for the tiny task.
RunConfig tiny_config(const std::string& condition = "baseline") {
  return {.task = "tiny",
          .condition = condition,
          .seed = 3,
          .hidden = {16, 12},
          .epochs = 12,
          .learning_rate = 1e-2,
          .weight_decay = 0.1,
          .train_criterion = 100,
          .test_criterion = 100,
          .lambda = 0.1};
}

RunLog tiny_run(const RunConfig& config, int threads = 1, const RunObserver& observer = {}) {
  return grokking_run<float>(config, tiny_data(), threads, observer);
}

TEST_CASE("metrics are logged at every epoch below 100, then every 10th, 100th and 1000th, and at the last") {
  std::vector<Index> logged;
  for (Index epoch = 0; epoch <= 12345; ++epoch)
    if (is_logged(epoch, 12345)) logged.push_back(epoch);
  std::vector<Index> expected;
  for (Index e = 0; e < 100; ++e) expected.push_back(e);
  for (Index e = 100; e < 1000; e += 10) expected.push_back(e);
  for (Index e = 1000; e < 10000; e += 100) expected.push_back(e);
  for (Index e : {10000, 11000, 12000, 12345}) expected.push_back(e);
  CHECK(logged == expected);
  CHECK(is_logged(0, 0));
  logged.clear();
  for (Index epoch = 0; epoch <= 32; ++epoch)
    if (is_logged(epoch, 32, 7)) logged.push_back(epoch);
  CHECK(logged == std::vector<Index>{0, 7, 14, 21, 28, 32});
}

TEST_CASE("with eval_every a run logs those epochs, and the same numbers there") {
  RunConfig config = tiny_config();
  config.epochs = 13;
  const RunLog all = tiny_run(config);
  config.eval_every = 5;
  const RunLog some = without_timings(tiny_run(config));
  REQUIRE(some.metrics.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(some.metrics[i] == without_timings(all).metrics[std::min<std::size_t>(5 * i, 13)]);
}

TEST_CASE("with stop never a run goes on after it has grokked, and logs the first such epoch, however it is parted") {
  RunConfig config = tiny_config();
  config.epochs = 60;
  config.train_criterion = 90;
  config.test_criterion = 0;
  const RunLog first = tiny_run(config);
  REQUIRE(first.grokked);
  REQUIRE(*first.grokking_epoch > 1);
  REQUIRE(*first.grokking_epoch < 45);
  config.stop = "never";
  const RunLog whole = tiny_run(config);
  CHECK(whole.status == RunStatus::finished);
  CHECK(whole.grokked);
  CHECK(whole.grokking_epoch == first.grokking_epoch);
  CHECK(whole.metrics.back().epoch == 60);
  for (std::size_t i = 0; i < first.metrics.size(); ++i)
    CHECK(without_timings(whole).metrics[i] == without_timings(first).metrics[i]);

  // Stopped before, at and after the grokking epoch, and taken up each time.
  const TemporaryFolder folder;
  const std::vector<Index> stops = {1, *first.grokking_epoch, *first.grokking_epoch + 3, 50};
  std::size_t next = 0;
  Index epoch = 0;
  RunObserver observer{.progress = [&](const RunLog&, Index now) { epoch = now; },
                       .stop = [&] { return next < stops.size() && epoch == stops[next]; },
                       .log_file = folder / "log.json",
                       .checkpoint_file = folder / "state"};
  RunLog parts;
  for (; next < stops.size(); ++next) {
    parts = tiny_run(config, 1, observer);
    CHECK(parts.status == RunStatus::running);
    CHECK(parts.grokked == (stops[next] >= *first.grokking_epoch));
  }
  parts = tiny_run(config, 1, observer);
  CHECK(without_timings(parts).metrics == without_timings(whole).metrics);
  CHECK(parts.grokking_epoch == whole.grokking_epoch);
  CHECK(parts.status == RunStatus::finished);
}

TEST_CASE("a run logs the grid's epochs, its first row is the untrained network, time never runs back") {
  RunConfig config = tiny_config();
  config.epochs = 115;
  const RunLog log = tiny_run(config);
  CHECK(log.status == RunStatus::finished);
  CHECK(log.run_name == "tiny_baseline_seed3");
  CHECK(log.condition == "baseline");
  CHECK(log.config == settings_read(config));
  CHECK_FALSE(log.grokked);
  CHECK_FALSE(log.grokking_epoch);
  REQUIRE(log.metrics.size() == 103);
  for (Index e = 0; e < 100; ++e) CHECK(log.metrics[static_cast<std::size_t>(e)].epoch == e);
  CHECK(log.metrics[100].epoch == 100);
  CHECK(log.metrics[101].epoch == 110);
  CHECK(log.metrics[102].epoch == 115);

  const auto data = tiny_data();
  const Mlp<float> mlp({.widths = {10, 16, 12, 2}, .seed = 3});
  Evaluator<float> evaluate(mlp, Loss::cross_entropy, 1);
  const Evaluation train = evaluate({.inputs = data.train.inputs, .labels = data.train.labels});
  const Evaluation test = evaluate({.inputs = data.test.inputs, .labels = data.test.labels});
  CHECK(log.metrics[0] == MetricRow{.epoch = 0,
                                    .train_acc = train.accuracy,
                                    .test_acc = test.accuracy,
                                    .train_loss = train.loss,
                                    .test_loss = test.loss});
  CHECK(std::ranges::is_sorted(log.metrics, {}, &MetricRow::opt_time));
  CHECK(log.metrics.back().opt_time > 0);
  // It learns: all training rows, at a loss far below log 2.
  CHECK(log.metrics.back().train_acc == 100);
  CHECK(log.metrics.back().train_loss < 0.1);
}

TEST_CASE("a run's log has the same numbers on 1, 2 and 8 threads, full batch or not") {
  for (const char* condition : {"baseline", "grokalign", "grokfast+orthograd+grokalign"})
    for (Index batch_size : {0, 7}) {
      RunConfig config = tiny_config(condition);
      config.batch_size = batch_size;
      config.epochs = 6;
      CAPTURE(condition, batch_size);
      const RunLog alone = without_timings(tiny_run(config));
      CHECK(alone.status == RunStatus::finished);
      CHECK(alone.metrics.size() == 7);
      for (int threads : {2, 8}) CHECK(without_timings(tiny_run(config, threads)) == alone);
    }
}

TEST_CASE("seeds, conditions, batches and every setting of a condition make a difference") {
  const auto metrics = [](const RunConfig& config) { return without_timings(tiny_run(config)).metrics; };
  const auto change = [](RunConfig config, auto RunConfig::*field, auto value) {
    config.*field = value;
    return config;
  };
  const RunConfig base = tiny_config(), align = tiny_config("grokalign"), fast = tiny_config("grokfast");
  const std::vector<RunConfig> all = {base,
                                      align,
                                      fast,
                                      tiny_config("orthograd"),
                                      tiny_config("orthograd+grokfast"),
                                      change(base, &RunConfig::seed, 4),
                                      change(base, &RunConfig::batch_size, 7),
                                      change(base, &RunConfig::learning_rate, 0.02),
                                      change(base, &RunConfig::weight_decay, 0.5),
                                      change(base, &RunConfig::optimizer, "sgd"),
                                      change(base, &RunConfig::init_scale, 2.0),
                                      change(base, &RunConfig::activation, "tanh"),
                                      change(base, &RunConfig::loss, "mse"),
                                      change(base, &RunConfig::loss, "bce"),
                                      change(base, &RunConfig::accurate_cross_entropy, true),
                                      change(base, &RunConfig::bias, false),
                                      change(base, &RunConfig::beta2, 0.5),
                                      change(align, &RunConfig::lambda, 0.2),
                                      change(align, &RunConfig::projections, 2),
                                      change(align, &RunConfig::jacobian_norm, "exact"),
                                      change(align, &RunConfig::penalise_jacobian, false),
                                      change(align, &RunConfig::penalise_offset, false),
                                      change(align, &RunConfig::lambda_scale, 3.0),
                                      change(align, &RunConfig::penalty_share, 0.6),
                                      change(align, &RunConfig::penalty_share, 0.4),
                                      tiny_config("hold_jacobian"),
                                      change(tiny_config("hold_jacobian"), &RunConfig::level, 0.01),
                                      change(tiny_config("hold_jacobian"), &RunConfig::hold_weight, 0.1),
                                      tiny_config("adversarial_noise"),
                                      change(tiny_config("adversarial_noise"), &RunConfig::training_noise, 0.3),
                                      change(tiny_config("adversarial_noise"), &RunConfig::least_training_noise, 0.2),
                                      change(base, &RunConfig::gradient_clip, 0.1),
                                      change(fast, &RunConfig::grokfast_alpha, 0.5),
                                      change(fast, &RunConfig::grokfast_lambda, 1.0)};
  std::vector<std::vector<MetricRow>> found;
  for (const RunConfig& config : all) found.push_back(metrics(config));
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      CAPTURE(i, j);
      CHECK_FALSE(found[i] == found[j]);
    }
  // What belongs to a condition that is off makes none.
  CHECK(metrics(change(base, &RunConfig::lambda, 7.0)) == found[0]);
  CHECK(metrics(change(base, &RunConfig::grokfast_lambda, 7.0)) == found[0]);
  CHECK(metrics(change(align, &RunConfig::lambda, 0.0)) == found[0]);
}

TEST_CASE("a penalised run logs its norms from epoch 1 on, those that are penalised") {
  const auto names = [](const MetricRow& row) {
    std::vector<std::string> result;
    for (const auto& [name, value] : row.extras) result.push_back(name);
    return result;
  };
  RunConfig config = tiny_config("grokalign");
  RunLog log = tiny_run(config);
  CHECK(log.metrics[0].extras.empty());
  for (std::size_t i = 1; i < log.metrics.size(); ++i) {
    REQUIRE(names(log.metrics[i]) == std::vector<std::string>{"step_jacobian_norm", "step_offset_norm"});
    CHECK(log.metrics[i].extras[0].second > 0);
  }
  config.penalise_offset = false;
  CHECK(names(tiny_run(config).metrics[5]) == std::vector<std::string>{"step_jacobian_norm"});
  config.penalise_jacobian = false;
  config.penalise_offset = true;
  CHECK(names(tiny_run(config).metrics[5]) == std::vector<std::string>{"step_offset_norm"});
  CHECK(tiny_run(tiny_config()).metrics[5].extras.empty());
}

TEST_CASE("a run ends at the first logged epoch that meets the criterion, strictly") {
  RunConfig config = tiny_config();
  config.train_criterion = config.test_criterion = 0;
  RunLog log = tiny_run(config);
  CHECK(log.grokked);
  CHECK(log.grokking_epoch == 0);
  CHECK(log.metrics.size() == 1);

  config.epochs = 60;
  config.train_criterion = 90;
  log = tiny_run(config);
  REQUIRE(log.grokked);
  CHECK(log.grokking_epoch == log.metrics.back().epoch);
  CHECK(log.metrics.back().train_acc > 90);
  for (std::size_t i = 0; i + 1 < log.metrics.size(); ++i) CHECK_FALSE(log.metrics[i].train_acc > 90);
  // Not more than 100 per cent of anything.
  config.train_criterion = 100;
  CHECK_FALSE(tiny_run(config).grokked);
}

TEST_CASE("no epochs are one evaluation; the last epoch is evaluated, not trained") {
  RunConfig config = tiny_config();
  config.epochs = 0;
  CHECK(tiny_run(config).metrics.size() == 1);
  // A longer run begins like a shorter one.
  config.epochs = 4;
  const RunLog brief = tiny_run(config), full = tiny_run(tiny_config());
  REQUIRE(brief.metrics.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(without_timings(brief).metrics[i] == without_timings(full).metrics[i]);
}

TEST_CASE("the log that is written is the log that is returned, and no temporary file stays") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "log.json";
  const RunLog log = tiny_run(tiny_config("grokalign"), 2, {.log_file = file});
  CHECK(read_log(file) == log);
  CHECK(log.environment.at("threads") == 2);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("the observer hears of every epoch, with the log so far") {
  std::vector<Index> epochs;
  bool rows_follow = true;
  RunObserver observer;
  observer.progress = [&](const RunLog& log, Index epoch) {
    epochs.push_back(epoch);
    rows_follow = rows_follow && log.metrics.back().epoch == epoch && log.status == RunStatus::running;
  };
  tiny_run(tiny_config(), 1, observer);
  CHECK(epochs == std::vector<Index>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  CHECK(rows_follow);
}

TEST_CASE("models of every N-th epoch are those that shorter runs end with") {
  const TemporaryFolder folder;
  const RunObserver observer{.model_file = folder / "run.safetensors", .save_every = 5};
  tiny_run(tiny_config(), 1, observer);
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder.path()))
    files.push_back(file.path().filename().string());
  std::ranges::sort(files);
  CHECK(files == std::vector<std::string>{"run.safetensors", "run_epoch0.safetensors", "run_epoch10.safetensors",
                                          "run_epoch5.safetensors"});
  RunConfig shorter = tiny_config();
  shorter.epochs = 5;
  tiny_run(shorter, 1, {.model_file = folder / "short.safetensors"});
  CHECK(read_file(folder / "run_epoch5.safetensors") == read_file(folder / "short.safetensors"));
  CHECK(read_file(folder / "run_epoch10.safetensors") != read_file(folder / "run.safetensors"));
  for (const char* kept :
       {"run_epochs.safetensors", "run_epoch.safetensors", "run_epoch5.json", "running_epoch5.safetensors"})
    std::ofstream(folder / kept) << 'x';
  remove_models(folder / "run.safetensors");
  std::set<std::string> left;
  for (const auto& file : std::filesystem::directory_iterator(folder.path()))
    left.insert(file.path().filename().string());
  CHECK(left == std::set<std::string>{"run_epochs.safetensors", "run_epoch.safetensors", "run_epoch5.json",
                                      "running_epoch5.safetensors", "short.safetensors"});
}

TEST_CASE("the saved model is the one of the last row") {
  const TemporaryFolder folder;
  RunObserver observer;
  observer.model_file = folder / "model.safetensors";
  const RunLog log = tiny_run(tiny_config(), 1, observer);
  const TensorFile file = read_safetensors(observer.model_file);
  Mlp<float> mlp({.widths = {10, 16, 12, 2}, .seed = 99});
  for (std::size_t i = 0; i < 3; ++i) {
    const Matrix<float> weight = values_as<float>(file.tensors.at(text("layers.", i, ".weight")));
    const Matrix<float> bias = values_as<float>(file.tensors.at(text("layers.", i, ".bias")));
    std::ranges::copy(weight.span(), mlp.parameters()[2 * i].span().begin());
    std::ranges::copy(bias.span(), mlp.parameters()[2 * i + 1].span().begin());
  }
  const auto data = tiny_data();
  const Matrix<double> f = naive_output<float>(mlp, data.train.inputs);
  double loss = 0, right = 0;
  for (Index i = 0; i < 30; ++i) {
    const auto label = data.train.labels[static_cast<std::size_t>(i)];
    loss += std::log(std::exp(f(i, 0)) + std::exp(f(i, 1))) - f(i, label);
    right += (f(i, 1) > f(i, 0)) == (label == 1);
  }
  CHECK_THAT(log.metrics.back().train_loss, WithinRel(loss / 30, 1e-5));
  CHECK_THAT(log.metrics.back().train_acc, WithinRel(right / 0.3, 1e-12));
}

TEST_CASE("a run that starts from a saved model begins where that one ended") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  RunConfig config = tiny_config();
  const RunLog first = tiny_run(config, 1, {.model_file = path});
  config.initial_model = path.string();
  config.seed = 77;  // nothing of the start is drawn
  const MetricRow start = tiny_run(config).metrics.front(), end = first.metrics.back();
  CHECK(start.train_loss == end.train_loss);
  CHECK(start.test_acc == end.test_acc);
  // Another precision rounds, and nothing more.
  config.precision = "float64";
  CHECK_THAT(grokking_run<double>(config, tiny_data<double>(), 1, {}).metrics.front().train_loss,
             WithinRel(end.train_loss, 1e-5));
}

TEST_CASE("a model that does not fit the run is refused by its file") {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  RunConfig config = tiny_config();
  tiny_run(config, 1, {.model_file = path});
  config.initial_model = path.string();
  const auto refusal = [&](auto RunConfig::*field, auto value) {
    RunConfig other = config;
    other.*field = value;
    return message_of([&] { tiny_run(other); });
  };
  for (const std::string& message : {refusal(&RunConfig::hidden, std::vector<Index>{16, 13}),
                                     refusal(&RunConfig::bias, false), refusal(&RunConfig::activation, "tanh")}) {
    CAPTURE(message);
    CHECK(message.starts_with(path.string() + ": "));
    CHECK_FALSE(contains(message, "\n"));
  }
  CHECK(contains(refusal(&RunConfig::initial_model, (folder / "none").string()), "none"));
}

TEST_CASE("a loss that is not finite ends the run, and the log says so with the epoch") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "log.json";
  // At once: the untrained outputs overflow.
  RunConfig config = tiny_config();
  config.hidden = {16, 16, 16, 16, 16, 16, 16, 16};
  config.init_scale = 1e6;
  RunLog log = tiny_run(config, 1, {.log_file = file});
  CHECK(log.status == RunStatus::failed);
  CHECK(log.metrics.empty());
  CHECK(log.failure.starts_with("epoch 0: the loss is "));
  CHECK(read_log(file) == log);

  // After some epochs: the steps diverge. Every row that was measured stays, and can be read back.
  config = tiny_config();
  config.optimizer = "sgd";
  config.loss = "mse";
  config.activation = "identity";
  config.learning_rate = 10;
  for (int threads : {1, 2}) {
    log = tiny_run(config, threads, {.log_file = file});
    CAPTURE(log.failure);
    CHECK(log.status == RunStatus::failed);
    CHECK_FALSE(log.grokked);
    REQUIRE_FALSE(log.metrics.empty());
    const Index last = log.metrics.back().epoch;
    const bool names_epoch =
        log.failure.starts_with(text("epoch ", last, ": ")) || log.failure.starts_with(text("epoch ", last + 1, ": "));
    CHECK(names_epoch);
    CHECK(contains(log.failure, "it must be finite"));
    CHECK(read_log(file) == log);
  }
}

TEST_CASE("settings that cannot be run are refused, and nothing is written") {
  const TemporaryFolder folder;
  const auto refusal = [&](auto RunConfig::*field, auto value) {
    RunConfig config = tiny_config("grokalign");
    config.*field = value;
    return message_of([&] { tiny_run(config, 1, {.log_file = folder / "log.json"}); });
  };
  CHECK(contains(refusal(&RunConfig::activation, "elu"), "activation: found 'elu'"));
  CHECK(contains(refusal(&RunConfig::loss, "hinge"), "loss: found 'hinge', expected one of"));
  CHECK(contains(refusal(&RunConfig::learning_rate, -1.0), "learning_rate: found -1"));
  CHECK(contains(refusal(&RunConfig::condition, "x"), "condition: found 'x'"));
  CHECK(contains(message_of([&] { tiny_run(tiny_config(), 0); }), "threads is 0"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a log or a model that cannot be written is an error of the run") {
  const TemporaryFolder folder;
  RunObserver observer;
  observer.log_file = folder / "missing" / "log.json";
  CHECK(contains(message_of<RunError>([&] { tiny_run(tiny_config(), 1, observer); }), "missing/log.json"));
}

TEST_CASE("shuffled batches see every sample once, in an order of the epoch's own") {
  // With batches of one sample and plain SGD, an epoch on data that are all alike does not depend on the
  // order, on others it does.
  RunConfig config = tiny_config();
  config.optimizer = "sgd";
  config.learning_rate = 0.1;
  config.batch_size = 1;
  config.epochs = 3;
  Split<double> data = tiny_data<double>();
  for (Index i = 0; i < 30; ++i) std::ranges::copy(data.train.inputs.row(0), data.train.inputs.row(i).begin());
  std::ranges::fill(data.train.labels, 1);
  config.seed = 1;
  const RunLog one = grokking_run<double>(config, data, 1, {});
  // Thirty steps on the one sample.
  Split<double> single = data;
  single.train = rows_at(data.train, std::vector<Index>{0});
  RunConfig steps = config;
  steps.epochs = 90;
  const RunLog other = grokking_run<double>(steps, single, 1, {});
  for (std::size_t epoch = 0; epoch <= 3; ++epoch)
    CHECK_THAT(one.metrics[epoch].test_loss, WithinRel(other.metrics[30 * epoch].test_loss, tolerance<double>(1)));
}

TEST_CASE(
    "a run is the protocol's loop written out: shuffle by epoch, steps counted through, means over an "
    "epoch") {
  RunConfig config = tiny_config("grokalign+orthograd+grokfast");
  config.batch_size = 7;
  config.epochs = 4;
  config.projections = 2;
  const RunLog log = tiny_run(config, 2);
  REQUIRE(log.metrics.size() == 5);

  const auto data = tiny_data();
  Mlp<float> mlp({.widths = {10, 16, 12, 2}, .seed = 3});
  AdamW<float> adamw({.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-25, .weight_decay = 0.1});
  GrokFast<float> fast({.alpha = 0.8, .lambda = 0.1});
  OrthoGrad<float> ortho;
  const GrokAlign<float> grokalign({.lambda = 0.1, .projections = 2});
  TrainStep<float> step(mlp, adamw, {.penalties = {&grokalign}, .filters = {&fast, &ortho}, .seed = 3});
  Evaluator<float> evaluate(mlp, Loss::cross_entropy, 1);
  std::uint32_t steps = 0;
  for (Index epoch = 0; epoch <= 4; ++epoch) {
    CAPTURE(epoch);
    const MetricRow& row = log.metrics[static_cast<std::size_t>(epoch)];
    CHECK(row.train_loss == evaluate({.inputs = data.train.inputs, .labels = data.train.labels}).loss);
    CHECK(row.test_loss == evaluate({.inputs = data.test.inputs, .labels = data.test.labels}).loss);
    const auto order = permutation(30, RandomIntegers(3, Stream::shuffle, static_cast<std::uint32_t>(epoch)));
    double norm = 0, offset = 0;
    for (std::size_t first = 0; first < 30; first += 7) {
      const auto samples = std::span(order).subspan(first, std::min<std::size_t>(7, 30 - first));
      const Dataset<float> batch = rows_at(data.train, samples);
      const StepResult found = step({.inputs = batch.inputs, .labels = batch.labels, .samples = samples}, steps++);
      norm += found.terms[0] / 5;
      offset += found.terms[1] / 5;
    }
    if (epoch == 4) break;
    const auto& extras = log.metrics[static_cast<std::size_t>(epoch + 1)].extras;
    REQUIRE(extras.size() == 2);
    CHECK_THAT(extras[0].second, WithinRel(norm, 1e-12));
    CHECK_THAT(extras[1].second, WithinRel(offset, 1e-12));
  }
}

TEST_CASE("modular addition runs in double, one-hot, with a last short batch") {
  const auto data = modular<double>({.modulus = 11, .seed = 2});
  REQUIRE(data.train.inputs.rows() == 36);
  RunConfig config{.task = "small", .condition = "grokalign", .hidden = {24}, .activation = "quadratic", .bias = false};
  config.epochs = 5;
  config.batch_size = 16;
  config.lambda = 0.01;
  const RunLog log = grokking_run<double>(config, data, 1, {});
  CHECK(log.status == RunStatus::finished);
  CHECK(without_timings(grokking_run<double>(config, data, 2, {})) == without_timings(log));
  CHECK(log.metrics.back().train_loss < log.metrics.front().train_loss);
}

// The xor task at a size for tests, trained as the paper does.
RunConfig xor_config(const std::string& condition, const std::string& coordinates) {
  RunConfig config = defaults_for(task("xor"), condition);
  config.hidden = {64};
  config.precision = "float64";
  config.features = 3000;
  config.train_samples = 60;
  config.test_samples = 40;
  config.epochs = 60;
  config.noise_criterion = 0;
  config.stop = "never";
  config.geometry_samples = 8;
  config.coordinates = coordinates;
  return config;
}

TEST_CASE("a run in coordinates of the span logs what the run in the inputs logs") {
  for (const char* condition :
       {"baseline", "grokfast", "orthograd", "grokalign", "hold_jacobian", "grokalign+grokfast"}) {
    CAPTURE(condition);
    const auto log_in = [&](const char* coordinates) {
      return task("xor").run(xor_config(condition, coordinates), 2, {});
    };
    const RunLog dense = without_timings(log_in("inputs")), span = without_timings(log_in("span"));
    REQUIRE(span.metrics.size() == 61);
    REQUIRE(span.status == RunStatus::finished);
    CHECK(span.grokked == dense.grokked);
    CHECK(std::abs(dense.metrics.back().train_loss - dense.metrics.front().train_loss) > 1e-4);
    for (std::size_t row = 0; row < dense.metrics.size(); ++row) {
      const nlohmann::ordered_json expected = row_json(dense.metrics[row]), found = row_json(span.metrics[row]);
      REQUIRE(found.size() == expected.size());
      for (const auto& [name, value] : expected.items()) {
        CAPTURE(row, name);
        // The network has no bias, so its offset is 0 up to rounding.
        CHECK_THAT(found.at(name).get<double>(),
                   WithinRel(value.get<double>(), 1e-9) || WithinAbs(value.get<double>(), 1e-20));
      }
    }
  }
}

TEST_CASE("a run in coordinates depends on no number of threads, goes on where it was, and writes the dense network") {
  const RunConfig config = xor_config("grokalign", "span");
  const TemporaryFolder folder;
  const RunLog whole = task("xor").run(config, 1, {.model_file = folder / "whole"});
  CHECK(without_timings(task("xor").run(config, 2, {.model_file = folder / "threads"})) == without_timings(whole));
  RunObserver observer{.checkpoint_file = folder / "checkpoint", .model_file = folder / "pieces"};
  bool stops = true;
  Index asked = 0;
  observer.stop = [&] { return stops && ++asked > 20; };
  CHECK(task("xor").run(config, 1, observer).status == RunStatus::running);
  stops = false;
  CHECK(without_timings(task("xor").run(config, 1, observer)).metrics == without_timings(whole).metrics);
  for (const char* other : {"threads", "pieces"}) CHECK(read_file(folder / other) == read_file(folder / "whole"));

  RunConfig in_inputs = config;
  in_inputs.coordinates = "inputs";
  task("xor").run(in_inputs, 1, {.model_file = folder / "dense"});
  const auto of_file = [&](const char* name) { return mlp_from<double>(read_safetensors(folder / name)); };
  const Mlp<double> found = of_file("whole"), expected = of_file("dense");
  CHECK(found.options().widths == expected.options().widths);
  for (std::size_t i = 0; i < 2; ++i) CHECK(relative_error(found.parameters()[i], expected.parameters()[i]) < 1e-12);
}

}  // namespace
}  // namespace normalign::tests

// normalign-bench: what a training step costs against the time of its own matrix products, and what the issue tracker
// promises besides: threads, memory, alignment, epochs to grok. `--filter` picks groups, `--json` prints rows as JSON.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <thread>

#include "data/modular.hpp"
#include "data/sparse_parity.hpp"
#include "data/xor_cluster.hpp"
#include "experiments/statistics.hpp"
#include "experiments/task.hpp"
#include "geometry/decision_boundary.hpp"
#include "geometry/local_geometry.hpp"
#include "linalg/random.hpp"
#include "measure.hpp"
#include "nn/adamw.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"

namespace normalign::bench {
namespace {

// ---- rows -----------------------------------------------------------------------------------------------------------

/// One line of the report.
struct Row {
  std::string name;
  double value = 0;
  std::string unit;
  double bound = 0;         ///< what the value must reach
  bool at_most = true;      ///< or at least
  std::string explanation;  ///< ms, floor, what bounds it
};

class Report {
 public:
  explicit Report(bool json) : json_(json) {}
  void add(const Row& row) {
    rows_.push_back(row);
    if (json_) return;
    const bool met = row.at_most ? row.value <= row.bound : row.value >= row.bound;
    std::cout << std::left << std::setw(38) << row.name << std::right << std::fixed << std::setprecision(3)
              << std::setw(9) << row.value << ' ' << std::left << std::setw(8) << row.unit
              << (row.at_most ? "at most  " : "at least ") << std::setw(7) << std::setprecision(2) << row.bound
              << (met ? "met     " : "NOT MET ") << row.explanation << std::endl;
  }
  ~Report() {
    if (!json_) return;
    auto list = nlohmann::ordered_json::array();
    for (const Row& r : rows_)
      list.push_back({{"name", r.name},
                      {"value", r.value},
                      {"unit", r.unit},
                      {r.at_most ? "at_most" : "at_least", r.bound},
                      {"explanation", r.explanation}});
    std::cout << list.dump(2) << '\n';
  }

 private:
  bool json_;
  std::vector<Row> rows_;
};

std::string milliseconds(double seconds) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(3) << 1e3 * seconds << " ms";
  return out.str();
}

// ---- settings -------------------------------------------------------------------------------------------------------

// How a setting trains.
template <class T>
struct Training {
  MlpOptions network;
  std::function<std::unique_ptr<Optimizer<T>>()> optimizer;
  Loss loss = Loss::cross_entropy;
};

// Targets for the losses that take values, of the shape of the network's outputs: they do not change what a step costs.
template <class T>
Matrix<T> targets(const Training<T>& training, const Dataset<T>& data) {
  if (training.loss == Loss::cross_entropy) return {};
  Matrix<T> result(data.inputs.rows(), training.network.widths.back());
  for (Index i = 0; i < result.rows(); ++i)
    result(i, data.labels[static_cast<std::size_t>(i)] % result.cols()) =
        data.labels[static_cast<std::size_t>(i)] ? 1 : -1;
  return result;
}

// A network with an optimizer and one batch of its task, ready to step.
template <class T>
struct Stepper {
  Stepper(const Training<T>& training, const Dataset<T>& data, double lambda, int threads)
      : mlp(training.network),
        optimizer(training.optimizer()),
        batch(data),
        values(targets(training, data)),
        samples(data.labels.size()),
        step(mlp, *optimizer, {}, {.loss = training.loss, .grokalign = {.lambda = lambda}, .threads = threads}) {
    std::iota(samples.begin(), samples.end(), Index{0});
  }
  void operator()() {
    step({.inputs = batch.inputs, .labels = batch.labels, .targets = values, .samples = samples}, count++);
  }

  Mlp<T> mlp;
  std::unique_ptr<Optimizer<T>> optimizer;
  const Dataset<T>& batch;
  Matrix<T> values;
  std::vector<Index> samples;
  TrainStep<T> step;
  std::uint32_t count = 0;
};

template <class T>
struct Setting {
  std::string name;
  Training<T> training;
  Dataset<T> batch;
  double lambda;
  StepProducts grokalign_products;
  double plain_bound, grokalign_bound;
  int rounds = 25, repeats = 10;

  std::shared_ptr<Stepper<T>> stepper(double with_lambda, int threads) const {
    return std::make_shared<Stepper<T>>(training, batch, with_lambda, threads);
  }
};

template <class T>
auto adamw(double learning_rate, double weight_decay) {
  return [=] {
    return std::make_unique<AdamW<T>>(
        AdamWOptions{.learning_rate = learning_rate, .beta2 = 0.99, .epsilon = 1e-25, .weight_decay = weight_decay});
  };
}

Setting<float> sparse_parity_setting() {
  return {.name = "sparse_parity",
          .training = {.network = {.widths = {43, 200, 200, 2}}, .optimizer = adamw<float>(1e-2, 0.1)},
          .batch = sparse_parity<float>().train,
          .lambda = 0.1,
          .grokalign_products = {.projection = true, .offset_pattern = true},
          .plain_bound = 1.15,
          .grokalign_bound = 1.3};
}

Setting<double> mod_add_setting() {
  const Dataset<double> all = modular<double>().train;
  std::vector<Index> first(32);
  std::iota(first.begin(), first.end(), Index{0});
  return {.name = "mod_add",
          .training = {.network = {.widths = {122, 256, 61}, .activation = Activation::quadratic, .bias = false},
                       .optimizer = adamw<double>(1e-3, 1)},
          .batch = rows_at(all, std::span<const Index>(first)),
          .lambda = 0.01,
          .grokalign_products = {.projection = true, .offset_pushforward = true},
          .plain_bound = 1.4,
          .grokalign_bound = 1.8,
          .repeats = 100};
}

// Random images of MNIST's size: what is timed does not depend on the pixels, so the bench needs no MNIST.
Dataset<double> digits(Index n) {
  Dataset<double> result{Matrix<double>(n, 784), std::vector<std::int32_t>(static_cast<std::size_t>(n)), 10};
  for (Index i = 0; i < n; ++i) {
    RandomRows(0, Stream::data).normal(static_cast<std::uint32_t>(i), result.inputs.row(i));
    result.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 10);
  }
  return result;
}

Setting<double> mnist_setting() {
  return {.name = "mnist_ce",
          .training = {.network = {.widths = {784, 200, 200, 200, 10}, .init_scale = 8},
                       .optimizer = adamw<double>(1e-3, 0.01)},
          .batch = digits(196),
          .lambda = 0.01,
          .grokalign_products = {.projection = true, .offset_pattern = true},
          .plain_bound = 1.15,
          .grokalign_bound = 1.25};
}

Setting<float> xor_setting() {
  return {.name = "xor",
          .training = {.network = {.widths = {40000, 2048, 1}, .bias = false},
                       .optimizer =
                           [] {
                             return std::make_unique<Sgd<float>>(
                                 SgdOptions{.learning_rate = 0.1, .momentum = 0.2, .weight_decay = 0.1});
                           },
                       .loss = Loss::mse},
          .batch = xor_cluster<float>({.features = 40000, .train_samples = 400, .test_samples = 1}).train,
          .lambda = 1,
          .grokalign_products = {.projection = true},
          .plain_bound = 1.15,
          .grokalign_bound = 1.25,
          .rounds = 5,
          .repeats = 1};
}

// ---- groups ---------------------------------------------------------------------------------------------------------

// A step on one thread against the sum of its products' medians and one update pass, all interleaved in one run.
template <class T>
void steps_over_floor(const Setting<T>& setting, Report& report) {
  const Index n = setting.batch.inputs.rows();
  for (const bool grokalign : {false, true}) {
    const auto products =
        step_products(n, setting.training.network.widths, grokalign ? setting.grokalign_products : StepProducts{});
    const auto step = setting.stepper(grokalign ? setting.lambda : 0, 1);
    // The update alone, on a network of its own.
    const auto update = setting.stepper(0, 1);
    std::vector<Matrix<T>> gradients;
    for (const auto& p : update->mlp.parameters()) {
      gradients.emplace_back(p.rows(), p.cols());
      std::ranges::fill(gradients.back().span(), T(1e-3));
    }
    std::vector<Candidate> candidates = {[step] { (*step)(); },
                                         [update, &gradients] {
                                           update->optimizer->begin_step();
                                           const auto parameters = update->mlp.parameters();
                                           for (std::size_t p = 0; p < parameters.size(); ++p)
                                             update->optimizer->update(p, 0, parameters[p].span(), gradients[p].span());
                                         }};
    double flops = 0;
    for (const Product& product : products) {
      candidates.push_back(product_candidate<T>(product));
      flops += product.flops();
    }
    const auto times = medians(candidates, setting.rounds, setting.repeats);
    const double floor = std::accumulate(times.begin() + 1, times.end(), 0.0);
    std::ostringstream text;
    text << milliseconds(times[0]) << " over a floor of " << milliseconds(floor) << ": " << products.size()
         << " products, " << std::fixed << std::setprecision(1) << flops / 1e6 << " MFlop, and the update ("
         << milliseconds(times[1]) << ")";
    report.add({.name = setting.name + (grokalign ? " grokalign" : " baseline") + ", 1 thread",
                .value = times[0] / floor,
                .unit = "x floor",
                .bound = grokalign ? setting.grokalign_bound : setting.plain_bound,
                .at_most = true,
                .explanation = text.str()});
  }
}

// Two threads on one step against two one-thread steps side by side.
void two_threads(Report& report) {
  const auto setting = sparse_parity_setting();
  for (const bool grokalign : {false, true}) {
    const double lambda = grokalign ? setting.lambda : 0;
    const auto alone = setting.stepper(lambda, 1), both = setting.stepper(lambda, 2);
    const auto left = setting.stepper(lambda, 1), right = setting.stepper(lambda, 1);
    constexpr int steps = 10;
    const auto repeated = [](Stepper<float>& s) {
      for (int i = 0; i < steps; ++i) s();
    };
    const auto times = medians({[&] { repeated(*alone); }, [&] { repeated(*both); },
                                [&] {
                                  std::thread other([&] { repeated(*right); });
                                  repeated(*left);
                                  other.join();
                                }},
                               15, 3);
    const double speed_up = times[0] / times[1], side_by_side = 2 * times[0] / times[2];
    std::ostringstream text;
    text << "two threads " << std::fixed << std::setprecision(2) << speed_up << " x, two steps side by side "
         << side_by_side << " x; " << milliseconds(times[1] / steps) << " a step";
    report.add({.name = std::string("sparse_parity ") + (grokalign ? "grokalign" : "baseline") + ", 2 threads",
                .value = speed_up / side_by_side,
                .unit = "",
                .bound = 0.93,
                .at_most = false,
                .explanation = text.str()});
  }
}

// Resident memory over 100,000 GrokAlign steps of a small network.
void flat_memory(Report& report) {
  const auto all = sparse_parity<float>({.bits = 10, .samples = 40}).train;
  Stepper<float> step({.network = {.widths = {10, 16, 16, 2}}, .optimizer = adamw<float>(1e-3, 0)}, all, 0.1, 1);
  for (int i = 0; i < 1000; ++i) step();
  const Index before = resident_bytes();
  for (int i = 0; i < 100'000; ++i) step();
  const double grown = static_cast<double>(resident_bytes() - before) / (1024 * 1024);
  report.add({.name = "memory over 100000 grokalign steps",
              .value = grown,
              .unit = "MiB",
              .bound = 1,
              .at_most = true,
              .explanation = "growth of resident memory after the first 1000 steps"});
}

// Memory of full-size GrokAlign steps on XOR, whose first weight has 82 million values. Run by itself, or memory of
// other groups that was not given back counts too.
void wide_memory(Report& report) {
  const auto setting = xor_setting();
  const auto step = setting.stepper(setting.lambda, 1);
  for (int i = 0; i < 3; ++i) (*step)();
  report.add({.name = "memory of xor grokalign steps",
              .value = static_cast<double>(resident_bytes()) / (1 << 30),
              .unit = "GiB",
              .bound = 6,
              .at_most = true,
              .explanation = "resident memory of the process after three steps"});
}

// The alignment of 1024 images with an MNIST network. Its floor: the products of one forward pass and of k backward
// ones to the input, each alone on all rows.
void alignment(Report& report) {
  const Dataset<double> data = digits(1024);
  const Batch<double> batch{.inputs = data.inputs, .labels = data.labels};
  const std::vector<Index> widths{784, 200, 200, 200, 10};
  const Mlp<double> mlp({.widths = widths, .init_scale = 8});
  std::vector<Candidate> candidates;
  for (int threads : {1, 2}) candidates.push_back([&, threads] { mean_local_geometry(mlp, batch, threads); });
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    candidates.push_back(product_candidate<double>({1024, widths[l + 1], widths[l], false, true}));
    candidates.push_back(product_candidate<double>({1024, widths[l], widths[l + 1], false, false}));
  }
  const auto times = medians(candidates, 9, 1);
  double floor = 0;
  for (std::size_t p = 2; p < times.size(); p += 2) floor += times[p] + 10 * times[p + 1];
  for (int threads : {1, 2})
    report.add(
        {.name = text("alignment of 1024 images, ", threads, threads == 1 ? " thread" : " threads"),
         .value = times[static_cast<std::size_t>(threads) - 1],
         .unit = "s",
         .bound = threads == 1 ? 1 : 0.5,
         .at_most = true,
         .explanation = text("784-200-200-200-10, double; its products alone on one thread ", milliseconds(floor))});
}

// The regions of random networks in [-1, 1]^2 with their neighbours, maps and decision boundary. The 28354 regions of a
// network of four layers of 128 took SplineCam 452 s on two cores and edge subdivision (Berzins, 2023) 7.1 s on one.
void slices(Report& report) {
  struct Form {
    Index units;
    Index layers;
    double bound;  // regions per second and core; 28354 in 0.35 s
  };
  for (const auto& [units, layers, bound] :
       {Form{16, 3, 8.1e4}, Form{32, 3, 8.1e4}, Form{64, 4, 8.1e4}, Form{128, 4, 8.1e4}, Form{256, 4, 0}}) {
    std::vector<Index> widths{2};
    widths.insert(widths.end(), static_cast<std::size_t>(layers), units);
    widths.push_back(1);
    const PiecewiseAffineNetwork network = piecewise_affine(Mlp<double>({.widths = widths}));
    Index regions = 0;
    std::vector<Candidate> candidates;
    for (const int threads : {1, 2})
      candidates.push_back([&, threads] {
        const Slice found = slice(network, input_plane(), {.threads = threads});
        class_boundary(found);
        regions = found.regions();
      });
    const auto times = medians(candidates, units < 200 ? 9 : 3, 1);
    report.add({.name = text("regions of 2-", units, "x", layers, "-1 per second"),
                .value = static_cast<double>(regions) / times[0],
                .unit = "",
                .bound = bound,
                .at_most = false,
                .explanation = text(regions, " regions in ", milliseconds(times[0]), " on one thread, ",
                                    milliseconds(times[1]), " on two")});
  }
}

// Sparse parity with and without GrokAlign, seeds 0 to 2, two one-thread runs side by side.
void grokking(Report& report) {
  struct Run {
    std::string condition;
    std::int64_t seed;
    RunLog log;
  };
  std::vector<Run> runs;
  for (const std::string condition : {"baseline", "grokalign"})
    for (std::int64_t seed : {0, 1, 2}) runs.push_back({condition, seed, {}});
  std::atomic<std::size_t> next = 0;
  const auto worker = [&] {
    for (std::size_t i = next++; i < runs.size(); i = next++) {
      RunConfig config = task("sparse_parity").defaults;
      config.task = "sparse_parity";
      config.condition = runs[i].condition;
      config.seed = runs[i].seed;
      runs[i].log = task("sparse_parity").run(config, 1, {});
    }
  };
  std::thread other(worker);
  worker();
  other.join();
  const auto sample = [&](const std::string& condition, bool seconds) {
    std::vector<double> values;
    for (const Run& run : runs)
      if (run.condition == condition && run.log.grokked)
        values.push_back(seconds ? run.log.metrics.back().opt_time : static_cast<double>(*run.log.grokking_epoch));
    return values;
  };
  for (const bool seconds : {false, true}) {
    const auto baseline = sample("baseline", seconds), grokalign = sample("grokalign", seconds);
    if (baseline.size() < 3 || grokalign.size() < 3) {
      std::cerr << "grokking: a run did not grok\n";
      return;
    }
    std::ostringstream text;
    text << "medians of seeds 0, 1, 2: " << *median(baseline) << " and " << *median(grokalign)
         << (seconds ? " s of optimisation" : " epochs") << "; ratio of means " << *mean(baseline) / *mean(grokalign);
    report.add({.name = std::string("sparse_parity: grokalign sooner, ") + (seconds ? "time" : "epochs"),
                .value = *median(baseline) / *median(grokalign),
                .unit = "x",
                .bound = seconds ? 5.0 : 8.0,
                .at_most = false,
                .explanation = text.str()});
  }
}

int main(int argc, char** argv) {
  CLI::App app(
      "normalign-bench: training steps against their floor, threads, memory, alignment, slices, epochs to grok");
  std::string filter;
  bool json = false;
  app.add_option(
      "--filter", filter,
      "Only the groups whose name holds this: steps, wide (xor), threads, memory, alignment, slices, grokking");
  app.add_flag("--json", json, "Print the rows as JSON");
  CLI11_PARSE(app, argc, argv);
  const auto wanted = [&](const std::string& group) { return group.find(filter) != std::string::npos; };
  if (!json) std::cout << environment(1).dump() << std::endl;
  Report report(json);
  if (wanted("steps")) {
    steps_over_floor(sparse_parity_setting(), report);
    steps_over_floor(mod_add_setting(), report);
    steps_over_floor(mnist_setting(), report);
  }
  if (wanted("wide")) {
    wide_memory(report);
    steps_over_floor(xor_setting(), report);
  }
  if (wanted("threads")) two_threads(report);
  if (wanted("memory")) flat_memory(report);
  if (wanted("alignment")) alignment(report);
  if (wanted("slices")) slices(report);
  if (wanted("grokking")) grokking(report);
  return 0;
}

}  // namespace
}  // namespace normalign::bench

int main(int argc, char** argv) { return normalign::bench::main(argc, argv); }

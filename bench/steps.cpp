// What a training step costs against the time of its own matrix products, on two threads, and in memory.
#include <algorithm>
#include <iomanip>
#include <memory>
#include <numeric>
#include <sstream>
#include <thread>

#include "data/modular.hpp"
#include "data/sparse_parity.hpp"
#include "data/xor_cluster.hpp"
#include "groups.hpp"
#include "measure.hpp"
#include "nn/adamw.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"

namespace normalign::bench {
namespace {

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

Setting<double> mnist_setting() {
  return {.name = "mnist_ce",
          .training = {.network = {.widths = {784, 200, 200, 200, 10}, .init_scale = 8},
                       .optimizer = adamw<double>(1e-3, 0.01)},
          .batch = random_digits(196),
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

}  // namespace

void steps(Report& report, const BenchOptions&) {
  steps_over_floor(sparse_parity_setting(), report);
  steps_over_floor(mod_add_setting(), report);
  steps_over_floor(mnist_setting(), report);
}

// Two threads on one step against two one-thread steps side by side.
void threads(Report& report, const BenchOptions&) {
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
void memory(Report& report, const BenchOptions&) {
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
void wide(Report& report, const BenchOptions&) {
  const auto setting = xor_setting();
  const auto step = setting.stepper(setting.lambda, 1);
  for (int i = 0; i < 3; ++i) (*step)();
  report.add({.name = "memory of xor grokalign steps",
              .value = static_cast<double>(resident_bytes()) / (1 << 30),
              .unit = "GiB",
              .bound = 6,
              .at_most = true,
              .explanation = "resident memory of the process after three steps"});
  steps_over_floor(setting, report);
}

}  // namespace normalign::bench

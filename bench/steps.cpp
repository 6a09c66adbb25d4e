// What a training step costs against the time of its own matrix products, on two threads, in memory, and as networks
// and batches grow.
#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <memory>
#include <numeric>
#include <sstream>
#include <thread>

#include "data/sparse_parity.hpp"
#include "experiments/figures/table.hpp"
#include "groups.hpp"
#include "linalg/random.hpp"
#include "nn/sample_share.hpp"
#include "settings.hpp"

namespace normalign::bench {
namespace {

const char* condition(bool grokalign) { return grokalign ? "grokalign" : "baseline"; }

std::string fixed(double value, int digits) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(digits) << value;
  return out.str();
}

struct StepTime {
  double step = 0, floor = 0;  // seconds
  std::string what;
};

// A step on one thread, and the sum of its products' medians and one update pass, all interleaved in one run: each
// repeated, so that its operands are in the nearest cache, and for comparison each once in turn.
template <class T>
StepTime step_time(const Training<T>& training, const Dataset<T>& batch, const GrokAlignOptions& grokalign,
                   const StepProducts& with, int rounds, int repeats) {
  const auto products = step_products(batch.inputs.rows(), training.network.widths, with);
  Stepper<T> step(training, batch, grokalign, 1);
  // The update alone, on a network of its own.
  Stepper<T> update(training, batch, {.lambda = 0}, 1);
  std::vector<Matrix<T>> gradients;
  for (const auto& p : update.mlp.parameters()) {
    gradients.emplace_back(p.rows(), p.cols());
    std::ranges::fill(gradients.back().span(), T(1e-3));
  }
  std::vector<Candidate> candidates = {[&] { step(); },
                                       [&] {
                                         update.optimizer->begin_step();
                                         const auto parameters = update.mlp.parameters();
                                         for (std::size_t p = 0; p < parameters.size(); ++p)
                                           update.optimizer->update(p, 0, parameters[p].span(), gradients[p].span());
                                       }};
  double flops = 0;
  for (const Product& product : products) {
    candidates.push_back(product_candidate<T>(product));
    flops += product.flops();
  }
  const auto sum = [](const std::vector<double>& t) { return std::accumulate(t.begin() + 1, t.end(), 0.0); };
  const auto times = medians(candidates, rounds, repeats), in_turn = medians(candidates, rounds * repeats, 1);
  const double floor = sum(times);
  return {times[0], floor,
          text(milliseconds(times[0]), " over a floor of ", milliseconds(floor), ": ", products.size(), " products, ",
               fixed(flops / 1e6, 1), " MFlop, and the update (", milliseconds(times[1]), "); each once in turn ",
               milliseconds(sum(in_turn)), ", a step then ", fixed(in_turn[0] / sum(in_turn), 2), " of it")};
}

// A step with GrokAlign on a tenth of the samples, in turn with one without it. Its floor has the penalty's products on
// the drawn rows or, where whole batches are drawn, a tenth of those on all. `whole` are the steps without and with the
// whole penalty.
template <class T>
void step_on_a_tenth(const Setting<T>& setting, const StepTime (&whole)[2], Report& report) {
  constexpr double share = 0.1;
  SampleShare drawn;
  draw_share(share, setting.batch.inputs.rows(), 0, 0, drawn);
  double floor = whole[0].floor + share * (whole[1].floor - whole[0].floor);
  if (!drawn.is_whole) {
    StepProducts products = setting.grokalign_products;
    products.penalised_rows = drawn.count;
    const StepTime found = step_time(setting.training, setting.batch, {.lambda = setting.lambda, .share = share},
                                     products, setting.rounds, setting.repeats);
    floor = found.floor;
    report.add({.name = setting.name + " grokalign on a tenth, 1 thread",
                .value = found.step / found.floor,
                .unit = "x floor",
                .explanation = found.what});
  }
  const int steps = drawn.is_whole ? 200 : 1;  // so many that about a tenth of them have the penalty
  const auto plain = setting.stepper(false, 1), tenth = setting.stepper(true, 1, share);
  const auto repeated = [steps](Stepper<T>& step) {
    for (int i = 0; i < steps; ++i) step();
  };
  const auto times = medians({[&] { repeated(*plain); }, [&] { repeated(*tenth); }}, setting.rounds,
                             drawn.is_whole ? 1 : setting.repeats);
  report.add({.name = setting.name + ": grokalign on a tenth over baseline",
              .value = times[1] / times[0],
              .unit = "steps",
              .explanation = text("floors: ", fixed(floor / whole[0].floor, 2))});
}

template <class T>
void steps_over_floor(const Setting<T>& setting, Report& report) {
  StepTime found[2];
  for (const bool grokalign : {false, true}) {
    found[grokalign] =
        step_time(setting.training, setting.batch, {.lambda = grokalign ? setting.lambda : 0},
                  grokalign ? setting.grokalign_products : StepProducts{}, setting.rounds, setting.repeats);
    report.add({.name = text(setting.name, ' ', condition(grokalign), ", 1 thread"),
                .value = found[grokalign].step / found[grokalign].floor,
                .unit = "x floor",
                .bound = grokalign ? setting.grokalign_bound : setting.plain_bound,
                .explanation = found[grokalign].what});
  }
  report.add({.name = setting.name + ": grokalign over baseline",
              .value = found[1].step / found[0].step,
              .unit = "steps",
              .bound = setting.training.network.activation == Activation::relu ? std::optional(3.3) : std::nullopt,
              .explanation = text("floors: ", fixed(found[1].floor / found[0].floor, 2))});
  step_on_a_tenth(setting, found, report);
}

constexpr int steps_of_first_trial = 20;  // of ThreadChoice

// Two threads on one step against two one-thread steps side by side.
template <class T>
void on_two_threads(const Setting<T>& setting, int steps, int rounds, Report& report) {
  for (const bool grokalign : {false, true}) {
    const auto alone = setting.stepper(grokalign, 1), both = setting.stepper(grokalign, 2);
    const auto left = setting.stepper(grokalign, 1), right = setting.stepper(grokalign, 1);
    const auto repeated = [steps](Stepper<T>& s) {
      for (int i = 0; i < steps; ++i) s();
    };
    // The first steps on two threads are those in which one is tried.
    for (int i = 0; i < steps_of_first_trial; ++i) (*both)();
    const auto times = medians({[&] { repeated(*alone); }, [&] { repeated(*both); },
                                [&] {
                                  std::thread other([&] { repeated(*right); });
                                  repeated(*left);
                                  other.join();
                                }},
                               rounds, 1);
    const double speed_up = times[0] / times[1], side_by_side = 2 * times[0] / times[2];
    report.add({.name = text(setting.name, ' ', condition(grokalign), ", 2 threads"),
                .value = speed_up / side_by_side,
                .unit = "",
                .bound = 0.93,
                .at_most = false,
                .explanation = text("two threads ", fixed(speed_up, 2), " x, two steps side by side ",
                                    fixed(side_by_side, 2), " x; ", milliseconds(times[1] / steps), " a step")});
  }
}

// The most that a GrokAlign step holds, over what it must keep: parameters, the optimizer's state, the batch, one
// gradient, and the values that some rule reads.
template <class T>
void memory_of_step(const Setting<T>& setting, Report& report) {
  const auto step = setting.stepper(true, 1);
  for (int i = 0; i < 2; ++i) (*step)();
  const auto bytes = [](Index values) { return static_cast<double>(values) * sizeof(T); };
  const double parameters = bytes(step->mlp.parameter_count());
  double kept = parameters + bytes(setting.batch.inputs.size());
  for (const MatrixView<T>& state : step->optimizer->state()) kept += bytes(state.size());
  const double most = kept + static_cast<double>(step->step.tape_bytes());
  const double recorded = static_cast<double>(step->step.recorded_bytes());
  const double must = kept + parameters + recorded;
  constexpr double mebibyte = 1 << 20;
  report.add({.name = setting.name + " grokalign: memory",
              .value = most / must,
              .unit = "x kept",
              .bound = 2.5,
              .explanation = text(fixed(most / mebibyte, 1), " MiB at most, ", fixed(must / mebibyte, 1),
                                  " MiB to be kept, ", fixed(recorded / mebibyte, 1), " MiB of it values for rules")});
}

template <class T>
void serve_steps(const Setting<T>& setting, const ServeOptions& options) {
  const double floor =
      step_time(setting.training, setting.batch, {.lambda = options.grokalign ? setting.lambda : 0},
                options.grokalign ? setting.grokalign_products : StepProducts{}, std::min(setting.rounds, 9), 1)
          .floor;
  std::cout << floor / options.threads << std::endl;
  const auto step = setting.stepper(options.grokalign, options.threads);
  for (int count = 0; std::cin >> count;) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) (*step)();
    std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / count << std::endl;
  }
}

}  // namespace

void serve(const ServeOptions& options) {
  if (options.setting == "sparse_parity") return serve_steps(sparse_parity_setting(), options);
  if (options.setting == "mod_add") return serve_steps(mod_add_setting(), options);
  if (options.setting == "mnist_ce") return serve_steps(mnist_setting(), options);
  if (options.setting == "mnist_se") return serve_steps(mnist_setting(Loss::mse), options);
  if (options.setting == "xor") return serve_steps(xor_setting(), options);
  throw InputError(
      text("--serve: found '", options.setting, "', expected sparse_parity, mod_add, mnist_ce, mnist_se or xor"));
}

void steps(Report& report, const BenchOptions&) {
  steps_over_floor(sparse_parity_setting(), report);
  steps_over_floor(mod_add_setting(), report);
  steps_over_floor(mnist_setting(), report);
  steps_over_floor(mnist_setting(Loss::mse), report);
}

void threads(Report& report, const BenchOptions&) {
  on_two_threads(sparse_parity_setting(), 10, 45, report);
  on_two_threads(mnist_setting(), 10, 25, report);
  on_two_threads(large_setting(), 2, 9, report);
}

// Resident memory over 100,000 GrokAlign steps of a small network, and the highest point of a step.
void memory(Report& report, const BenchOptions&) {
  const auto all = sparse_parity<float>({.bits = 10, .samples = 40}).train;
  Stepper<float> step({.network = {.widths = {10, 16, 16, 2}}, .optimizer = adamw<float>(1e-3, 0)}, all,
                      {.lambda = 0.1}, 1);
  for (int i = 0; i < 1000; ++i) step();
  const Index before = resident_bytes();
  for (int i = 0; i < 100'000; ++i) step();
  const double grown = static_cast<double>(resident_bytes() - before) / (1024 * 1024);
  report.add({.name = "memory over 100000 grokalign steps",
              .value = grown,
              .unit = "MiB",
              .bound = 1,
              .explanation = "growth of resident memory after the first 1000 steps"});
  memory_of_step(sparse_parity_setting(), report);
  memory_of_step(mod_add_setting(), report);
  memory_of_step(mnist_setting(), report);
}

// XOR at its full size: its first weight has 82 million values. Run by itself, or memory of other groups that was not
// given back counts too.
void wide(Report& report, const BenchOptions&) {
  const auto setting = xor_setting();
  {
    const auto step = setting.stepper(true, 1);
    for (int i = 0; i < 3; ++i) (*step)();
    report.add({.name = "memory of xor grokalign steps",
                .value = static_cast<double>(resident_bytes()) / (1 << 30),
                .unit = "GiB",
                .bound = 6,
                .explanation = "resident memory of the process after three steps"});
  }
  memory_of_step(setting, report);
  steps_over_floor(setting, report);
  on_two_threads(setting, 1, 3, report);
}

// How a step grows from 128-256-256-10 (ReLU, float) on 500 rows, in one extent at a time; and the exact norm, with one
// backward pass for each output, beside one projection.
void scaling(Report& report, const BenchOptions&) {
  struct Form {
    std::string name;
    std::vector<Index> hidden;
    Index rows = 500, outputs = 10;
    GrokAlignOptions grokalign = {.lambda = 0};
  };
  const auto layers = [](std::size_t count, Index width) { return std::vector<Index>(count, width); };
  std::vector<Form> forms;
  for (const Index width : {64, 128, 256, 512, 1024}) forms.push_back({text("width ", width), layers(2, width)});
  for (const std::size_t depth : {1, 2, 4, 8}) forms.push_back({text("depth ", depth), layers(depth, 256)});
  for (const Index rows : {32, 125, 500, 2000}) forms.push_back({text("batch ", rows), layers(2, 256), rows});
  for (const Index outputs : {1, 10, 100})
    for (const JacobianNorm norm : {JacobianNorm::projection, JacobianNorm::exact})
      forms.push_back({text(outputs, " outputs, ", norm == JacobianNorm::exact ? "exact norm" : "one projection"),
                       layers(2, 256),
                       500,
                       outputs,
                       {.lambda = 0.1, .norm = norm}});
  for (const int projections : {2, 4, 8})
    forms.push_back({text("100 outputs, ", projections, " projections"),
                     layers(2, 256),
                     500,
                     100,
                     {.lambda = 0.1, .projections = projections}});
  for (const Form& form : forms) {
    Dataset<float> data{Matrix<float>(form.rows, 128), std::vector<std::int32_t>(static_cast<std::size_t>(form.rows)),
                        form.outputs};
    for (Index i = 0; i < form.rows; ++i) {
      RandomRows(0, Stream::data).normal(static_cast<std::uint32_t>(i), data.inputs.row(i));
      data.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % form.outputs);
    }
    Training<float> training{.network = {.widths = {128}}, .optimizer = adamw<float>(1e-3, 0)};
    training.network.widths.insert(training.network.widths.end(), form.hidden.begin(), form.hidden.end());
    training.network.widths.push_back(form.outputs);
    const bool grokalign = form.grokalign.lambda > 0;
    const Index projections = grokalign ? direction_count(form.grokalign, form.outputs) : 0;
    const StepTime found =
        step_time(training, data, form.grokalign, {.projections = projections, .offset_pattern = grokalign}, 9, 3);
    report.add({.name = text("128-256-256-10 with ", form.name, grokalign ? ", grokalign" : ""),
                .value = found.step / found.floor,
                .unit = "x floor",
                .explanation = found.what});
  }
}

}  // namespace normalign::bench

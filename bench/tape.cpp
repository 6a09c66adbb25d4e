// What the tape itself costs: time for each node, calls of malloc, and how near elementwise passes and reductions come
// to the bandwidth of a copy.
#include <chrono>
#include <cstring>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "experiments/figures/table.hpp"
#include "groups.hpp"
#include "settings.hpp"
#include "support/malloc_counter.hpp"

namespace normalign::bench {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A chain of 1x1 nodes recorded, swept back and cleared.
void chain(Tape<double>& tape, Index nodes) {
  const Var<double> x = tape.variable(Matrix<double>{{0.5}});
  Var<double> y = x;
  for (Index i = 0; i < nodes; ++i) y = 1.0000001 * std::move(y);
  grad(y, x);
  y = {};
  tape.clear();
}

template <class T>
void mallocs_of_step(const Setting<T>& setting, Report& report) {
  for (const int threads : {1, 2}) {
    const auto step = setting.stepper(true, threads);
    for (int i = 0; i < 5; ++i) (*step)();
    const long long before = tests::malloc_calls();
    for (int i = 0; i < 20; ++i) (*step)();
    const double calls = static_cast<double>(tests::malloc_calls() - before);
    report.add({.name = text(setting.name, " grokalign, ", threads, " threads: mallocs"),
                .value = calls / 20,
                .unit = "a step",
                .bound = 0,
                .explanation = "after five steps"});
  }
}

// Values that an operation reads and writes a second, over those that a copy does, on one thread.
void bandwidths(Index rows, Index cols, Report& report) {
  const ThreadLimit limit(1);
  const Index values = rows * cols;
  Matrix<float> source(rows, cols), target(rows, cols);
  for (Index i = 0; i < values; ++i) source.data()[i] = static_cast<float>(i % 7 - 3) / 2;
  Tape<float> tape;
  const Var<float> x = tape.borrowed_constant(source), row = tape.constant(Matrix<float>(1, cols));
  struct Operation {
    const char* name;
    std::function<Var<float>()> call;
    double streams;  // of `values` values each, read or written
  };
  const std::vector<Operation> operations = {
      {"add", [&] { return x + x; }, 2},  // x is read once: its lines are in the cache the second time
      {"add a row", [&] { return x + row; }, 2},  {"relu", [&] { return relu(x); }, 2},
      {"gate", [&] { return gate(x, x); }, 2},    {"square", [&] { return square(x); }, 2},
      {"exp", [&] { return exp(x); }, 2},         {"tanh", [&] { return tanh(x); }, 2},
      {"softmax", [&] { return softmax(x); }, 2}, {"sum", [&] { return sum(x); }, 1},
      {"row_sum", [&] { return row_sum(x); }, 1}, {"row_square_sum", [&] { return row_square_sum(x); }, 1},
      {"col_sum", [&] { return col_sum(x); }, 1}};
  std::vector<Candidate> candidates{
      [&] { std::memcpy(target.data(), source.data(), sizeof(float) * static_cast<std::size_t>(values)); }};
  for (const Operation& operation : operations) candidates.push_back([&operation] { operation.call(); });
  const auto times = medians(candidates, 9, values < 1'000'000 ? 50 : 1);
  const double copy = 2 * sizeof(float) * static_cast<double>(values) / times[0];
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const double rate = operations[i].streams * sizeof(float) * static_cast<double>(values) / times[i + 1];
    report.add({.name = text(operations[i].name, " of ", rows, "x", cols, " float"),
                .value = rate / copy,
                .unit = "x copy",
                .explanation = text(four_digits(rate / 1e9), " GB/s, a copy ", four_digits(copy / 1e9), " GB/s; ",
                                    milliseconds(times[i + 1]))});
  }
}

}  // namespace

void tape(Report& report, const BenchOptions&) {
  const Index nodes = 1'000'000;
  Tape<double> tape;
  const auto start = std::chrono::steady_clock::now();
  chain(tape, nodes);
  const double cold = seconds_since(start);
  const double warm = medians({[&] { chain(tape, nodes); }}, 9, 1)[0];
  report.add({.name = "1x1 chain of 1e6 nodes, cold",
              .value = cold,
              .unit = "s",
              .bound = 0.5,
              .explanation = "recorded, swept back and cleared on a new tape"});
  report.add({.name = "1x1 chain of 1e6 nodes, warm",
              .value = warm,
              .unit = "s",
              .bound = 0.15,
              .explanation = "the same on the tape that holds its memory"});
  report.add({.name = "a recorded node",
              .value = 1e9 * warm / static_cast<double>(nodes),
              .unit = "ns",
              .bound = 80,
              .explanation = "forward, backward and clear together"});
  if (tests::can_count_mallocs()) {
    mallocs_of_step(sparse_parity_setting(), report);
    mallocs_of_step(mod_add_setting(), report);
    mallocs_of_step(mnist_setting(), report);
  }
  bandwidths(250, 200, report);
  bandwidths(4000, 4000, report);
}

}  // namespace normalign::bench

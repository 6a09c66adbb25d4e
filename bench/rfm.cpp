// Recursive Feature Machines: their fits, AGOPs and attacks against the products, factorisations and exponentials that
// they consist of, a large one against its Cholesky factorisation, and runs of the tabular protocol.
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>

#include "data/multi_index.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/tabular/protocol.hpp"
#include "experiments/tabular/source.hpp"
#include "groups.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/row_blocks.hpp"
#include "measure.hpp"
#include "rfm/agop.hpp"
#include "rfm/rfm.hpp"
#include "robustness/pgd.hpp"

namespace normalign::bench {
namespace {

// A part of a floor: a candidate that takes as long as `share` of it.
struct Part {
  Candidate work;
  double share;
};

// The time of one exponential, where the arguments are in the nearest cache, times `entries`.
Part exponentials(double entries) {
  static constexpr Index values = 4096, repeats = 256;
  auto x = std::make_shared<std::vector<double>>(values), y = std::make_shared<std::vector<double>>(values);
  for (Index i = 0; i < values; ++i) (*x)[static_cast<std::size_t>(i)] = -static_cast<double>(i) / values;
  return {[x, y] {
            for (Index r = 0; r < repeats; ++r) {
              const double* const from = x->data();
              double* const to = y->data();
#pragma omp simd
              for (Index i = 0; i < values; ++i) to[i] = std::exp(from[i]);
            }
          },
          entries / (values * repeats)};
}

Part product(Index m, Index n, Index k, bool transpose_b, double share = 1) {
  return {product_candidate<double>({m, n, k, false, transpose_b}), share};
}

// Factorisation and solution of an n x n system with c right-hand sides, `times` times. What a repeat takes to make the
// matrix anew is taken off again by a part of negative share.
std::vector<Part> factorisations(Index n, Index c, double times) {
  struct System {
    Matrix<double> matrix, b, workspace;
  };
  auto s = std::make_shared<System>();
  s->matrix = Matrix<double>(n, n);
  s->b = Matrix<double>(n, c);
  s->workspace = Matrix<double>(n, n);
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j) s->matrix(i, j) = i == j ? 2 : std::exp(-std::abs(static_cast<double>(i - j)));
  const auto copy = [s] { std::ranges::copy(s->matrix.span(), s->workspace.data()); };
  return {{[s, copy] {
             copy();
             const ThreadLimit one(1);
             cholesky<double>(s->workspace);
             std::ranges::fill(s->b.span(), 1.0);
             cholesky_solve<double>(s->workspace, s->b);
           },
           times},
          {copy, -times}};
}

// Kernel values of m points at n centres of rank r.
std::vector<Part> kernel_parts(Index m, Index n, Index r, double share = 1) {
  return {product(m, n, r, true, share), exponentials(share * static_cast<double>(m) * static_cast<double>(n))};
}

std::vector<Part> operator+(std::vector<Part> a, const std::vector<Part>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
std::vector<Part> operator*(double factor, std::vector<Part> parts) {
  for (Part& part : parts) part.share *= factor;
  return parts;
}

void add_over_floor(Report& report, const std::string& name, const Candidate& work, const std::vector<Part>& parts,
                    const std::string& what) {
  std::vector<Candidate> candidates{work};
  for (const Part& part : parts) candidates.push_back(part.work);
  const auto times = medians(candidates, 7, 1);
  double floor = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) floor += parts[i].share * times[i + 1];
  report.add({.name = name + ", 1 thread",
              .value = times[0] / floor,
              .unit = "x floor",
              .bound = 1.3,
              .at_most = true,
              .explanation = text(milliseconds(times[0]), " over a floor of ", milliseconds(floor), ": ", what)});
}

struct Task {
  MultiIndex<double> source;
  Matrix<double> y;
};
Task task_of(Index n, Index d, Index classes) {
  Task result{multi_index<double>({.samples = n, .dimension = d, .relevant = 3, .classes = classes}), {}};
  result.y = one_hot<double>(result.source.data.labels, classes);
  return result;
}

}  // namespace

// A fit with one update of the metric, on its own an AGOP, and an attack of ten steps, on one thread.
void rfm(Report& report, const BenchOptions&) {
  struct Size {
    Index n, d, c;
  };
  for (const auto& [n, d, c] : {Size{2000, 20, 2}, Size{3000, 16, 26}, Size{2400, 64, 100}}) {
    const Task task = task_of(n, d, c);
    const Matrix<double>&x = task.source.data.inputs, &y = task.y;
    const std::string size = text("n ", n, ", d ", d, ", c ", c);
    const Index points = 1000;
    const ConstView<double> at = x.view().row_block(0, points);
    const std::vector<Index> ones(static_cast<std::size_t>(points), 1);
    Rfm<double> fitted({.updates = 0});
    fitted.fit(x, y);
    const KernelMachine<double>& machine = fitted.machine();

    const auto pairs =
        kernel_parts(points, n, d) + std::vector<Part>{product(points, c, n, false), product(n, n, points, true, 0.5),
                                                       product(n, n, c, true, 0.5),  product(points, n, c, true),
                                                       product(points, d, n, false), product(n, d, n, false, 0.5)};
    const auto rows =
        kernel_parts(points, n, d) + std::vector<Part>{product(points, c, n, false), product(points, c * d, n, false),
                                                       product(d, d, points * c, false, 0.5)};
    add_over_floor(
        report, "AGOP at 1000 points, " + size, [&] { agop<double>(machine, at, ones); }, n < c * d ? pairs : rows,
        n < c * d ? "by pairs of centres" : "by points");

    const auto gradient = [&](ConstView<double> where, MatrixView<double> gradients) {
      machine.pull_back(
          where,
          [&](Index first, MatrixView<double> outputs) {
            const auto target = y.view().row_block(first, outputs.rows());
            for (std::size_t i = 0; i < outputs.span().size(); ++i) outputs.span()[i] -= target.span()[i];
          },
          gradients);
    };
    add_over_floor(
        report, "PGD on 1000 points, " + size,
        [&] { pgd<double>(at, {.radius = 0.1, .step = 0.01, .steps = 10}, gradient); },
        10 * (kernel_parts(points, n, d) + std::vector<Part>{product(points, c, n, false), product(points, n, c, true),
                                                             product(points, d, n, false)}),
        "10 steps");

    // At n rows drawn with replacement 0.632 n are distinct.
    const double distinct = 1 - std::exp(-1);
    const auto update = n < c * d ? pairs : rows;
    Rfm<double> rfm({.updates = 1});
    add_over_floor(
        report, "fit with one update, " + size, [&] { rfm.fit(x, y); },
        kernel_parts(n, n, d) + factorisations(n, c, 2) +
            distinct * static_cast<double>(n) / static_cast<double>(points) * update,
        "two systems and an AGOP");
  }
}

// n = 20,000: a fit with one AGOP against its factorisation, and the memory of both.
void rfm_large(Report& report, const BenchOptions&) {
  const Index n = 20000, d = 20, c = 2;
  const int threads = omp_get_max_threads();
  const Task task = task_of(n, d, c);
  Matrix<double> matrix;
  const auto timed = [](const Candidate& work) { return medians({work}, 1, 1)[0]; };
  // medians() warms up with a first run.
  matrix.resize(n, n);
  const double factorisation = timed([&] {
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) matrix(i, j) = i == j ? 2 : 0.5;
    cholesky<double>(matrix);
  });
  matrix = {};
  Rfm<double> rfm({.ridge = {.threads = threads}, .updates = 0});
  const std::vector<Index> ones(static_cast<std::size_t>(n), 1);
  const double fit = timed([&] {
    rfm.fit(task.source.data.inputs, task.y);
    agop<double>(rfm.machine(), task.source.data.inputs, ones, threads);
  });
  report.add({.name = "fit and AGOP, n 20000, d 20, c 2",
              .value = fit / factorisation,
              .unit = "x chol.",
              .bound = 2.5,
              .at_most = true,
              .explanation = text(four_digits(fit), " s over the ", four_digits(factorisation),
                                  " s of its factorisation, ", threads, " threads")});
  report.add({.name = "memory of this fit and AGOP",
              .value = static_cast<double>(peak_resident_bytes()) / (1 << 30),
              .unit = "GiB",
              .bound = 8,
              .at_most = true,
              .explanation = "highest resident memory of the process so far"});
}

// Runs of the published protocol on two threads, against the published code's times on one core of such a machine.
void tables(Report& report, const BenchOptions& options) {
  if (!std::filesystem::is_directory(options.tables)) {
    std::cerr << "tables: left out, there is no collection in " << options.tables
              << " (make data UCI=1, or --tables DIR)\n";
    return;
  }
  const TabularSource source{.path = options.tables};
  const std::map<std::string, double> published{{"wine", .17},   {"zoo", .12},           {"ionosphere", .31},
                                                {"car", 2.9},    {"statlog-image", 5.4}, {"plant-texture", 11.8},
                                                {"abalone", 24}, {"page-blocks", 53},    {"waveform", 59}};
  for (const TableFacts& facts : normalign::tables(source)) {
    const auto found = published.find(facts.name);
    if (found == published.end()) continue;
    const TabularData data = table(source, facts.name, 0);
    const double seconds =
        medians({[&] { tabular_run({.dataset = facts.name}, data, {.threads = 2}); }}, found->second < 1 ? 5 : 1, 1)[0];
    report.add({.name = facts.name + ", the protocol for RFM",
                .value = found->second / seconds,
                .unit = "x",
                .bound = 4,
                .at_most = false,
                .explanation = text(four_digits(seconds), " s on two threads, float64; PyTorch 1.13 took ",
                                    four_digits(found->second), " s on one core")});
  }
}

}  // namespace normalign::bench

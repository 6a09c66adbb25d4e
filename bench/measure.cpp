#include "measure.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>

#include "linalg/blas.hpp"
#include "linalg/random.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign::bench {

std::vector<double> medians(const std::vector<Candidate>& candidates, int rounds, int repeats) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(candidates.size());
  for (const Candidate& candidate : candidates)
    for (int i = 0; i < repeats; ++i) candidate();
  for (int round = 0; round < rounds; ++round)
    for (std::size_t c = 0; c < candidates.size(); ++c)
      for (int i = 0; i < repeats; ++i) {
        const auto start = Clock::now();
        candidates[c]();
        times[c].push_back(std::chrono::duration<double>(Clock::now() - start).count());
      }
  std::vector<double> result;
  for (auto& t : times) {
    std::ranges::nth_element(t, t.begin() + static_cast<std::ptrdiff_t>(t.size() / 2));
    result.push_back(t[t.size() / 2]);
  }
  return result;
}

std::vector<Product> step_products(Index n, const std::vector<Index>& widths, StepProducts with) {
  std::vector<Product> list;
  const auto layers = static_cast<Index>(widths.size()) - 1;
  const auto in = [&](Index l) { return widths[static_cast<std::size_t>(l)]; };
  const auto out = [&](Index l) { return widths[static_cast<std::size_t>(l + 1)]; };
  Index rows = n;
  const auto forward = [&](Index l) { list.push_back({rows, out(l), in(l), false, true}); };
  const auto weight_gradient = [&](Index l) { list.push_back({out(l), in(l), rows, true, false}); };
  const auto input_gradient = [&](Index l) { list.push_back({rows, in(l), out(l), false, false}); };
  for (Index l = 0; l < layers; ++l) {
    rows = n;
    forward(l);
    weight_gradient(l);
    if (l > 0) input_gradient(l);
    rows = with.penalised_rows > 0 ? with.penalised_rows : n;
    for (Index i = 0; i < with.projections; ++i) {
      input_gradient(l);   // v^T J
      weight_gradient(l);  // its backward pass, which ends at the constant v
      if (l + 1 < layers) forward(l);
    }
    if (with.offset_pushforward || (with.offset_pattern && l > 0)) {
      forward(l);
      weight_gradient(l);
      if (l > 0) input_gradient(l);
    }
  }
  return list;
}

template <class T>
Candidate product_candidate(const Product& p) {
  struct Operands {
    Matrix<T> a, b, c;
  };
  auto o = std::make_shared<Operands>();
  o->a = p.transpose_a ? Matrix<T>(p.k, p.m) : Matrix<T>(p.m, p.k);
  o->b = p.transpose_b ? Matrix<T>(p.n, p.k) : Matrix<T>(p.k, p.n);
  o->c = Matrix<T>(p.m, p.n);
  for (Index i = 0; i < o->a.size(); ++i) o->a.data()[i] = static_cast<T>(i % 17 - 8) / 8;
  for (Index i = 0; i < o->b.size(); ++i) o->b.data()[i] = static_cast<T>(i % 13 - 6) / 8;
  return [o, op = Transposes{p.transpose_a, p.transpose_b}] {
    const ThreadLimit one(1);
    gemm<T>(o->a, o->b, o->c, op);
  };
}

Dataset<double> random_digits(Index n) {
  Dataset<double> result{Matrix<double>(n, 784), std::vector<std::int32_t>(static_cast<std::size_t>(n)), 10};
  for (Index i = 0; i < n; ++i) {
    RandomRows(0, Stream::data).normal(static_cast<std::uint32_t>(i), result.inputs.row(i));
    result.labels[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(i % 10);
  }
  return result;
}

Index resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  Index total = 0, resident = 0;
  statm >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

Index peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Index{1024} * usage.ru_maxrss;
}

template Candidate product_candidate<float>(const Product&);
template Candidate product_candidate<double>(const Product&);

}  // namespace normalign::bench

// The groups of the bench; main.cpp lists them by name.
#pragma once

#include <string>

#include "report.hpp"

namespace normalign::bench {

/// What groups are told.
struct BenchOptions {
  std::string data = "data/mnist";  ///< folder of MNIST
  std::string tables = "data/uci";  ///< folder of the UCI collection
};

/// A step to take again and again on request: for each number of steps read from standard input one line with the mean
/// seconds of a step. The first line is the floor of a step in seconds, on one thread over the threads.
struct ServeOptions {
  std::string setting;  ///< sparse_parity, mod_add, mnist_ce, mnist_se or xor
  bool grokalign = false;
  int threads = 1;
};
/// Serves until the input ends. Throws InputError on another setting.
void serve(const ServeOptions& options);

/// Each measures something and adds its rows.
void steps(Report& report, const BenchOptions& options);
void wide(Report& report, const BenchOptions& options);
void scaling(Report& report, const BenchOptions& options);
void tape(Report& report, const BenchOptions& options);
void threads(Report& report, const BenchOptions& options);
void memory(Report& report, const BenchOptions& options);
void alignment(Report& report, const BenchOptions& options);
void slices(Report& report, const BenchOptions& options);
void certificates(Report& report, const BenchOptions& options);
void rfm(Report& report, const BenchOptions& options);
void rfm_large(Report& report, const BenchOptions& options);
void tables(Report& report, const BenchOptions& options);
void grokking(Report& report, const BenchOptions& options);

}  // namespace normalign::bench

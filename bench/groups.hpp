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

/// Measures something and adds its rows.
using Measure = void(Report& report, const BenchOptions& options);

/// Training steps: over their floor, XOR at its full size, on two threads, as networks grow, and their memory.
Measure steps, wide, threads, scaling, memory;
/// The tape: time for each node, calls of malloc, bandwidth of elementwise operations.
Measure tape;
/// Alignment of images, regions in a plane, robustness certificates.
Measure alignment, slices, certificates;
/// Recursive Feature Machines over their floor, a large one, and the tabular protocol.
Measure rfm, rfm_large, tables;
/// How much sooner GrokAlign groks.
Measure grokking;

}  // namespace normalign::bench

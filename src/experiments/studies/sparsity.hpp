// Sparse against dense data: how models differ when more and more samples fill one curved surface.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "geometry/local_geometry.hpp"

namespace normalign {

/// The sizes, and how the two models are fitted.
struct SparsityOptions {
  Index from = 4, to = 13;                      ///< training samples: n = 2^from, ..., 2^to
  std::vector<std::int64_t> seeds = {0, 1, 2};  ///< of the surface, its points, the network's start and its batches
  Index test_samples = 1024;
  int threads = 1;
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};

  // The network: AdamW on the cross entropy, batches of min(n, batch_size).
  std::vector<Index> hidden = {256, 256};  ///< widths
  double learning_rate = 1e-3;             ///< of AdamW
  double weight_decay = 0.01;              ///< of AdamW
  Index batch_size = 256;                  ///< samples
  double loss = 1e-3;  ///< it is trained until its loss on the training samples is at most this, and all are right,
  Index most_steps = 20'000;  ///< or until the epoch in which it has taken so many steps

  // The machine: Laplace kernel, one-hot targets.
  double bandwidth = 10;         ///< of the kernel
  Index updates = 4;             ///< of the metric
  double regularisation = 1e-3;  ///< ridge
};

/// Throws InputError naming the first option that is out of its range, what was found and what was expected.
void check(const SparsityOptions& options);

/// A model at some points.
struct SparsityPoints {
  double accuracy = 0;          ///< per cent
  LocalGeometry geometry = {};  ///< means over the points
};

/// One model fitted to n samples.
struct SparsityRow {
  Index samples = 0;
  std::string model = {};  ///< "mlp" or "rfm"
  std::int64_t seed = 0;
  SparsityPoints train = {}, test = {};
  double chance_alignment = 0;  ///< of random directions in as many dimensions
  double nearest_distance = 0;  ///< of test points to training points, as `mean_nearest_distance` has it
  // Of the network alone:
  std::optional<double> steps = {};       ///< taken
  std::optional<double> train_loss = {};  ///< mean cross entropy, nats
};

/// The mean Euclidean distance of a row of `points` (m x d) to the nearest row of `others` (n x d), over the mean
/// length of the rows of `points`. Throws InputError on a misfit, no rows, or points that are all zero.
double mean_nearest_distance(ConstView<double> points, ConstView<double> others);

/// Told of each row when it is there; says whether the study goes on.
using SparsityProgress = std::function<bool(const SparsityRow& row)>;

/// For each n, smallest first, and each seed the rows of the network and of the machine, both fitted to the first n
/// training samples of `torus` and measured at these and at its test samples. A ReLU network is trained in float to
/// the same loss at every n, so that what differs is not how far its training got; a Recursive Feature Machine from the
/// identity is fitted in double and its last machine kept. The same numbers at any number of threads. Throws InputError
/// on options that `check` refuses, RunError on a loss that is not finite or as `ridge` does, Stopped when stopped.
std::vector<SparsityRow> sparsity_study(const SparsityOptions& options, const SparsityProgress& progress = {});

}  // namespace normalign

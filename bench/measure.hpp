// Timing: medians of repeats that are interleaved, so that a noisy minute hits every candidate alike.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "linalg/matrix.hpp"

namespace normalign::bench {

/// Something to time; a call is one repeat.
using Candidate = std::function<void()>;

/// The median time of each candidate in seconds: after a warm-up, `rounds` rounds in which every candidate in turn
/// runs `repeats` times.
std::vector<double> medians(const std::vector<Candidate>& candidates, int rounds = 15, int repeats = 10);

/// A matrix product by its extents, as in c (m x n) = op(a) op(b) with inner extent k.
struct Product {
  Index m, n, k;
  bool transpose_a, transpose_b;
  /// Multiplications and additions.
  double flops() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k); }
};

/// What a step of an MLP must multiply, beside plain training.
struct StepProducts {
  Index projections = 0;            ///< of the Jacobian, each with the backward pass through it
  bool offset_pattern = false;      ///< the biases through the frozen pattern, and the backward pass
  bool offset_pushforward = false;  ///< J x by a pushforward, and the backward pass
  Index penalised_rows = 0;         ///< rows of these; 0: those of the batch
};

/// The full-batch products of one step on n rows of a network with the given widths. Plain training takes each layer
/// forward, each weight gradient, and each input gradient but the first layer's; what is beside it has
/// `penalised_rows`.
std::vector<Product> step_products(Index n, const std::vector<Index>& widths, StepProducts with);

/// One product on matrices of its own, on one thread, as a candidate.
template <class T>
Candidate product_candidate(const Product& product);

/// n random images of MNIST's size with labels 0 to 9 in turn: what is timed on them does not depend on the pixels.
Dataset<double> random_digits(Index n);

/// Resident memory of this process in bytes, as it is and at its highest so far.
Index resident_bytes();
Index peak_resident_bytes();

}  // namespace normalign::bench

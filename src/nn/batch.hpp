// Some samples of a data set, as steps, evaluations and attacks take them.
#pragma once

#include <span>
#include <vector>

#include "linalg/row_blocks.hpp"
#include "nn/losses.hpp"

namespace normalign {

/// Samples, borrowed.
template <class T>
struct Batch {
  ConstView<T> inputs;                     ///< n x d
  std::span<const std::int32_t> labels{};  ///< n class numbers; none where numbers are predicted
  ConstView<T> targets{};                  ///< n x k values, for mse and bce
  /// n numbers of the samples in the data set, which address random draws; when empty, row i is sample i.
  std::span<const Index> samples{};

  /// Whether numbers are predicted, not classes: there are targets and no labels.
  bool is_regression() const { return labels.empty() && targets.rows() > 0; }
};

/// Throws InputError, opened by `caller`, unless the batch has a row, and for each row what the loss compares the k
/// `outputs` of a network with: a label for cross_entropy, else k targets.
template <class T>
void check_batch(const char* caller, const Batch<T>& batch, Loss loss, Index outputs);

/// The number of each row's sample: batch.samples, or 0, 1, 2, ... where these are empty, out of `counted`, working
/// memory that a caller in a loop keeps. Throws InputError, opened by `caller`, when there are some but not one per
/// row.
template <class T>
std::span<const Index> sample_numbers(const char* caller, const Batch<T>& batch, std::vector<Index>& counted);

/// What `task_loss` compares the outputs of these rows with, as a constant: their labels for cross_entropy
/// (m x 1), else their targets (m x k), which are borrowed.
template <class T>
Var<T> target_on(Tape<T>& tape, const Batch<T>& batch, Loss loss, RowBlock rows);

}  // namespace normalign

// A data set in batches, shuffled anew for every epoch.
#pragma once

#include <functional>
#include <vector>

#include "data/dataset.hpp"
#include "nn/batch.hpp"

namespace normalign {

/// The batches of a data set: the set itself, in its order, when one holds it all, else rows gathered in a random order
/// that depends on seed and epoch alone, the last batch short where the size does not divide the set.
template <class T>
class Batches {
 public:
  /// The data are borrowed; `targets` has one row per sample, or none where the loss takes labels. A `batch_size` of 0
  /// is that of the set.
  Batches(const Dataset<T>& data, Matrix<T> targets, Index batch_size, std::uint64_t seed);

  /// The whole set as one batch, as it is.
  Batch<T> all() const;
  /// From now on `pass` has the inputs under N(0, sigma^2), drawn for that epoch from Stream::input_noise.
  void draw_noise(Index epoch, double sigma);
  /// Calls step(batch) for each batch of the epoch.
  void pass(Index epoch, const std::function<void(const Batch<T>&)>& step);

 private:
  const Dataset<T>& data_;
  ConstView<T> source_;  // of the inputs of a pass
  Matrix<T> targets_;
  std::uint64_t seed_;
  Index size_;
  std::vector<Index> order_;  // of the samples in a pass
  Matrix<T> noisy_, inputs_, batch_targets_;
  std::vector<std::int32_t> labels_;
};

}  // namespace normalign

// The XOR cluster task: two features decide by their product, thousands of small ones say nothing.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of an XOR cluster task; the defaults are those of arXiv:2605.08464.
struct XorClusterOptions {
  Index features = 40000;       ///< input dimension, at least 2
  double feature_scale = 0.05;  ///< eps: the size of the features that say nothing
  Index train_samples = 400;
  Index test_samples = 400;
  std::uint64_t seed = 0;
};

/// Random rows, n x features: the first two columns uniform on {-1, 1}, the others on {-eps, eps}. The label is 1 where
/// the product of the first two is 1, else 0; there are 2 classes. The first rows drawn are for training. Bits are
/// drawn from Stream::data. Throws InputError on fewer than two features, no training or no test row, or an eps that
/// is negative or not finite.
template <class T>
Split<T> xor_cluster(const XorClusterOptions& options = {});

}  // namespace normalign

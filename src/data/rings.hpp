// The rings task: two classes that alternate with the distance from the centre, in the plane or in a space of a few
// more dimensions, to be looked at.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of a rings task.
struct RingsOptions {
  Index rings = 3;       ///< the disc, or ball, in the middle is the first
  Index dimensions = 2;  ///< of the points
  Index train_samples = 200;
  Index test_samples = 1000;
  std::uint64_t seed = 0;
};

/// Random points of the unit ball in d dimensions, n x d, uniform by volume: with d = 2 the unit disc. Ring r is where
/// floor(rings |x|) = r; the label is r mod 2 and there are 2 classes. The first rows drawn are for training. Numbers
/// are drawn from Stream::data. Throws InputError on fewer than two rings, dimensions outside 2, ..., 1000, no training
/// or no test row.
template <class T>
Split<T> rings(const RingsOptions& options = {});

}  // namespace normalign

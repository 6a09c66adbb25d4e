// The rings task: two classes that alternate with the distance from the centre, in the plane, to be looked at.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of a rings task.
struct RingsOptions {
  Index rings = 3;  ///< the disc in the middle is the first
  Index train_samples = 200;
  Index test_samples = 1000;
  std::uint64_t seed = 0;
};

/// Random points of the unit disc, n x 2, uniform by area. Ring r is where floor(rings |x|) = r; the label is r mod 2
/// and there are 2 classes. The first rows drawn are for training. Numbers are drawn from Stream::data. Throws
/// InputError on fewer than two rings, no training or no test row.
template <class T>
Split<T> rings(const RingsOptions& options = {});

}  // namespace normalign

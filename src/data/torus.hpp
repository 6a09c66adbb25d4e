// The torus task: a curved surface in 64 dimensions, to see what changes as samples fill it.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of a torus task.
struct TorusOptions {
  Index train_samples = 1024;
  Index test_samples = 1024;
  std::uint64_t seed = 0;  ///< of the embedding and of the points
};

/// Points of a torus in R^64, n x 64, at angles u, v uniform in (0, 2 pi). With the 32 whole-number frequencies k
/// nearest to the origin, one of k and -k and of the last circle (2, 4) and (2, -4), the point is x = Q f: f holds
/// sqrt(2) cos(k · (u, v)) and sqrt(2) sin(k · (u, v)) of each, and Q is a random rotation. So the surface spans all
/// dimensions, each coordinate has mean 0 and mean square 1 over the torus, |x| = 8, and x · x' = 2 sum over k of cos(k
/// · (u - u', v - v')). The label is whether sin(3u + 2v) sin(3v - 2u) > 0: a board of 52 squares, half of either
/// class, which no coordinate is correlated with. A training row depends on its number and the seed alone, so the first
/// n are the same for every `train_samples`; so does a test row. Numbers are drawn from Stream::data: step 0 holds the
/// angles of training rows, step 1 those of test rows, step 2 the rotation. Throws InputError on no training or no test
/// row.
template <class T>
Split<T> torus(const TorusOptions& options = {});

}  // namespace normalign

// The multi-index task: the label depends on a few directions of the inputs, in a way that no linear map shows.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of a multi-index task.
struct MultiIndexOptions {
  Index samples = 600;
  Index dimension = 10;    ///< of the inputs
  Index relevant = 3;      ///< how many directions the label depends on, from 2 to `dimension`
  Index classes = 3;       ///< at least 2
  double label_noise = 0;  ///< the probability, from 0 to 1, that a label is drawn anew, each class equally likely
  std::uint64_t seed = 0;
};

/// A multi-index task and the directions that it hides.
template <class T>
struct MultiIndex {
  Dataset<T> data;
  Matrix<T> directions;  ///< relevant x dimension, orthonormal rows
};

/// Inputs x of independent standard normals, samples x dimension, and random directions w_1, ..., w_r. Of z_i = w_i ·
/// x, the first two have the polar coordinates (rho, theta); with Phi the normal distribution function, the phase
///   t = theta / 2 pi + (1 - exp(-rho^2 / 2)) / 4 + (Phi(z_3) + ... + Phi(z_r)) / 2
/// is uniform modulo 1, and the label is floor(classes (t mod 1)): sectors of the first plane that bend with the radius
/// and turn by up to half a turn along each other direction. So all classes are equally likely, and all relevant
/// directions matter. Numbers are drawn from Stream::data; rows do not depend on `samples`. Throws InputError on
/// options out of range.
template <class T>
MultiIndex<T> multi_index(const MultiIndexOptions& options = {});

}  // namespace normalign

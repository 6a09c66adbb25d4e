// Gaussian noise on samples.
#pragma once

#include "linalg/matrix.hpp"
#include "linalg/random.hpp"

namespace normalign {

/// out <- inputs plus sigma times standard normals, n x d, on the columns from `first_column` on; row i is that of
/// `random`'s row i, whatever sigma is.
template <class T>
void add_noise(ConstView<T> inputs, double sigma, Index first_column, const RandomRows& random, MatrixView<T> out);

}  // namespace normalign

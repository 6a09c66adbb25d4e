// Random orthonormal directions.
#pragma once

#include "linalg/matrix.hpp"
#include "linalg/random.hpp"

namespace normalign {

/// `directions` orthonormal rows of length d, each orientation equally likely: the rows 0, ..., directions - 1 of
/// `normals`, made orthonormal one after the other. Throws InputError when there are not 1, ..., d of them.
Matrix<double> orthonormal_frame(Index directions, Index d, const RandomRows& normals);

}  // namespace normalign

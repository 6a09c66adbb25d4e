#include "linalg/orthonormal_frame.hpp"

#include <cmath>

#include "linalg/reduce.hpp"

namespace normalign {

Matrix<double> orthonormal_frame(Index directions, Index d, const RandomRows& normals) {
  if (directions < 1 || directions > d)
    throw InputError(
        text("orthonormal_frame: directions is ", directions, "; it must be from 1 to ", d, ", the length of a row"));
  Matrix<double> frame(directions, d);
  for (Index p = 0; p < directions; ++p) {
    const std::span<double> row = frame.row(p);
    normals.normal<double>(static_cast<std::uint32_t>(p), row);
    // Once more for what rounding leaves.
    for (int pass = 0; pass < 2; ++pass)
      for (Index earlier = 0; earlier < p; ++earlier) {
        const double part = dot<double>(frame.row(earlier), row);
        for (Index i = 0; i < d; ++i) frame(p, i) -= part * frame(earlier, i);
      }
    const double length = std::sqrt(dot<double>(row, row));
    for (double& value : row) value /= length;
  }
  return frame;
}

}  // namespace normalign

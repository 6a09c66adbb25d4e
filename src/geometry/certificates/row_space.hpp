// A network in the few coordinates of its input that its first layer looks at.
#pragma once

#include "geometry/piecewise_affine.hpp"

namespace normalign {

/// f(x) = network(basis x). The rows of the basis are orthonormal, and all that f does not see is orthogonal to them;
/// so questions of Euclidean distance have the same answers in both inputs. Questions of other norms or inside a box
/// have not.
struct RowSpaceNetwork {
  PiecewiseAffineNetwork network;  ///< of r inputs
  Matrix<double> basis;            ///< r x d, orthonormal rows that span the row space of the first weight

  /// basis x for each row of x: n x d to n x r. Throws InputError when x does not have d columns.
  Matrix<double> coordinates(ConstView<double> x) const;
  /// The input next to x (1 x d) that has these coordinates (1 x r). Throws InputError when shapes do not fit.
  Matrix<double> point(ConstView<double> coordinates, ConstView<double> x) const;
};

/// The network in r = rank W_1 coordinates (one where the rank is 0), r <= d: singular values below their rounding
/// error count as zero.
RowSpaceNetwork row_space_network(const PiecewiseAffineNetwork& network);

}  // namespace normalign

// Local complexity: how many units change their sign near a point (Humayun, Balestriero, Baraniuk, "Deep networks
// always grok and here is why", ICML 2024).
#pragma once

#include <functional>
#include <vector>

#include "base/stop.hpp"

#include "geometry/piecewise_affine.hpp"

namespace normalign {

/// The neighbourhood that is looked at: the hull of x +- radius v_p for `directions` random orthonormal v_p.
struct LocalComplexityOptions {
  double radius = 0.005;
  /// P: at most the number of inputs.
  Index directions = 25;
  std::uint64_t seed = 0;
  int threads = 1;
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// Returns for each row of x (n x d) and each hidden layer (n x L) how many units have a pre-activation above zero at
/// some of the 2P vertices and not above zero at others. All rows have the same frame, given by the seed, P and d: the
/// `orthonormal_frame` of Stream::frame.
///
/// A unit of the first layer counts just when its boundary meets the hull. In deeper layers a boundary may pass between
/// the vertices and is then missed. It is a number of units, not of regions.
///
/// Throws InputError when x does not have d columns, the radius is not positive, P is not in 1, ..., d or on fewer than
/// one thread; Stopped when stopped.
Matrix<Index> local_complexity(const PiecewiseAffineNetwork& network, ConstView<double> x,
                               const LocalComplexityOptions& options = {});

}  // namespace normalign

// The exact partition of a plane in input space into the linear regions of a network.
#pragma once

#include <functional>

#include "base/stop.hpp"
#include "geometry/affine_map.hpp"
#include "geometry/planar/planar_complex.hpp"

namespace normalign {

/// How far a slice is: `regions` after `layers_done` of the hidden layers.
struct SliceProgress {
  Index layers_done = 0;
  Index layers = 0;
  Index regions = 0;
};

/// What to partition, and how.
struct SliceOptions {
  /// A convex polygon in the plane's coordinates, counter-clockwise.
  std::vector<Point> window = square(1);
  /// More regions are an error: nothing bounds how many a network has.
  Index max_regions = 10'000'000;
  int threads = 1;
  /// Called after each hidden layer.
  std::function<void(const SliceProgress&)> progress = {};
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// The linear regions of a network in a window of a plane: the cells of `complex`, one for each activation code that
/// has interior there. Everything is in the plane's coordinates. With N hidden units and k outputs a region takes about
/// 150 + N / 8 + 32 k bytes; while layer l is being cut, 16 bytes more for each of its units.
struct Slice {
  Plane plane = {};
  PlanarComplex complex = {};
  std::vector<Index> regions_after_layer = {};
  Matrix<double> outputs = {};  ///< f at the vertices, V x k
  /// At each vertex a bound on the rounding of the outputs there: 1e-12 (max_k |w_k| |z| + max_k |b_k|) of the last
  /// layer, generous as in `ZeroTest`.
  std::vector<double> rounding = {};
  /// f on each region, R x 3k: k slopes along u, k along v, k offsets.
  Matrix<double> maps = {};
  std::vector<Index> units = {};          ///< of each hidden layer
  std::vector<std::uint64_t> codes = {};  ///< each region's packed code: see `is_on`

  /// How many there are.
  Index regions() const { return complex.cells(); }
  /// Whether a unit of a hidden layer, both from 0, is on in a region.
  bool is_on(Index region, Index layer, Index unit) const;
  /// The activation code of a region.
  ActivationCode code(Index region) const;
  /// f on a region, t -> slope t + offset with a k x 2 slope.
  AffineMap map(Index region) const;
  /// |slope|_F of f on a region.
  double slope_norm(Index region) const;
  /// 64-bit words of a region's packed code; those of each layer start a new one.
  Index code_words() const;
};

/// The regions in the window, layer by layer: each layer's pre-activations are affine on the regions of the layers
/// before it and cut them (see `subdivision`). Time is linear in the regions; the result has the same bits at any
/// number of threads.
///
/// Throws InputError on a window that is not convex and counter-clockwise, a plane of another dimension than the
/// network's input, values beyond what a double holds, or fewer than one thread; RunError on more than max_regions;
/// Stopped when stopped.
Slice slice(const PiecewiseAffineNetwork& network, const Plane& plane, const SliceOptions& options = {});

}  // namespace normalign

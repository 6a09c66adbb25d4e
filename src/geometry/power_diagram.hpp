// The regions of a layer as a power diagram: each has a centroid and a radius, and a point lies in the region whose
// power distance is smallest.
#pragma once

#include <functional>

#include "base/stop.hpp"
#include "geometry/affine_map.hpp"

namespace normalign {

/// The site of one region.
struct PowerCell {
  Matrix<double> centroid;  ///< 1 x d
  double radius = 0;        ///< a weight with the unit of a squared length; may be negative
};

/// The site of the map x -> A x + b: centroid Aᵀ1, radius |Aᵀ1|^2 + 2 1ᵀb.
///
/// For a hidden layer's own map (`layer_map`) this is the region's site in the layer's input space. For the map to a
/// hidden layer (`affine_map_to`) it is that site pulled back to the input, where it tells this layer's regions apart
/// inside one region of the layers before. For the whole network (`affine_map`) it is the output centroid, which is in
/// general no site of any diagram. (Balestriero et al., "The geometry of deep networks: power diagram subdivision",
/// NeurIPS 2019.)
PowerCell power_cell(const AffineMap& map);

/// |x - centroid|^2 - radius = |x|^2 - 2 1ᵀ(A x + b), x 1 x d. Among all codes of a layer whose slope is at most 1,
/// that of x has the smallest. Throws InputError when x does not fit.
double power_distance(ConstView<double> x, const PowerCell& cell);

/// A region of one layer in a box.
struct DiagramCell {
  ActivationCode code;      ///< of the layer's units
  PowerCell site;           ///< of the layer alone
  Matrix<double> vertices;  ///< of the region cut with the box, m x d, in no particular order
};

/// Where a diagram is enumerated, and how far.
struct PowerDiagramOptions {
  double half_width = 1;      ///< the box |x_i| <= half_width
  Index max_cells = 100'000;  ///< more are an error
  /// Asked about five times a second, by one thread at a time, from any; true ends the computation by Stopped.
  std::function<bool()> stop = {};
};

/// The diagram of hidden layer `layer`, from 0, alone: every region that has interior in the box, once, in no
/// particular order. The layer must have 1, 2 or 3 inputs and a slope of at most 1: with a larger slope a unit is
/// concave, and a point's own region would have the largest power distance.
///
/// Vertices within rounding of a unit's hyperplane count as on it, so coincident and concurrent hyperplanes make no
/// slivers; a unit whose weights are zero divides nothing.
///
/// Throws InputError on a layer, a slope, a number of inputs or options that do not fit, RunError on more than
/// max_cells or when rounding leaves it undecided how a region is divided, Stopped when stopped.
std::vector<DiagramCell> power_diagram(const PiecewiseAffineNetwork& network, Index layer,
                                       const PowerDiagramOptions& options = {});

}  // namespace normalign

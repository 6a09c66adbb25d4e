// Where margins may be positive, of a network of one or two inputs: by the partition of the plane.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "geometry/certificates/centred_margins.hpp"
#include "linalg/norm.hpp"

namespace normalign::detail {

/// Part of a region of the plane, where a margin may be >= 0.
struct PlanarPiece {
  double distance = 0;  ///< no step of it is shorter
  Index output = 0;     ///< the margin's number
  Index cell = 0;       ///< the region's number in the partition
  ActivationCode code = {};
};

/// Pieces, the nearest first, such that every step z with |z| <= radius and a margin j >= 0 is in a piece of that
/// output. The margins' steps must have one or two coordinates, the radius is above 0 and finite. None where the
/// partition of that square has more than `max_regions` regions, its values are beyond what a double holds, or
/// `is_late` says so, which is asked often; what it throws, each time from then on, passes through.
///
/// The partition's vertices are rounded, so that a cell's code need not be that of all its points. What holds on a cell
/// whatever its code: let the computed pre-activations of each unit have the sign of the code at all its corners, but
/// for a violation v. Then a margin at any point of the cell is a mean of the computed margins at the corners, of any
/// weights that have the point as their mean, up to a bound that v, the sizes of what is summed and the weights give.
/// The cells fill the square: they share their corners, those on the border lie on it, and a continuous image of the
/// square that turns around its border once covers it.
std::optional<std::vector<PlanarPiece>> planar_pieces(const CentredMargins& margins, Norm norm, double radius,
                                                      Index max_regions, const std::function<bool()>& is_late);

}  // namespace normalign::detail

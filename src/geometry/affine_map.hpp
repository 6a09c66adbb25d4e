// The affine map that a piecewise-affine network is on a region, by the region's activation code.
#pragma once

#include <span>
#include <vector>

#include "geometry/piecewise_affine.hpp"

namespace normalign {

/// x -> slope x + offset.
struct AffineMap {
  Matrix<double> slope;   ///< k x d
  Matrix<double> offset;  ///< 1 x k
};

/// A region of input space and the network there.
struct LocalMap {
  ActivationCode code;
  AffineMap map;
};

/// The map f(x) = A x + b on the region of that code. Throws InputError when the code does not have one entry for each
/// hidden unit.
AffineMap affine_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code);

/// The map from the input to the activations z^{l+1} of hidden layer `layer`, counted from 0, on that region; for
/// layer = hidden_layers() the map of f. Throws InputError when the code or the layer does not fit.
AffineMap affine_map_to(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer);

/// Layer `layer` alone as a map of its own input, D_q W z + D_q b under the entries q of the code that are its units';
/// for layer = hidden_layers() the last layer. Throws InputError when the code or the layer does not fit.
AffineMap layer_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer);
/// The same of a layer whose n units have the signs `code`, n entries, which is not checked.
AffineMap layer_map(const PiecewiseAffineLayer& layer, std::span<const std::uint8_t> code);

/// Every hidden unit's pre-activation as an affine function of the input on the region of that code: unit u, counted
/// through all layers, is slope.row(u) x + offset(0, u). N x d numbers for N units. Throws InputError when the code
/// does not fit.
AffineMap unit_maps(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code);

/// Code and map at each row of x, n x d, on up to `threads` threads with the same bits at any number. Throws InputError
/// when x does not have d columns or on fewer than one thread.
std::vector<LocalMap> local_maps(const PiecewiseAffineNetwork& network, ConstView<double> x, int threads = 1);

namespace detail {

/// Takes `map`, from the input to the pre-activations of hidden layer l - 1 on the region of that code, on to those of
/// layer l; for l = hidden_layers() to the outputs. For l = 0 the map begins anew, whatever it is. `memory` is working
/// memory for a caller in a loop to keep.
void advance(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index l, AffineMap& map,
             AffineMap& memory);

}  // namespace detail

}  // namespace normalign

#include "geometry/affine_map.hpp"

#include <algorithm>

#include "linalg/blas.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

void check(const char* caller, const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer) {
  const auto units = static_cast<std::size_t>(network.first_unit(network.hidden_layers()));
  if (code.size() != units)
    throw InputError(
        text(caller, ": code has ", code.size(), " entries; it must have ", units, ", one per hidden unit"));
  if (layer < 0 || layer > network.hidden_layers())
    throw InputError(text(caller, ": layer is ", layer, "; it must be from 0 to ", network.hidden_layers()));
}

const PiecewiseAffineLayer& layer_of(const PiecewiseAffineNetwork& network, Index l) {
  return network.layers()[static_cast<std::size_t>(l)];
}

// D_q: the slope of unit k of hidden layer l under the code.
double gain(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index l, Index k) {
  return code[static_cast<std::size_t>(network.first_unit(l) + k)] ? 1 : layer_of(network, l).slope;
}

// map <- D_q map, in place; the rows of map are the units of hidden layer l.
void gate_rows(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index l, AffineMap& map) {
  for (Index k = 0; k < map.slope.rows(); ++k) {
    const double factor = gain(network, code, l, k);
    if (factor == 1) continue;
    for (double& value : map.slope.row(k)) value *= factor;
    map.offset(0, k) *= factor;
  }
}

// W (A x + b) + c.
AffineMap followed_by(const AffineMap& map, const PiecewiseAffineLayer& layer) {
  AffineMap result{Matrix<double>(layer.weight.rows(), map.slope.cols()), layer.bias};
  // n_l x d = (n_l x n_{l-1}) (n_{l-1} x d)
  gemm<double>(layer.weight, map.slope, result.slope);
  // 1 x n_l = (1 x n_{l-1}) (n_l x n_{l-1})ᵀ
  gemm<double>(map.offset, layer.weight, result.offset, {.b = true}, 1.0, 1.0);
  return result;
}

// Calls visit(l, map) with the map from x to the pre-activations of hidden layers 0, ..., last.
template <class Visit>
AffineMap pre_activation_maps(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index last,
                              const Visit& visit) {
  AffineMap map{layer_of(network, 0).weight, layer_of(network, 0).bias};
  visit(Index{0}, map);
  for (Index l = 1; l <= last; ++l) {
    gate_rows(network, code, l - 1, map);
    map = followed_by(map, layer_of(network, l));
    visit(l, map);
  }
  return map;
}

}  // namespace

AffineMap affine_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code) {
  check("affine_map", network, code, 0);
  // From the last layer backwards: k rows at a time, and k is small.
  AffineMap map{layer_of(network, network.hidden_layers()).weight, layer_of(network, network.hidden_layers()).bias};
  for (Index l = network.hidden_layers() - 1; l >= 0; --l) {
    const PiecewiseAffineLayer& layer = layer_of(network, l);
    for (Index k = 0; k < map.slope.cols(); ++k) {
      const double factor = gain(network, code, l, k);
      if (factor != 1)
        for (Index i = 0; i < map.slope.rows(); ++i) map.slope(i, k) *= factor;
    }
    // 1 x k = (1 x n_l) (k x n_l)ᵀ
    gemm<double>(layer.bias, map.slope, map.offset, {.b = true}, 1.0, 1.0);
    // k x n_{l-1} = (k x n_l) (n_l x n_{l-1})
    Matrix<double> slope(map.slope.rows(), layer.weight.cols());
    gemm<double>(map.slope, layer.weight, slope);
    map.slope = std::move(slope);
  }
  return map;
}

AffineMap affine_map_to(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer) {
  check("affine_map_to", network, code, layer);
  if (layer == network.hidden_layers()) return affine_map(network, code);
  AffineMap map = pre_activation_maps(network, code, layer, [](Index, const AffineMap&) {});
  gate_rows(network, code, layer, map);
  return map;
}

AffineMap layer_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer) {
  check("layer_map", network, code, layer);
  AffineMap map{layer_of(network, layer).weight, layer_of(network, layer).bias};
  if (layer < network.hidden_layers()) gate_rows(network, code, layer, map);
  return map;
}

AffineMap unit_maps(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code) {
  check("unit_maps", network, code, 0);
  const Index units = network.first_unit(network.hidden_layers());
  AffineMap all{Matrix<double>(units, network.inputs()), Matrix<double>(1, units)};
  if (units == 0) return all;
  pre_activation_maps(network, code, network.hidden_layers() - 1, [&](Index l, const AffineMap& map) {
    const Index first = network.first_unit(l);
    std::ranges::copy(map.slope.span(), all.slope.view().row_block(first, map.slope.rows()).data());
    std::ranges::copy(map.offset.span(), all.offset.data() + first);
  });
  return all;
}

std::vector<LocalMap> local_maps(const PiecewiseAffineNetwork& network, ConstView<double> x, int threads) {
  check_threads("local_maps", threads);
  std::vector<ActivationCode> codes = network.codes(x);
  std::vector<LocalMap> result(codes.size());
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, x.rows(), failures, [&](Index i) {
    const auto at = static_cast<std::size_t>(i);
    AffineMap map = affine_map(network, codes[at]);
    result[at] = {.code = std::move(codes[at]), .map = std::move(map)};
  });
  return result;
}

}  // namespace normalign

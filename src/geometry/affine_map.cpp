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

// The entries of the code that belong to hidden layer l.
std::span<const std::uint8_t> code_of(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code,
                                      Index l) {
  return code.subspan(static_cast<std::size_t>(network.first_unit(l)), static_cast<std::size_t>(network.units(l)));
}

// map <- D_q map, in place; the rows of map are the units, q their code and `slope` that of their activation.
void gate_rows(std::span<const std::uint8_t> code, double slope, AffineMap& map) {
  if (slope == 1) return;
  for (Index k = 0; k < map.slope.rows(); ++k) {
    if (code[static_cast<std::size_t>(k)]) continue;
    for (double& value : map.slope.row(k)) value *= slope;
    map.offset(0, k) *= slope;
  }
}

}  // namespace

AffineMap affine_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code) {
  check("affine_map", network, code, 0);
  // From the last layer backwards: k rows at a time, and k is small.
  AffineMap map{layer_of(network, network.hidden_layers()).weight, layer_of(network, network.hidden_layers()).bias};
  for (Index l = network.hidden_layers() - 1; l >= 0; --l) {
    const PiecewiseAffineLayer& layer = layer_of(network, l);
    const std::span<const std::uint8_t> on = code_of(network, code, l);
    for (Index k = 0; k < map.slope.cols(); ++k)
      if (!on[static_cast<std::size_t>(k)])
        for (Index i = 0; i < map.slope.rows(); ++i) map.slope(i, k) *= layer.slope;
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
  AffineMap map, memory;
  for (Index l = 0; l <= layer; ++l) detail::advance(network, code, l, map, memory);
  gate_rows(code_of(network, code, layer), layer_of(network, layer).slope, map);
  return map;
}

AffineMap layer_map(const PiecewiseAffineLayer& layer, std::span<const std::uint8_t> code) {
  AffineMap map{layer.weight, layer.bias};
  gate_rows(code, layer.slope, map);
  return map;
}

AffineMap layer_map(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index layer) {
  check("layer_map", network, code, layer);
  const PiecewiseAffineLayer& found = layer_of(network, layer);
  if (layer == network.hidden_layers()) return {found.weight, found.bias};
  return layer_map(found, code_of(network, code, layer));
}

AffineMap unit_maps(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code) {
  check("unit_maps", network, code, 0);
  const Index units = network.first_unit(network.hidden_layers());
  AffineMap all{Matrix<double>(units, network.inputs()), Matrix<double>(1, units)}, map, memory;
  for (Index l = 0; l < network.hidden_layers(); ++l) {
    detail::advance(network, code, l, map, memory);
    const Index first = network.first_unit(l);
    std::ranges::copy(map.slope.span(), all.slope.view().row_block(first, map.slope.rows()).data());
    std::ranges::copy(map.offset.span(), all.offset.data() + first);
  }
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

void detail::advance(const PiecewiseAffineNetwork& network, std::span<const std::uint8_t> code, Index l, AffineMap& map,
                     AffineMap& memory) {
  const PiecewiseAffineLayer& layer = layer_of(network, l);
  if (l == 0) {
    map.slope = layer.weight;
    map.offset = layer.bias;
    return;
  }
  gate_rows(code_of(network, code, l - 1), layer_of(network, l - 1).slope, map);
  memory.slope.resize(layer.weight.rows(), map.slope.cols());
  memory.offset = layer.bias;
  // n_l x d = (n_l x n_{l-1}) (n_{l-1} x d)
  gemm<double>(layer.weight, map.slope, memory.slope);
  // 1 x n_l = (1 x n_{l-1}) (n_l x n_{l-1})ᵀ
  gemv<double>(layer.weight, map.offset, memory.offset, false, 1.0, 1.0);
  std::swap(map, memory);
}

}  // namespace normalign

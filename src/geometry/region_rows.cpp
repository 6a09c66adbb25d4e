#include "geometry/region_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

RegionRows::RegionRows(const PiecewiseAffineNetwork& network)
    : network_(&network),
      units_(network.first_unit(network.hidden_layers())),
      slopes_(units_ + 1 + network.outputs(), network.inputs()),
      offsets_(1, slopes_.rows()),
      roundings_(zero_slope_lengths(network)) {}

void RegionRows::compute(std::span<const std::uint8_t> code) {
  const Index d = slopes_.cols();
  for (Index l = 0; l <= network_->hidden_layers(); ++l) {
    const auto& [weight, bias, slope] = network_->layers()[static_cast<std::size_t>(l)];
    const bool hidden = l < network_->hidden_layers();
    const Index first = hidden ? network_->first_unit(l) : output(0), n = weight.rows();
    const MatrixView<double> rows = slopes_.view().row_block(first, n);
    const MatrixView<double> row_offsets(offsets_.data() + first, 1, n);
    std::ranges::copy(bias.span(), row_offsets.data());
    if (l == 0) {
      std::ranges::copy(weight.span(), rows.data());
    } else {
      // n_l x d = (n_l x n_{l-1}) (n_{l-1} x d)
      gemm<double>(weight, map_, rows);
      // 1 x n_l = (1 x n_{l-1}) (n_l x n_{l-1})ᵀ
      gemv<double>(weight, map_offsets_, row_offsets, false, 1.0, 1.0);
    }
    if (!hidden) return;
    map_.resize(n, d);
    map_offsets_.resize(1, n);
    const double zero = roundings_[static_cast<std::size_t>(l)];
    for (Index k = 0; k < n; ++k) {
      const bool on = code[static_cast<std::size_t>(first + k)];
      const double gain = on ? 1 : slope, sign = on ? 1 : -1;
      map_offsets_(0, k) = gain * row_offsets(0, k);
      row_offsets(0, k) *= sign;
      const bool constant = dot<double>(rows.row(k), rows.row(k)) <= zero * zero;
      for (Index i = 0; i < d; ++i) {
        map_(k, i) = gain * rows(k, i);
        rows(k, i) = constant ? 0 : sign * rows(k, i);
      }
    }
  }
}

void RegionRows::choose(Index j) {
  std::ranges::copy(slopes_.row(output(j)), slopes_.row(units_).begin());
  offsets_(0, units_) = offsets_(0, output(j));
}

std::vector<double> zero_slope_lengths(const PiecewiseAffineNetwork& network) {
  std::vector<double> result;
  double length = std::numeric_limits<double>::epsilon();
  for (Index l = 0; l < network.hidden_layers(); ++l) {
    const auto& [weight, bias, slope] = network.layers()[static_cast<std::size_t>(l)];
    length *= std::sqrt(dot(weight.span(), weight.span()));
    result.push_back(length);
    length *= std::max(1.0, std::abs(slope));
  }
  return result;
}

}  // namespace normalign

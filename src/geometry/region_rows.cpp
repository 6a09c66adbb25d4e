#include "geometry/region_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/reduce.hpp"

namespace normalign::detail {

RegionRows::RegionRows(const PiecewiseAffineNetwork& network)
    : network_(&network),
      units_(network.first_unit(network.hidden_layers())),
      slopes_(units_ + 1 + network.outputs(), network.inputs()),
      offsets_(1, slopes_.rows()),
      roundings_(zero_slope_lengths(network)) {}

void RegionRows::compute(std::span<const std::uint8_t> code) {
  for (Index l = 0; l < network_->hidden_layers(); ++l) {
    advance(*network_, code, l, map_, memory_);
    const double zero = roundings_[static_cast<std::size_t>(l)];
    for (Index k = 0; k < map_.slope.rows(); ++k) {
      const Index u = network_->first_unit(l) + k;
      const double sign = code[static_cast<std::size_t>(u)] ? 1 : -1;
      const std::span<const double> slope = std::as_const(map_.slope).row(k);
      const bool constant = dot(slope, slope) <= zero * zero;
      std::ranges::transform(slope, slopes_.row(u).begin(), [&](double value) { return constant ? 0 : sign * value; });
      offsets_(0, u) = sign * map_.offset(0, k);
    }
  }
  advance(*network_, code, network_->hidden_layers(), map_, memory_);
  std::ranges::copy(map_.slope.span(), slopes_.row(output(0)).begin());
  std::ranges::copy(map_.offset.span(), offsets_.data() + output(0));
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

}  // namespace normalign::detail

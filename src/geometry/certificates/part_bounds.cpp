#include "geometry/certificates/part_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/region_rows.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign::detail {

namespace {

// In l2 half-spaces of many inputs leave a box nearly as it is: twice the time for one part in fifty less.
constexpr Index box_inputs = 8;

}  // namespace

PartBounds::PartBounds(const PiecewiseAffineNetwork& network, ConstView<double> x, Norm norm)
    : network_(&network),
      x_(x),
      norm_(norm),
      has_box_(norm == Norm::linf || network.inputs() <= box_inputs),
      roundings_(zero_slope_lengths(network)),
      units_(static_cast<std::size_t>(network.first_unit(network.hidden_layers()))),
      influence_(units_.size()),
      slopes_(static_cast<Index>(units_.size()) + 2, network.inputs()),
      offsets_(1, slopes_.rows()),
      scale_(std::max(1.0, norm_length(x.span(), Norm::l2))) {}

bool PartBounds::compute(std::span<const UnitSign> signs, const Cap& cap, Index output) {
  const auto d = static_cast<std::size_t>(x_.cols());
  middle_.assign(d, 0);
  reach_.assign(d, cap.radius);
  count_ = 0;
  if (cap.least > 0) add_half_space(cap.direction, -dot(cap.direction, x_.span()) - cap.least, 1, 0);
  bool exact = true;
  for (Index l = 0; l < network_->hidden_layers(); ++l) {
    const Index first = network_->first_unit(l), n = network_->units(l);
    trace(l, 0, n, 1, upper_);
    // Without bent units so far both bounds are the unit itself.
    if (!exact) trace(l, 0, n, -1, lower_);
    const Rows& lower = exact ? upper_ : lower_;
    const double slope = network_->layers()[static_cast<std::size_t>(l)].slope;
    const double zero = roundings_[static_cast<std::size_t>(l)];
    const auto above = [&](Index k) { return std::as_const(upper_.slopes).row(k); };
    const auto below = [&](Index k) { return lower.slopes.row(k); };
    const std::span<const UnitSign> given = signs.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
    for (Index k = 0; k < n; ++k) {
      const UnitSign sign = given[static_cast<std::size_t>(k)];
      if (sign == UnitSign::on) add_half_space(above(k), upper_.offsets(0, k), 1, zero);
      if (sign == UnitSign::off) add_half_space(below(k), lower.offsets(0, k), -1, zero);
    }
    if (has_box_ && !shrink_box()) return false;
    bool is_bent = false;
    for (Index k = 0; k < n; ++k) {
      Unit& u = units_[static_cast<std::size_t>(first + k)];
      const double high = most(above(k), upper_.offsets(0, k), 1, cap),
                   low = -most(below(k), lower.offsets(0, k), -1, cap);
      u = unit(low, high, slope, given[static_cast<std::size_t>(k)]);
      is_bent |= u.is_bent;
    }
    exact &= !is_bent;
  }
  trace(network_->hidden_layers(), output, 1, 1, upper_);
  const auto slope = std::as_const(upper_.slopes).row(0);
  output_slope_ = norm_length(slope, Norm::l2);
  add_half_space(slope, upper_.offsets(0, 0), 1, 0);
  return most(slope, upper_.offsets(0, 0), 1, cap) >= -1e-9 * scale_ * output_slope_;
}

HalfSpaces PartBounds::half_spaces() const {
  return {.slopes = slopes_.view().row_block(0, count_), .offsets = {offsets_.data(), 1, count_}};
}

// Bounds of `count` units of a layer (the outputs are the last one) from `first` on: from above where side is 1, from
// below where it is -1. The units of earlier layers have their lines.
void PartBounds::trace(Index layer, Index first, Index count, double side, Rows& rows) {
  const PiecewiseAffineLayer& top = network_->layers()[static_cast<std::size_t>(layer)];
  coefficients_.resize(count, top.weight.cols());
  std::ranges::copy(top.weight.view().row_block(first, count).span(), coefficients_.data());
  rows.offsets.resize(1, count);
  std::ranges::copy(top.bias.span().subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                    rows.offsets.data());
  for (Index below = layer; below-- > 0;) {
    const auto& [weight, bias, activation_slope] = network_->layers()[static_cast<std::size_t>(below)];
    const Unit* const units = units_.data() + network_->first_unit(below);
    if (layer == network_->hidden_layers())
      std::ranges::copy(coefficients_.row(0), influence_.data() + network_->first_unit(below));
    for (Index k = 0; k < count; ++k) {
      double offset = rows.offsets(0, k);
      const auto row = coefficients_.row(k);
      for (std::size_t i = 0; i < row.size(); ++i) {
        const Line& line = side * row[i] > 0 ? units[i].upper : units[i].lower;
        offset += row[i] * line.offset;
        row[i] *= line.slope;
        offset += row[i] * bias(0, static_cast<Index>(i));
      }
      rows.offsets(0, k) = offset;
    }
    next_.resize(count, weight.cols());
    // count x n_{l-1} = (count x n_l) (n_l x n_{l-1})
    gemm<double>(coefficients_, weight, next_);
    std::swap(coefficients_, next_);
  }
  std::swap(rows.slopes, coefficients_);
}

// The most that side * (slope z + offset) can be in cap and box.
double PartBounds::most(std::span<const double> slope, double offset, double side, const Cap& cap) const {
  const double here = side * (dot(slope, x_.span()) + offset), length = dual_length(slope, norm_);
  double in_cap = length * cap.radius;
  if (cap.least > 0) {
    const double along = side * dot(slope, cap.direction);
    if (along * cap.radius < length * cap.least) {
      // On the rim.
      const double across = std::sqrt(std::max(0.0, length * length - along * along));
      in_cap = along * cap.least + across * std::sqrt(std::max(0.0, cap.radius * cap.radius - cap.least * cap.least));
    }
  }
  if (!has_box_) return here + in_cap;
  double in_box = 0;
#pragma omp simd reduction(+ : in_box)
  for (std::size_t i = 0; i < slope.size(); ++i)
    in_box += side * slope[i] * middle_[i] + std::abs(slope[i]) * reach_[i];
  return here + std::min(in_cap, in_box);
}

// Draws the box in to what each half-space leaves of it; false when that is nothing. Bounds keep a margin for rounding.
bool PartBounds::shrink_box() {
  for (int pass = 0; pass < 2; ++pass)
    for (Index row = 0; row < count_; ++row) {
      const std::span<const double> slope = std::as_const(slopes_).row(row);
      double most = dot(slope, x_.span()) + offsets_(0, row), squared = 0;
#pragma omp simd reduction(+ : most, squared)
      for (std::size_t i = 0; i < slope.size(); ++i) {
        most += slope[i] * middle_[i] + std::abs(slope[i]) * reach_[i];
        squared += slope[i] * slope[i];
      }
      const double margin = 1e-9 * scale_ * std::sqrt(squared);
      if (most < -margin) return false;
      for (std::size_t i = 0; i < slope.size(); ++i) {
        // How far back from its best end coordinate i may go.
        const double size = std::abs(slope[i]), back = (most + margin) / size;
        if (!(size > 0 && back < 2 * reach_[i])) continue;
        middle_[i] += std::copysign(reach_[i] - 0.5 * back, slope[i]);
        reach_[i] = 0.5 * back;
      }
    }
  return true;
}

// With t in [low, high], t where t > 0 and slope * t elsewhere lies between two lines.
PartBounds::Unit PartBounds::unit(double low, double high, double slope, UnitSign sign) const {
  Unit result{.upper = {}, .lower = {}, .low = low, .high = high};
  if (sign != UnitSign::any || low >= 0 || high <= 0) {
    const bool on = sign == UnitSign::any ? low >= 0 : sign == UnitSign::on;
    result.upper = result.lower = {.slope = on ? 1 : slope, .offset = 0};
    return result;
  }
  result.is_bent = true;
  const double chord = (high - slope * low) / (high - low);
  const Line through_ends{.slope = chord, .offset = high * (1 - chord)};
  const Line through_zero{.slope = high > -low ? 1 : slope, .offset = 0};
  result.upper = slope < 1 ? through_ends : through_zero;
  result.lower = slope < 1 ? through_zero : through_ends;
  return result;
}

void PartBounds::add_half_space(std::span<const double> slope, double offset, double side, double zero) {
  const bool constant = dot(slope, slope) <= zero * zero;
  std::ranges::transform(slope, slopes_.row(count_).begin(), [&](double value) { return constant ? 0 : side * value; });
  offsets_(0, count_++) = side * offset;
}

Index PartBounds::loosest_unit(ConstView<double> z) const {
  Index loosest = -1, uncertain = -1;
  double most = 0, width = 0;
  Matrix<double> activations(z);
  for (Index l = 0; l < network_->hidden_layers(); ++l) {
    const auto& [weight, bias, slope] = network_->layers()[static_cast<std::size_t>(l)];
    Matrix<double> t(bias);
    gemm<double>(activations, weight, t, {.b = true}, 1.0, 1.0);
    const bool is_first = uncertain < 0;
    for (Index k = 0; k < t.cols(); ++k) {
      const Index u = network_->first_unit(l) + k;
      const Unit& here = units_[static_cast<std::size_t>(u)];
      if (!here.is_bent) continue;
      const double value = t(0, k) > 0 ? t(0, k) : slope * t(0, k), influence = influence_[static_cast<std::size_t>(u)];
      const Line& line = influence > 0 ? here.upper : here.lower;
      const double gap = influence * (line.slope * t(0, k) + line.offset - value);
      if (gap > most) {
        most = gap;
        loosest = u;
      }
      const double both = std::min(here.high, -here.low);
      if (is_first && both > width) {
        width = both;
        uncertain = u;
      }
    }
    activate(t, slope);
    activations = std::move(t);
  }
  return loosest >= 0 ? loosest : uncertain;
}

}  // namespace normalign::detail

#include "geometry/certificates/part_bounds.hpp"

#include <algorithm>
#include <cmath>

#include "geometry/certificates/rounding.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign::detail {

namespace {

// In l2 half-spaces of many inputs leave a box nearly as it is: twice the time for one part in fifty less.
constexpr Index box_inputs = 8;

}  // namespace

PartBounds::PartBounds(const CentredMargins& margins, Norm norm, StopPoll stop)
    : stop_(std::move(stop)),
      margins_(&margins),
      network_(&margins.network()),
      norm_(norm),
      has_box_(norm == Norm::linf || network_->inputs() <= box_inputs),
      units_(static_cast<std::size_t>(network_->first_unit(network_->hidden_layers()))),
      influence_(units_.size()),
      slopes_(static_cast<Index>(units_.size()) + 2, network_->inputs()),
      offsets_(1, slopes_.rows()) {
  for (const PiecewiseAffineLayer& layer : network_->layers()) {
    weight_sizes_.push_back(layer.weight);
    for (double& value : weight_sizes_.back().span()) value = std::abs(value);
  }
  weight_sizes_.back() = margins.last_weight_sizes();
}

bool PartBounds::compute(std::span<const UnitSign> signs, const Cap& cap, Index output) {
  if (!bound_units(signs, cap)) return false;
  trace(network_->hidden_layers(), output, 1, 1, upper_);
  const auto slope = std::as_const(upper_.slopes).row(0);
  const double offset = upper_.offsets(0, 0) + errors_[static_cast<std::size_t>(output)];
  add_half_space(slope, offset, 1);
  return most(slope, offset, 1, cap) >= 0;
}

bool PartBounds::are_negative(double radius) {
  const Cap ball{.radius = radius};
  if (!bound_units(std::vector(units_.size(), UnitSign::any), ball)) return true;
  trace(network_->hidden_layers(), 0, network_->outputs(), 1, upper_);
  for (Index j = 0; j < network_->outputs(); ++j) {
    const double offset = upper_.offsets(0, j) + errors_[static_cast<std::size_t>(j)];
    if (most(std::as_const(upper_.slopes).row(j), offset, 1, ball) >= 0) return false;
  }
  return true;
}

// The half-spaces of the cap and of given signs, the units' lines, and the errors of the outputs; false where nothing
// is left.
bool PartBounds::bound_units(std::span<const UnitSign> signs, const Cap& cap) {
  const auto d = static_cast<std::size_t>(network_->inputs());
  middle_.assign(d, 0);
  reach_.assign(d, cap.radius);
  radius_ = cap.radius;
  sizes_.assign(d, cap.radius);
  deviations_.assign(d, 0);
  count_ = 0;
  if (cap.least > 0) add_half_space(cap.direction, -cap.least, 1);
  bool exact = true;
  for (Index l = 0; l < network_->hidden_layers(); ++l) {
    const Index first = network_->first_unit(l), n = network_->units(l);
    bound_errors(l);
    trace(l, 0, n, 1, upper_);
    // Without bent units so far both bounds are the unit itself, up to the error on either side.
    if (!exact) trace(l, 0, n, -1, lower_);
    const Rows& below_rows = exact ? upper_ : lower_;
    const double slope = network_->layers()[static_cast<std::size_t>(l)].slope;
    const auto above = [&](Index k) { return std::as_const(upper_.slopes).row(k); };
    const auto below = [&](Index k) { return below_rows.slopes.row(k); };
    const auto most_of = [&](Index k) { return upper_.offsets(0, k) + errors_[static_cast<std::size_t>(k)]; };
    const auto least_of = [&](Index k) { return below_rows.offsets(0, k) - errors_[static_cast<std::size_t>(k)]; };
    const std::span<const UnitSign> given = signs.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(n));
    for (Index k = 0; k < n; ++k) {
      const UnitSign sign = given[static_cast<std::size_t>(k)];
      if (sign == UnitSign::on) add_half_space(above(k), most_of(k), 1);
      if (sign == UnitSign::off) add_half_space(below(k), least_of(k), -1);
    }
    if (has_box_ && !shrink_box()) return false;
    bool is_bent = false;
    for (Index k = 0; k < n; ++k) {
      Unit& u = units_[static_cast<std::size_t>(first + k)];
      const double high = most(above(k), most_of(k), 1, cap), low = -most(below(k), least_of(k), -1, cap);
      u = unit(low, high, slope, given[static_cast<std::size_t>(k)]);
      is_bent |= u.is_bent;
      const auto at = static_cast<std::size_t>(k);
      const double steepest = std::max(1.0, std::abs(slope));
      sizes_[at] = steepest * sizes_[at] + std::max(std::abs(u.upper.offset), std::abs(u.lower.offset));
      deviations_[at] *= steepest;
    }
    exact &= !is_bent;
  }
  bound_errors(network_->hidden_layers());
  return true;
}

// Sizes and deviations of the layer's pre-activations out of those of what comes in, and the errors of rows that are
// traced from there. On each path to the input every layer rounds a product, a sum of its width and the lines.
void PartBounds::bound_errors(Index layer) {
  const auto at = static_cast<std::size_t>(layer);
  const Matrix<double>& sizes = weight_sizes_[at];
  const bool is_last = layer == network_->hidden_layers();
  const ConstView<double> bias = is_last ? margins_->last_bias_sizes().view() : network_->layers()[at].bias.view();
  Index roundings = 8;
  for (Index l = 0; l <= layer; ++l) roundings += network_->layers()[static_cast<std::size_t>(l)].weight.cols() + 8;
  const double rounding = rounding_of<double>(roundings) * (1 + 2 * rounding_of<double>(roundings));
  std::vector<double> next(static_cast<std::size_t>(sizes.rows())), deviations(next.size());
  errors_.resize(next.size());
  for (Index k = 0; k < sizes.rows(); ++k) {
    const auto i = static_cast<std::size_t>(k);
    next[i] = std::abs(bias(0, k)) + dot(sizes.row(k), std::span<const double>(sizes_));
    deviations[i] = layer == 0 ? margins_->first_constant()[i] + margins_->first_rate()[i] * radius_
                               : dot(sizes.row(k), std::span<const double>(deviations_));
    errors_[i] = rounding * next[i] + deviations[i] * (1 + rounding) + underflow_of<double>(roundings);
  }
  sizes_ = std::move(next);
  deviations_ = std::move(deviations);
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
    stop_.check();
    const auto& [weight, bias, activation_slope] = network_->layers()[static_cast<std::size_t>(below)];
    const Unit* const units = units_.data() + network_->first_unit(below);
    if (layer == network_->hidden_layers() && count == 1)
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

// The most that side * (slope z + offset) can be in cap and box, with every rounding upward.
double PartBounds::most(std::span<const double> slope, double offset, double side, const Cap& cap) const {
  const auto d = static_cast<Index>(slope.size());
  const double rounding = rounding_of<double>(d + 16), whole = 1 + rounding;
  const double length = dual_length(slope, norm_) * whole + underflow_of<double>(d);
  double in_cap = length * cap.radius * whole;
  if (cap.least > 0) {
    const double least = cap.least * (1 - rounding);
    const double along = side * dot(slope, cap.direction) + rounding * length;
    if (along * cap.radius < length * least) {
      // On the rim.
      const double across = std::sqrt(std::max(0.0, length * length - along * along) + rounding * length * length);
      const double rim =
          std::sqrt(std::max(0.0, cap.radius * cap.radius - least * least) + rounding * cap.radius * cap.radius);
      in_cap = std::min(in_cap, along * least + across * rim + rounding * length * cap.radius);
    }
  }
  const double here = side * offset;
  double in_box = 0, size = 0;
  if (has_box_) {
#pragma omp simd reduction(+ : in_box, size)
    for (std::size_t i = 0; i < slope.size(); ++i) {
      in_box += side * slope[i] * middle_[i] + std::abs(slope[i]) * reach_[i];
      size += std::abs(slope[i]) * (std::abs(middle_[i]) + reach_[i]);
    }
    in_cap = std::min(in_cap, in_box + rounding * size);
  }
  return here + in_cap + rounding * (std::abs(here) + std::abs(in_cap));
}

// Draws the box in to what each half-space leaves of it; false when that is nothing. Bounds keep a margin for rounding.
bool PartBounds::shrink_box() {
  const double rounding = rounding_of<double>(network_->inputs() + 16);
  for (int pass = 0; pass < 2; ++pass)
    for (Index row = 0; row < count_; ++row) {
      const std::span<const double> slope = std::as_const(slopes_).row(row);
      double most = offsets_(0, row), sum = std::abs(most);
#pragma omp simd reduction(+ : most, sum)
      for (std::size_t i = 0; i < slope.size(); ++i) {
        most += slope[i] * middle_[i] + std::abs(slope[i]) * reach_[i];
        sum += std::abs(slope[i]) * (std::abs(middle_[i]) + reach_[i]);
      }
      const double margin = 2 * rounding * sum;
      if (most < -margin) return false;
      for (std::size_t i = 0; i < slope.size(); ++i) {
        // How far back from its best end coordinate i may go.
        const double size = std::abs(slope[i]), back = (most + margin) / size * (1 + rounding);
        if (!(size > 0 && back < 2 * reach_[i])) continue;
        middle_[i] += std::copysign(reach_[i] - 0.5 * back, slope[i]);
        reach_[i] = 0.5 * back + rounding * (std::abs(middle_[i]) + reach_[i]);
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
  // Through the ends, and a rounding beyond the further one.
  const double at_high = high - chord * high, at_low = slope * low - chord * low;
  const double rounding = rounding_of<double>(8) * (high - low) * std::max(1.0, std::abs(slope));
  const Line through_ends{
      .slope = chord,
      .offset = slope < 1 ? std::max(at_high, at_low) + rounding : std::min(at_high, at_low) - rounding};
  const Line through_zero{.slope = high > -low ? 1 : slope, .offset = 0};
  result.upper = slope < 1 ? through_ends : through_zero;
  result.lower = slope < 1 ? through_zero : through_ends;
  return result;
}

void PartBounds::add_half_space(std::span<const double> slope, double offset, double side) {
  std::ranges::transform(slope, slopes_.row(count_).begin(), [&](double value) { return side * value; });
  offsets_(0, count_++) = side * offset;
}

ActivationCode PartBounds::code() const {
  ActivationCode result;
  for (const Unit& u : units_) result.push_back(u.upper.slope == 1);
  return result;
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

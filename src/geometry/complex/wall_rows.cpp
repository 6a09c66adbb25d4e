#include "geometry/complex/wall_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/reduce.hpp"

namespace normalign::detail {

WallRows::WallRows(const PiecewiseAffineNetwork& network)
    : network_(&network),
      numbers_(network),
      length_(numbers_.inputs + 1),
      rows_(2 * length_ * (numbers_.units + numbers_.outputs + numbers_.pairs())),
      exact_(numbers_.units + numbers_.outputs + numbers_.pairs()) {
  int exponent = 0;  // of the rows of the layer before
  for (std::size_t l = 0; l < network.layers().size(); ++l) {
    const auto& [weight, bias, slope] = network.layers()[l];
    const std::size_t units = static_cast<std::size_t>(weight.rows()), before = static_cast<std::size_t>(weight.cols());
    std::vector<double> numbers(weight.span().begin(), weight.span().end());
    numbers.insert(numbers.end(), bias.span().begin(), bias.span().end());
    const DyadicVector all = dyadic(numbers);
    ExactLayer layer;
    for (std::size_t k = 0; k < units; ++k) {
      const auto begin = all.integers.begin() + static_cast<std::ptrdiff_t>(k * before);
      layer.rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(before));
      layer.rows.back().push_back(all.integers[units * before + k]);
    }
    if (l > 0) {
      const std::vector<double> slopes = {1, network.layers()[l - 1].slope};
      const DyadicVector gains = dyadic(slopes);
      layer.on = gains.integers[0];
      layer.off = gains.integers[1];
      layer.shift = -(gains.exponent + exponent);
      exponent += gains.exponent;
    }
    exponent += all.exponent;
    layers_.push_back(std::move(layer));
    first_.push_back(l == 0 ? 0 : first_.back() + static_cast<std::size_t>(network.layers()[l - 1].weight.rows()));
  }
}

BoundedRow WallRows::at(std::size_t row) const {
  const std::span<const double> both = std::span(rows_).subspan(2 * row * length_, 2 * length_);
  return {both.first(length_), both.subspan(length_)};
}

void WallRows::enter(Index layer, std::span<const Word> code) {
  code_.assign(code.begin(), code.end());
  const auto l = static_cast<std::size_t>(layer);
  const std::size_t units = layers_[l].rows.size();
  for (std::size_t k = 0; k < units; ++k) compute(l, k);
  const bool is_last = l + 1 == layers_.size();
  if (is_last) combine_outputs();
  const std::size_t end = is_last ? exact_.size() : first_[l] + units;
  for (std::size_t row = first_[l]; row < end; ++row) exact_[row].clear();
  if (!std::isfinite(
          total<double>(std::span<const double>(rows_).subspan(2 * first_[l] * length_, 2 * units * length_))))
    throw InputError(text("regions: a slope or offset of layer ", layer, " is beyond what a double holds on a region; ",
                          "weights and biases must be smaller"));
}

// Sums of m + 1 products of three factors each; Higham, Accuracy and Stability of Numerical Algorithms, ch. 3. Only
// sums of products with an exact 0 are without error: others may be too small for a double.
void WallRows::compute(std::size_t layer, std::size_t unit) {
  const auto& [weight, bias, slope] = network_->layers()[layer];
  const auto k = static_cast<Index>(unit);
  const std::span<double> row = values(first_[layer] + unit), error = errors(first_[layer] + unit);
  if (layer == 0) {
    std::ranges::copy(weight.row(k), row.begin());
    row[length_ - 1] = bias(0, k);
    std::ranges::fill(error, 0.0);
    return;
  }
  const auto before = static_cast<std::size_t>(weight.cols());
  const double rounding = static_cast<double>(before + 6) * unit_roundoff;
  const double off = network_->layers()[layer - 1].slope;
  std::ranges::fill(row, 0.0);
  std::ranges::fill(error, 0.0);
  for (std::size_t i = 0; i < before; ++i) {
    const std::size_t from = first_[layer - 1] + i;
    const double gain = weight(k, static_cast<Index>(i)) * (has(code_, from) ? 1 : off);
    if (gain == 0) continue;
    const std::span<const double> values_before = values(from), errors_before = errors(from);
    for (std::size_t j = 0; j < length_; ++j) {
      row[j] += gain * values_before[j];
      const bool is_zero = values_before[j] == 0 && errors_before[j] == 0;
      error[j] +=
          std::abs(gain) * (errors_before[j] + rounding * std::abs(values_before[j])) + (is_zero ? 0 : smallest);
    }
  }
  row[length_ - 1] += bias(0, k);
  if (bias(0, k) != 0) error[length_ - 1] += rounding * std::abs(bias(0, k)) + smallest;
  // The bounds themselves are rounded sums of positive numbers.
  for (double& bound : error) bound *= 1 + 2 * rounding;
}

// A pair of classes is a combination of outputs.
WallRows::Terms WallRows::terms_of(std::size_t row) const {
  const std::size_t pairs = numbers_.units + numbers_.outputs;
  if (row < pairs) {
    const auto layer = static_cast<std::size_t>(std::ranges::upper_bound(first_, row) - first_.begin()) - 1;
    return {.layer = layer, .plus = row - first_[layer], .minus = {}};
  }
  const std::size_t layer = layers_.size() - 1;
  if (numbers_.outputs == 1) return {.layer = layer, .plus = {}, .minus = 0};
  std::size_t i = 0, rest = row - pairs;
  for (; rest + i + 1 >= numbers_.classes(); ++i) rest -= numbers_.classes() - 1 - i;
  return {.layer = layer, .plus = i, .minus = i + 1 + rest};
}

void WallRows::combine_outputs() {
  for (std::size_t pair = 0; pair < numbers_.pairs(); ++pair) {
    const Terms terms = terms_of(numbers_.units + numbers_.outputs + pair);
    const std::span<double> row = values(row_number(numbers_.units + pair)),
                            error = errors(row_number(numbers_.units + pair));
    std::ranges::fill(row, 0.0);
    std::ranges::fill(error, 0.0);
    const auto add = [&](std::optional<std::size_t> output, double factor) {
      if (!output) return;
      const BoundedRow other = at(first_.back() + *output);
      for (std::size_t j = 0; j < length_; ++j) {
        row[j] += factor * other.values[j];
        error[j] = (error[j] + other.errors[j] + 2 * unit_roundoff * std::abs(row[j])) * (1 + 4 * unit_roundoff);
      }
    };
    add(terms.plus, 1);
    add(terms.minus, -1);
  }
}

std::optional<int> WallRows::implied_sign(std::size_t wall, std::span<const Word> positive,
                                          std::span<const Word> negative, bool is_direction) const {
  const Terms terms = terms_of(row_number(wall));
  if (terms.layer == 0) return std::nullopt;
  const PiecewiseAffineLayer& layer = network_->layers()[terms.layer];
  const double off = network_->layers()[terms.layer - 1].slope;
  bool above = false, below = false;
  const auto add = [&](const auto& entry_of, double factor) {
    // The sign of a difference of two doubles is that of the exact one.
    const double a = terms.plus ? entry_of(static_cast<Index>(*terms.plus)) : 0;
    const double b = terms.minus ? entry_of(static_cast<Index>(*terms.minus)) : 0;
    above = above || (factor > 0 ? a > b : factor < 0 && a < b);
    below = below || (factor > 0 ? a < b : factor < 0 && a > b);
  };
  for (Index i = 0; i < layer.weight.cols(); ++i) {
    const std::size_t from = first_[terms.layer - 1] + static_cast<std::size_t>(i);
    add([&](Index k) { return layer.weight(k, i); }, has(positive, from) ? 1 : has(negative, from) ? -off : 0);
  }
  if (!is_direction) add([&](Index k) { return layer.bias(0, k); }, 1);
  if (above && below) return std::nullopt;
  return above ? 1 : below ? -1 : 0;
}

const IntegerVector& WallRows::exact(std::size_t row) {
  if (!exact_[row].empty()) return exact_[row];
  const auto [layer, plus, minus] = terms_of(row);
  IntegerVector result(length_);
  if (plus && !minus) {
    result = exact_unit(layer, *plus);
  } else {
    if (plus) result = exact(first_[layer] + *plus);
    const IntegerVector& other = exact(first_[layer] + *minus);
    for (std::size_t j = 0; j < length_; ++j) result[j] -= other[j];
  }
  return exact_[row] = std::move(result);
}

IntegerVector WallRows::exact_unit(std::size_t layer, std::size_t unit) {
  const ExactLayer& here = layers_[layer];
  const IntegerVector& weights = here.rows[unit];
  if (layer == 0) return weights;
  IntegerVector result(length_);
  const std::size_t before = weights.size() - 1;
  for (std::size_t i = 0; i < before; ++i) {
    const std::size_t from = first_[layer - 1] + i;
    const Integer gain = weights[i] * (has(code_, from) ? here.on : here.off);
    if (gain == 0) continue;
    const IntegerVector& row = exact(from);
    for (std::size_t j = 0; j < length_; ++j) result[j] += gain * row[j];
  }
  result[length_ - 1] += weights[before] << here.shift;
  return result;
}

}  // namespace normalign::detail

#include "geometry/complex/wall_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/reduce.hpp"

namespace normalign::detail {
namespace {

constexpr double unit_roundoff = std::numeric_limits<double>::epsilon() / 2;

}  // namespace

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
  if (is_last) subtract_outputs();
  const std::size_t end = is_last ? exact_.size() : first_[l] + units;
  for (std::size_t row = first_[l]; row < end; ++row) exact_[row].clear();
  if (!std::isfinite(total<double>(std::span<const double>(rows_).subspan(2 * first_[l] * length_, 2 * units * length_))))
    throw InputError(text("regions: a slope or offset of layer ", layer, " is beyond what a double holds on a region; ",
                          "weights and biases must be smaller"));
}

// Sums of m + 1 products of three factors each; Higham, Accuracy and Stability of Numerical Algorithms, ch. 3.
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
  std::ranges::fill(error, std::numeric_limits<double>::min());
  for (std::size_t i = 0; i < before; ++i) {
    const std::size_t from = first_[layer - 1] + i;
    const double gain = weight(k, static_cast<Index>(i)) * (has(code_, from) ? 1 : off);
    if (gain == 0) continue;
    const std::span<const double> values_before = values(from), errors_before = errors(from);
    for (std::size_t j = 0; j < length_; ++j) {
      row[j] += gain * values_before[j];
      error[j] += std::abs(gain) * (errors_before[j] + rounding * std::abs(values_before[j]));
    }
  }
  row[length_ - 1] += bias(0, k);
  error[length_ - 1] += rounding * std::abs(bias(0, k));
  // The bounds themselves are rounded sums of positive numbers.
  for (double& bound : error) bound *= 1 + 2 * rounding;
}

void WallRows::subtract_outputs() {
  const std::size_t outputs = first_.back();
  const auto set = [&](std::size_t wall, std::size_t minuend, std::size_t subtrahend, bool is_difference) {
    const std::span<double> row = values(row_number(wall)), error = errors(row_number(wall));
    for (std::size_t j = 0; j < length_; ++j) {
      const double a = is_difference ? values(minuend)[j] : 0, b = values(subtrahend)[j];
      row[j] = a - b;
      error[j] = (is_difference ? errors(minuend)[j] : 0) + errors(subtrahend)[j] + 2 * unit_roundoff * std::abs(a - b);
      error[j] *= 1 + 4 * unit_roundoff;
    }
  };
  if (numbers_.outputs == 1) return set(numbers_.pair(0, 1), 0, outputs, false);
  for (std::size_t i = 0; i < numbers_.outputs; ++i)
    for (std::size_t j = i + 1; j < numbers_.outputs; ++j) set(numbers_.pair(i, j), outputs + i, outputs + j, true);
}

const IntegerVector& WallRows::exact(std::size_t row) {
  if (!exact_[row].empty()) return exact_[row];
  const std::size_t outputs = first_.back(), pairs = outputs + numbers_.outputs;
  IntegerVector result;
  if (row < pairs) {
    const auto layer = static_cast<std::size_t>(std::ranges::upper_bound(first_, row) - first_.begin()) - 1;
    result = exact_unit(layer, row - first_[layer]);
  } else {
    std::size_t i = 0, rest = row - pairs;
    for (; rest + i + 1 >= numbers_.classes(); ++i) rest -= numbers_.classes() - 1 - i;
    if (numbers_.outputs == 1) {
      result = exact(outputs);
      for (Integer& value : result) value = -value;
    } else {
      result = exact(outputs + i);
      const IntegerVector& other = exact(outputs + i + 1 + rest);
      for (std::size_t n = 0; n < length_; ++n) result[n] -= other[n];
    }
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

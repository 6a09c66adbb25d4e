#include "geometry/certificates/centred_margins.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/infinity.hpp"
#include "geometry/certificates/rounding.hpp"
#include "geometry/integers.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign::detail {
namespace {

using Wide = long double;

// A value and a bound on its error.
struct Enclosed {
  Wide value = 0, error = 0;
};

// The outputs at x + step, of type Wide with a bound on their errors. One layer's error is what the layers below hand
// on, times the sizes of the weights, and its own rounding.
std::vector<Enclosed> enclosed_outputs(const PiecewiseAffineNetwork& network, ConstView<double> x,
                                       ConstView<double> step) {
  std::vector<Enclosed> z;
  for (Index i = 0; i < x.cols(); ++i) {
    const Wide sum = static_cast<Wide>(x(0, i)) + step(0, i);
    z.push_back({.value = sum, .error = rounding_of<Wide>(1) * std::abs(sum)});
  }
  for (const auto& [weight, bias, slope] : network.layers()) {
    std::vector<Enclosed> next(static_cast<std::size_t>(weight.rows()));
    const Wide rounding = rounding_of<Wide>(weight.cols() + 4);
    for (Index k = 0; k < weight.rows(); ++k) {
      const auto row = weight.row(k);
      Wide value = bias(0, k), size = std::abs(value), error = 0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const Wide term = row[i] * z[i].value;
        value += term;
        size += std::abs(term);
        error += std::abs(static_cast<Wide>(row[i])) * z[i].error;
      }
      error = error * (1 + rounding) + rounding * size + underflow_of<Wide>(weight.cols());
      const Wide steepest = std::max<Wide>(1, std::abs(static_cast<Wide>(slope)));
      next[static_cast<std::size_t>(k)] = {
          .value = value > 0 ? value : slope * value,
          .error = steepest * error * (1 + rounding_of<Wide>(2)) + rounding_of<Wide>(1) * std::abs(slope * value)};
    }
    z = std::move(next);
  }
  return z;
}

// The outputs at x + step as integers, all times one positive number: nothing is rounded.
IntegerVector exact_outputs(const PiecewiseAffineNetwork& network, ConstView<double> x, ConstView<double> step) {
  DyadicVector z = sum_of(dyadic(x.span()), dyadic(step.span()));
  for (const auto& [weight, bias, slope] : network.layers()) {
    const DyadicVector weights = dyadic(weight.span());
    DyadicVector t{.integers = {}, .exponent = weights.exponent + z.exponent};
    for (auto row = weights.integers.begin(); row != weights.integers.end(); row += weight.cols())
      t.integers.push_back(std::inner_product(z.integers.begin(), z.integers.end(), row, Integer(0)));
    t = sum_of(t, dyadic(bias.span()));
    std::vector<double> slopes;
    for (const Integer& value : t.integers) slopes.push_back(value < 0 ? slope : 1);
    z = product_of(t, dyadic(slopes));
  }
  return z.integers;
}

// 1 x n times n x cols.
DyadicVector row_times(const DyadicVector& row, const DyadicVector& matrix, std::size_t cols) {
  DyadicVector result{.integers = IntegerVector(cols), .exponent = row.exponent + matrix.exponent};
  for (std::size_t i = 0; i < row.integers.size(); ++i)
    if (row.integers[i] != 0)
      for (std::size_t k = 0; k < cols; ++k) result.integers[k] += row.integers[i] * matrix.integers[i * cols + k];
  return result;
}

// The class of x: of one output 1 where it is positive, else the first of the largest.
Index class_of(const PiecewiseAffineNetwork& network, ConstView<double> x) {
  const Matrix<double> origin(1, x.cols());
  const std::vector<Enclosed> f = enclosed_outputs(network, x, origin);
  const Index largest = std::ranges::max_element(f, {}, &Enclosed::value) - f.begin();
  const Enclosed& most = f[static_cast<std::size_t>(largest)];
  if (f.size() == 1 && std::abs(most.value) > most.error) return most.value > 0 ? 1 : 0;
  const auto is_below = [&](const Enclosed& other) {
    return &other == &most || (most.value - other.value) * (1 - rounding_of<Wide>(4)) > most.error + other.error;
  };
  if (f.size() > 1 && std::ranges::all_of(f, is_below)) return largest;
  const IntegerVector exact = exact_outputs(network, x, origin);
  return exact.size() == 1 ? (exact[0] > 0 ? 1 : 0) : std::ranges::max_element(exact) - exact.begin();
}

// The last layer of the margins, and at least the sizes of what each entry was made of.
void turn_into_margins(PiecewiseAffineLayer& last, Index winner, Matrix<double>& weight_sizes,
                       Matrix<double>& bias_sizes) {
  auto& [weight, bias, slope] = last;
  const Index k = weight.rows(), rows = std::max<Index>(k - 1, 1);
  Matrix<double> differences(rows, weight.cols()), offsets(1, rows);
  weight_sizes = Matrix<double>(rows, weight.cols());
  bias_sizes = Matrix<double>(1, rows);
  for (Index j = 0; j < rows; ++j) {
    const Index other = k == 1 || j < winner ? j : j + 1;
    const double sign = k == 1 && winner == 1 ? -1 : 1;
    const auto fill = [&](double of_other, double of_winner, double& difference, double& size) {
      difference = k == 1 ? sign * of_other : of_other - of_winner;
      size = std::abs(of_other) + (k == 1 ? 0 : std::abs(of_winner));
    };
    const Index of = k == 1 ? 0 : winner;
    for (Index i = 0; i < weight.cols(); ++i)
      fill(weight(other, i), weight(of, i), differences(j, i), weight_sizes(j, i));
    fill(bias(0, other), bias(0, of), offsets(0, j), bias_sizes(0, j));
  }
  weight = std::move(differences);
  bias = std::move(offsets);
}

}  // namespace

CentredMargins::CentredMargins(const PiecewiseAffineNetwork& network, const RowSpaceNetwork* row_space,
                               ConstView<double> x)
    : original_(&network), row_space_(row_space), x_(x), class_(class_of(network, x)), network_(network) {
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  PiecewiseAffineLayer& first = layers.front();
  const Index n = first.weight.rows(), d = first.weight.cols();
  for (Index k = 0; k < n; ++k) {
    const auto row = std::as_const(first.weight).row(k);
    Wide value = first.bias(0, k), size = std::abs(value);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Wide term = static_cast<Wide>(row[i]) * x(0, static_cast<Index>(i));
      value += term;
      size += std::abs(term);
    }
    first.bias(0, k) = static_cast<double>(value);
    first_rest_.push_back(static_cast<double>(value - first.bias(0, k)));
    first_rest_error_.push_back(static_cast<double>(rounding_of<Wide>(d + 3) * size + underflow_of<Wide>(d)) * 1.001);
    first_constant_.push_back(first_rest_error_.back() +
                              std::numeric_limits<double>::epsilon() * std::abs(first.bias(0, k)));
  }
  first_rate_.assign(static_cast<std::size_t>(n), 0);
  if (row_space_) {
    reduce(*row_space_);
    first.weight = row_space_->network.layers().front().weight;
  }
  turn_into_margins(layers.back(), class_, last_weight_sizes_, last_bias_sizes_);
  network_ = PiecewiseAffineNetwork(std::move(layers));
}

// What the basis, orthonormal up to rounding, and the product with it leave of the first weight.
void CentredMargins::reduce(const RowSpaceNetwork& row_space) {
  const Matrix<double>& weight = original_->layers().front().weight;
  const Matrix<double>& reduced = row_space.network.layers().front().weight;
  const Matrix<double>& basis = row_space.basis;
  const double rounding = rounding_of<double>(basis.rows() + 3);
  Matrix<double> left(weight), reduced_sizes(reduced), basis_sizes(basis), sizes(weight.rows(), weight.cols());
  // n x d - (n x r) (r x d)
  gemm<double>(reduced, basis, left, {}, -1.0, 1.0);
  for (double& value : reduced_sizes.span()) value = std::abs(value);
  for (double& value : basis_sizes.span()) value = std::abs(value);
  gemm<double>(reduced_sizes, basis_sizes, sizes);
  for (Index k = 0; k < weight.rows(); ++k) {
    for (Index i = 0; i < weight.cols(); ++i)
      left(k, i) = std::abs(left(k, i)) + rounding * 1.001 * (sizes(k, i) + std::abs(weight(k, i)));
    first_rate_[static_cast<std::size_t>(k)] = norm_length(left.row(k), Norm::l2) * 1.001;
  }
  Matrix<double> products(basis.rows(), basis.rows());
  gemm<double>(basis, basis, products, {.b = true});
  for (Index i = 0; i < products.rows(); ++i) products(i, i) -= 1;
  const double off = norm_length(products.span(), Norm::l2) +
                     static_cast<double>(basis.rows()) * rounding_of<double>(basis.cols() + 4);
  stretch_ = std::sqrt(1 + 1.001 * off) * (1 + std::numeric_limits<double>::epsilon());
}

Matrix<double> CentredMargins::in_inputs(ConstView<double> step) const {
  if (!row_space_) return Matrix<double>(step);
  Matrix<double> result(1, x_.cols());
  // 1 x d = (1 x r) (r x d)
  gemm<double>(step, row_space_->basis, result);
  return result;
}

Matrix<double> CentredMargins::coordinates(ConstView<double> input) const {
  Matrix<double> difference(input);
  for (Index i = 0; i < difference.cols(); ++i) difference(0, i) -= x_(0, i);
  return row_space_ ? row_space_->coordinates(difference) : difference;
}

bool CentredMargins::is_adversarial(ConstView<double> input, ConstView<double> step, Proof proof) const {
  const std::vector<Enclosed> f = enclosed_outputs(*original_, input, step);
  const auto winner = static_cast<std::size_t>(class_);
  bool is_sure = true;
  for (std::size_t i = 0; i < f.size(); ++i) {
    if (f.size() > 1 && i == winner) continue;
    const Wide margin = f.size() > 1 ? f[i].value - f[winner].value : class_ == 1 ? -f[i].value : f[i].value;
    const Wide error =
        2 * (f[i].error + (f.size() > 1 ? f[winner].error : 0)) + rounding_of<Wide>(2) * std::abs(margin);
    if (margin > error) return true;
    is_sure &= margin < -error;
  }
  if (is_sure || proof == Proof::rounded) return false;
  const IntegerVector exact = exact_outputs(*original_, input, step);
  if (exact.size() == 1) return class_ == 1 ? exact[0] <= 0 : exact[0] >= 0;
  for (std::size_t i = 0; i < exact.size(); ++i)
    if (i != winner && exact[i] >= exact[winner]) return true;
  return false;
}

bool CentredMargins::are_negative_everywhere() const {
  struct Interval {
    double low = -infinity, high = infinity;
  };
  std::vector<Interval> z(static_cast<std::size_t>(network_.inputs()));
  for (Index l = 0; l <= network_.hidden_layers(); ++l) {
    const auto& [weight, bias, slope] = network_.layers()[static_cast<std::size_t>(l)];
    const bool is_last = l == network_.hidden_layers();
    const double rounding = rounding_of<double>(2 * weight.cols() + 8);
    std::vector<Interval> next;
    for (Index k = 0; k < weight.rows(); ++k) {
      // In l2 the first layer's coordinates leave something of a weight even where they call it 0.
      const double rate = l == 0 ? first_rate_[static_cast<std::size_t>(k)] : 0;
      double size = (is_last ? last_bias_sizes_(0, k) : std::abs(bias(0, k))) +
                    (l == 0 ? first_constant_[static_cast<std::size_t>(k)] / rounding : 0);
      Interval t{.low = rate > 0 ? -infinity : bias(0, k), .high = rate > 0 ? infinity : bias(0, k)};
      for (Index i = 0; i < weight.cols(); ++i) {
        const double w = weight(k, i), w_size = is_last ? last_weight_sizes_(k, i) : std::abs(w);
        const auto& [low, high] = z[static_cast<std::size_t>(i)];
        if (w != 0) t.low += w > 0 ? w * low : w * high;
        if (w != 0) t.high += w > 0 ? w * high : w * low;
        for (const double end : {low, high})
          if (std::isfinite(end)) size += w_size * std::abs(end);
      }
      t = {.low = t.low - rounding * size, .high = t.high + rounding * size};
      const auto activated = [slope = slope](double value) {
        return value > 0 ? value : slope == 0 ? 0 : slope * value;
      };
      const double a = activated(t.low), b = activated(t.high);
      // With a negative slope the least is at 0.
      const bool turns = slope < 0 && t.low < 0 && t.high > 0;
      next.push_back({.low = turns ? 0 : std::min(a, b), .high = std::max(a, b)});
    }
    z = std::move(next);
  }
  return std::ranges::all_of(z, [](const Interval& margin) { return margin.high < 0; });
}

double CentredMargins::exact_distance(const ActivationCode& code, Index j, std::span<const double> multipliers,
                                      Norm norm) const {
  const std::vector<PiecewiseAffineLayer>& layers = original_->layers();
  const Index k = original_->outputs();
  // The multipliers' sum of rows, traced back layer by layer: the coefficients of what the layer at hand puts out.
  std::vector<double> of_outputs(static_cast<std::size_t>(k));
  const double y = std::max(multipliers.back(), 0.0);
  if (k == 1) {
    of_outputs[0] = class_ == 1 ? -y : y;
  } else {
    of_outputs[static_cast<std::size_t>(j < class_ ? j : j + 1)] = y;
    of_outputs[static_cast<std::size_t>(class_)] = -y;
  }
  DyadicVector row = dyadic(of_outputs);
  DyadicVector offset{.integers = {0}};
  for (Index l = original_->hidden_layers(); l >= 0; --l) {
    const auto& [weight, bias, slope] = layers[static_cast<std::size_t>(l)];
    if (l < original_->hidden_layers()) {
      // Through the activation, and the walls of this layer's units.
      std::vector<double> slopes, walls;
      for (Index unit = original_->first_unit(l); unit < original_->first_unit(l + 1); ++unit) {
        const auto at = static_cast<std::size_t>(unit);
        const double wall = std::max(multipliers[at], 0.0);
        slopes.push_back(code[at] ? 1 : slope);
        walls.push_back(std::isfinite(wall) ? (code[at] ? wall : -wall) : 0);
      }
      row = sum_of(product_of(row, dyadic(slopes)), dyadic(walls));
    }
    offset = sum_of(offset, DyadicVector{.integers = {inner_product(row.integers, dyadic(bias.span()).integers)},
                                         .exponent = row.exponent + dyadic(bias.span()).exponent});
    row = row_times(row, dyadic(weight.span()), static_cast<std::size_t>(weight.cols()));
  }
  // The height at x, and the length of the sum of slopes.
  const DyadicVector at_x = dyadic(x_.span());
  offset = sum_of(offset, DyadicVector{.integers = {inner_product(row.integers, at_x.integers)},
                                       .exponent = row.exponent + at_x.exponent});
  if (offset.integers[0] >= 0) return 0;
  Integer length = 0;
  for (const Integer& value : row.integers) length += norm == Norm::l2 ? Integer(value * value) : Integer(abs(value));
  if (length == 0) return infinity;
  // Quotient of the heads: each is off by less than 2^-52 of itself.
  const auto [height, height_exponent] = head_of(Integer(-offset.integers[0]));
  const auto [size, size_exponent] = head_of(length);
  const long double squeezed = norm == Norm::l2 ? std::sqrt(std::ldexp(static_cast<Wide>(size), size_exponent % 2 != 0))
                                                : static_cast<Wide>(size);
  const long exponent = height_exponent + offset.exponent -
                        (norm == Norm::l2 ? (size_exponent - (size_exponent % 2)) / 2 : size_exponent) - row.exponent;
  return static_cast<double>(std::ldexp(static_cast<Wide>(height) / squeezed, static_cast<int>(exponent))) *
         (1 - 8 * std::numeric_limits<double>::epsilon());
}

}  // namespace normalign::detail

#include "data/tables/column_scales.hpp"

#include <algorithm>
#include <cmath>

namespace normalign {
namespace {

// By which power of two a column is divided, which rounds nothing: its largest value is 1/2 to 1 then, and squares
// neither overflow nor vanish.
int exponent_of(double largest) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  return exponent;
}

}  // namespace

ColumnScales column_scales(ConstView<double> x) {
  const auto n = static_cast<double>(x.rows());
  ColumnScales result;
  for (Index j = 0; j < x.cols(); ++j) {
    double largest = 0;
    for (Index i = 0; i < x.rows(); ++i) largest = std::max(largest, std::abs(x(i, j)));
    const int exponent = exponent_of(largest);
    const auto value = [&](Index i) { return std::ldexp(x(i, j), -exponent); };
    // Of distances to the first value, so that a constant column has exactly no spread.
    double sum = 0, squares = 0;
    for (Index i = 0; i < x.rows(); ++i) sum += value(i) - value(0);
    const double mean = x.rows() == 0 ? 0 : value(0) + sum / n;
    for (Index i = 0; i < x.rows(); ++i) squares += (value(i) - mean) * (value(i) - mean);
    const double deviation = std::sqrt(squares / std::max(n - 1, 1.0));
    result.means.push_back(std::ldexp(mean, exponent));
    result.deviations.push_back(deviation > 0 ? std::ldexp(deviation, exponent) : 1);
  }
  return result;
}

void scale_columns(Matrix<double>& x, const ColumnScales& scales) {
  for (Index j = 0; j < x.cols(); ++j) {
    const double mean = scales.means[static_cast<std::size_t>(j)];
    const double deviation = scales.deviations[static_cast<std::size_t>(j)];
    const int exponent = exponent_of(std::max(std::abs(mean), deviation));
    const auto scaled = [&](double value) { return std::ldexp(value, -exponent); };
    for (Index i = 0; i < x.rows(); ++i) x(i, j) = (scaled(x(i, j)) - scaled(mean)) / scaled(deviation);
  }
}

void standardise(Matrix<double>& x) { scale_columns(x, column_scales(x)); }

}  // namespace normalign

#include "geometry/complex/integers.hpp"

#include <algorithm>
#include <cmath>

namespace normalign::detail {
namespace {

// A number that is not 0, as head * 2^exponent with a head of 62 to 63 bits, rounded towards 0.
std::pair<double, long> head_of(const Integer& value) {
  const Integer size = abs(value);
  const long bits = static_cast<long>(msb(size));
  const long shift = std::max(0L, bits - 62);
  const auto head = static_cast<double>(static_cast<std::uint64_t>(Integer(size >> shift)));
  return {value < 0 ? -head : head, shift};
}

// row <- pivot_row[column] * row - row[column] * pivot_row, with the sign that keeps the row's own direction.
void eliminate(IntegerVector& row, const IntegerVector& pivot_row, std::size_t column) {
  if (row[column] == 0) return;
  const bool positive = pivot_row[column] > 0;
  row = combination(positive ? pivot_row[column] : Integer(-pivot_row[column]), row,
                    positive ? Integer(-row[column]) : row[column], pivot_row);
}

}  // namespace

DyadicNumber dyadic(double value) {
  if (value == 0) return {};
  int exponent = 0;
  auto mantissa = static_cast<std::int64_t>(std::ldexp(std::frexp(value, &exponent), 53));
  exponent -= 53;
  for (; mantissa % 2 == 0; ++exponent) mantissa /= 2;
  return {.mantissa = mantissa, .exponent = exponent};
}

DyadicVector dyadic(std::span<const double> values) {
  std::vector<DyadicNumber> numbers;
  DyadicVector result;
  for (const double value : values) {
    numbers.push_back(dyadic(value));
    result.exponent = std::min(result.exponent, numbers.back().exponent);
  }
  for (const DyadicNumber& number : numbers)
    result.integers.push_back(number.mantissa << (number.exponent - result.exponent));
  return result;
}

Integer inner_product(const IntegerVector& a, const IntegerVector& b) {
  Integer sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != 0 && b[i] != 0) sum += a[i] * b[i];
  return sum;
}

IntegerVector combination(const Integer& a, const IntegerVector& x, const Integer& b, const IntegerVector& y) {
  IntegerVector result(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) result[i] = a * x[i] + b * y[i];
  make_primitive(result);
  return result;
}

void make_primitive(IntegerVector& vector) {
  Integer divisor = 0;
  for (const Integer& value : vector) {
    divisor = gcd(divisor, value);
    if (divisor == 1) return;
  }
  if (divisor > 1)
    for (Integer& value : vector) value /= divisor;
}

void round_to(const IntegerVector& vector, std::span<double> values) {
  long most = 0;
  for (const Integer& value : vector)
    if (value != 0) most = std::max(most, static_cast<long>(msb(Integer(abs(value)))));
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (vector[i] == 0) {
      values[i] = 0;
      continue;
    }
    const auto [head, exponent] = head_of(vector[i]);
    values[i] = std::ldexp(head, static_cast<int>(std::max(exponent - most, -4000L)));
  }
}

RowBasis row_basis(const std::vector<IntegerVector>& rows) {
  const std::size_t d = rows.front().size() - 1;
  RowBasis result;
  // Of each row found: (slope, offset | its part in the rows found), solved for its pivot column.
  std::vector<IntegerVector> solved;
  std::vector<std::size_t> columns;
  for (std::size_t k = 0; k < rows.size() && columns.size() < d; ++k) {
    IntegerVector row = rows[k];
    row.resize(2 * d + 1);
    row[d + 1 + columns.size()] = 1;
    for (std::size_t i = 0; i < solved.size(); ++i) eliminate(row, solved[i], columns[i]);
    std::size_t column = 0;
    while (column < d && row[column] == 0) ++column;
    if (column == d) continue;
    for (IntegerVector& other : solved) eliminate(other, row, column);
    solved.push_back(std::move(row));
    columns.push_back(column);
    result.rows.push_back(k);
  }
  // solved row i now reads c_i x_{column i} + other columns + offset t = sum_j part_j (row j of the basis); the other
  // columns' x are 0, and c_i is brought to a common multiple.
  Integer common = 1;
  for (std::size_t i = 0; i < solved.size(); ++i) common = lcm(common, Integer(abs(solved[i][columns[i]])));
  result.generators.assign(columns.size() + 1, IntegerVector(d + 1));
  result.generators[0][d] = common;
  for (std::size_t i = 0; i < solved.size(); ++i) {
    const Integer factor = common / solved[i][columns[i]];
    result.generators[0][columns[i]] = -factor * solved[i][d];
    for (std::size_t j = 0; j < solved.size(); ++j)
      result.generators[j + 1][columns[i]] = factor * solved[i][d + 1 + j];
  }
  for (IntegerVector& generator : result.generators) make_primitive(generator);
  return result;
}

}  // namespace normalign::detail

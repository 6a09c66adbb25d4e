#include "geometry/integers.hpp"

#include <algorithm>
#include <cmath>

namespace normalign::detail {
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

DyadicVector sum_of(const DyadicVector& a, const DyadicVector& b) {
  DyadicVector result{.integers = {}, .exponent = std::min(a.exponent, b.exponent)};
  for (std::size_t i = 0; i < a.integers.size(); ++i)
    result.integers.push_back((a.integers[i] << (a.exponent - result.exponent)) +
                              (b.integers[i] << (b.exponent - result.exponent)));
  return result;
}

DyadicVector product_of(const DyadicVector& a, const DyadicVector& b) {
  DyadicVector result{.integers = {}, .exponent = a.exponent + b.exponent};
  for (std::size_t i = 0; i < a.integers.size(); ++i) result.integers.push_back(a.integers[i] * b.integers[i]);
  return result;
}

RoundedInteger head_of(const Integer& value) {
  const Integer size = abs(value);
  const long shift = std::max(0L, static_cast<long>(msb(size)) - 62);
  const auto head = static_cast<double>(static_cast<std::uint64_t>(Integer(size >> shift)));
  return {.head = value < 0 ? -head : head, .exponent = shift};
}

Integer inner_product(const IntegerVector& a, const IntegerVector& b) {
  Integer sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i] != 0 && b[i] != 0) sum += a[i] * b[i];
  return sum;
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

bool Elimination::add(const IntegerVector& row) {
  IntegerVector reduced(row.size());
  for (std::size_t j = 0; j < row.size(); ++j) {
    // Pivots' columns become 0.
    if (std::ranges::find(pivots_, j) != pivots_.end()) continue;
    reduced[j] = pivot_ * row[j];
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (row[pivots_[i]] != 0 && rows_[i][j] != 0) reduced[j] -= row[pivots_[i]] * rows_[i][j];
  }
  const auto end = reduced.begin() + static_cast<std::ptrdiff_t>(columns_);
  const auto found = std::find_if(reduced.begin(), end, [](const Integer& value) { return value != 0; });
  if (found == end) return false;
  const auto column = static_cast<std::size_t>(found - reduced.begin());
  const Integer next = *found;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Integer factor = rows_[i][column];
    for (std::size_t j = 0; j < row.size(); ++j) {
      Integer& entry = rows_[i][j];
      if (entry == 0 && (factor == 0 || reduced[j] == 0)) continue;
      entry = j == pivots_[i] ? next : Integer(Integer(next * entry - factor * reduced[j]) / pivot_);
    }
  }
  rows_.push_back(std::move(reduced));
  pivots_.push_back(column);
  pivot_ = next;
  return true;
}

RowBasis row_basis(const std::vector<IntegerVector>& rows, std::size_t most) {
  const std::size_t d = rows.front().size() - 1;
  // Behind slope and offset each row has the parts that the rows of the basis have in it: slope x + offset t + parts =
  // 0 where these rows have the values -1.
  Elimination elimination(d);
  RowBasis result;
  for (std::size_t k = 0; k < rows.size() && elimination.rank() < std::min(d, most + 1); ++k) {
    IntegerVector row = rows[k];
    row.resize(2 * d + 1);
    row[d + 1 + elimination.rank()] = -1;
    if (elimination.add(row)) result.rows.push_back(k);
  }
  const std::size_t r = elimination.rank();
  const Integer sign = elimination.pivot() > 0 ? 1 : -1;
  result.generators.assign(r + 1, IntegerVector(d + 1));
  result.generators[0][d] = sign * elimination.pivot();
  for (std::size_t i = 0; i < r; ++i) {
    const std::size_t column = elimination.column(i);
    result.columns.push_back(column);
    for (std::size_t j = 0; j <= r; ++j) result.generators[j][column] = -sign * elimination.row(i)[d + j];
  }
  return result;
}

}  // namespace normalign::detail

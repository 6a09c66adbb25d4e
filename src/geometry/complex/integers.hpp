// Vectors of integers of any size, which stand for directions: only their ratios count.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <span>
#include <vector>

namespace normalign::detail {

/// A whole number of any size.
using Integer =
    boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;
using IntegerVector = std::vector<Integer>;

/// mantissa * 2^exponent, the value of a double; the mantissa is odd, or 0 with the exponent 0.
struct DyadicNumber {
  Integer mantissa;
  int exponent = 0;
};

/// A finite double as it is stored.
DyadicNumber dyadic(double value);

/// Finite doubles as integers that stand for value / 2^exponent, and that exponent: the smallest of all, at most 0.
struct DyadicVector {
  IntegerVector integers;
  int exponent = 0;
};
DyadicVector dyadic(std::span<const double> values);

/// The inner product of two vectors of one length.
Integer inner_product(const IntegerVector& a, const IntegerVector& b);

/// a * x + b * y, divided by the greatest common divisor of its entries.
IntegerVector combination(const Integer& a, const IntegerVector& x, const Integer& b, const IntegerVector& y);

/// Divides a vector by the greatest common divisor of its entries.
void make_primitive(IntegerVector& vector);

/// Writes the entries of a vector, times a power of two that brings the largest between 1/2 and 2, as doubles; each is
/// off by less than 2^-51 of itself (or by the smallest normal double).
void round_to(const IntegerVector& vector, std::span<double> values);

/// Rows that are a basis of all rows' slopes, and the cone where they are 0 or more.
struct RowBasis {
  std::vector<std::size_t> rows;         ///< r of them: the first that are independent
  std::vector<IntegerVector> generators; ///< r + 1: the ray where all are zero, whose last entry is positive; then for
                                         ///< each row that ray along which it grows and the others stay zero
};

/// Of homogeneous rows (slope, offset), all of one length d + 1, at least one.
RowBasis row_basis(const std::vector<IntegerVector>& rows);

}  // namespace normalign::detail

// Vectors of integers of any size, which stand for directions: only their ratios count.
#pragma once

#include <boost/multiprecision/cpp_int.hpp>
#include <span>
#include <vector>

namespace normalign::detail {

/// A whole number of any size.
using Integer = boost::multiprecision::number<boost::multiprecision::cpp_int_backend<>, boost::multiprecision::et_off>;
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

/// a + b and a b, entry by entry, of two vectors of one length.
DyadicVector sum_of(const DyadicVector& a, const DyadicVector& b);
DyadicVector product_of(const DyadicVector& a, const DyadicVector& b);

/// head * 2^exponent, the exponent at least 0.
struct RoundedInteger {
  double head = 0;
  long exponent = 0;
};

/// A number that is not 0 as a double times a power of two, off by less than 2^-52 of itself.
RoundedInteger head_of(const Integer& value);

/// The inner product of two vectors of one length.
Integer inner_product(const IntegerVector& a, const IntegerVector& b);

/// Writes the entries of a vector, times a power of two that brings the largest between 1/2 and 2, as doubles; each is
/// off by less than 2^-51 of itself (or by the smallest normal double).
void round_to(const IntegerVector& vector, std::span<double> values);

/// Rows brought one by one to the form of Gauss and Jordan without fractions: each has the same pivot in a column of
/// its own, in which the others are 0, and all entries are minors of the rows that were added (E. H. Bareiss,
/// Sylvester's identity and multistep integer-preserving Gaussian elimination, Math. Comp. 22, 1968).
class Elimination {
 public:
  /// Pivots are found in the first `columns` entries of a row.
  explicit Elimination(std::size_t columns) : columns_(columns) {}

  /// Adds a row; false where its first entries depend on those of the rows before: then it is left out.
  bool add(const IntegerVector& row);

  /// How many rows are independent, and for each its pivot's column and its entries; and the pivot that all have.
  std::size_t rank() const { return rows_.size(); }
  const Integer& pivot() const { return pivot_; }
  const IntegerVector& row(std::size_t i) const { return rows_[i]; }
  std::size_t column(std::size_t i) const { return pivots_[i]; }

 private:
  std::size_t columns_;
  Integer pivot_ = 1;
  std::vector<IntegerVector> rows_;
  std::vector<std::size_t> pivots_;
};

/// Rows that are a basis of all rows' slopes, and the cone where they are 0 or more.
struct RowBasis {
  std::vector<std::size_t> rows;     ///< r of them: the first that are independent
  std::vector<std::size_t> columns;  ///< r coordinates; in the generators all others are 0
  /// r + 1 rays (x, t): the one where all rows of the basis are zero, whose t is positive; then for each row that
  /// along which it grows and the others stay zero.
  std::vector<IntegerVector> generators;
};

/// Of homogeneous rows (slope, offset), all of one length d + 1, at least one. Where more than `most` are independent,
/// `most` + 1 of them.
RowBasis row_basis(const std::vector<IntegerVector>& rows, std::size_t most);

}  // namespace normalign::detail

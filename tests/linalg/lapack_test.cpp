#include "linalg/lapack.hpp"

#include <cmath>

#include "base/infinity.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

template <class T>
void check_decomposition(Shape shape, std::uint64_t seed) {
  CAPTURE(shape);
  const Matrix<T> a = random_matrix<T>(shape, seed);
  const Svd<T> found = svd(ConstView<T>(a));
  const Index r = std::min(shape.rows, shape.cols);
  REQUIRE(static_cast<Index>(found.values.size()) == r);
  REQUIRE(found.left.shape() == Shape{shape.rows, r});
  REQUIRE(found.right.shape() == Shape{r, shape.cols});
  for (std::size_t i = 0; i + 1 < found.values.size(); ++i) CHECK(found.values[i] >= found.values[i + 1]);
  if (r > 0) CHECK(found.values.back() >= 0);
  const double bound = 200 * std::numeric_limits<T>::epsilon();
  const auto identity_error = [&](const Matrix<T>& q, bool rows) {
    double error = 0;
    for (Index i = 0; i < r; ++i)
      for (Index j = 0; j < r; ++j) {
        double sum = 0;
        for (Index l = 0; l < (rows ? q.cols() : q.rows()); ++l)
          sum += static_cast<double>(rows ? q(i, l) : q(l, i)) * static_cast<double>(rows ? q(j, l) : q(l, j));
        error = std::max(error, std::abs(sum - (i == j)));
      }
    return error;
  };
  CHECK(identity_error(found.left, false) <= bound);
  CHECK(identity_error(found.right, true) <= bound);
  Matrix<double> product(shape.rows, shape.cols);
  for (Index i = 0; i < shape.rows; ++i)
    for (Index j = 0; j < shape.cols; ++j)
      for (Index l = 0; l < r; ++l)
        product(i, j) += static_cast<double>(found.left(i, l)) *
                         static_cast<double>(found.values[static_cast<std::size_t>(l)]) *
                         static_cast<double>(found.right(l, j));
  CHECK(relative_error(a, product) <= bound);
}

TEST_CASE("a singular value decomposition has orthonormal factors, sorted values, and multiplies back") {
  for (Shape shape : {Shape{1, 1}, {3, 3}, {2, 7}, {7, 2}, {10, 784}, {61, 122}, {1, 4000}, {0, 3}, {3, 0}}) {
    check_decomposition<double>(shape, 3);
    check_decomposition<float>(shape, 4);
  }
}

TEST_CASE("singular values of matrices known in closed form") {
  const Svd<double> diagonal = svd(ConstView<double>(Matrix<double>{{0, -3, 0}, {0.5, 0, 0}}));
  CHECK_THAT(diagonal.values[0], WithinAbs(3, 1e-15));
  CHECK_THAT(diagonal.values[1], WithinAbs(0.5, 1e-15));
  CHECK_THAT(std::abs(diagonal.right(0, 1)), WithinAbs(1, 1e-15));
  const Svd<double> zero = svd(ConstView<double>(Matrix<double>(4, 5)));
  for (double value : zero.values) CHECK(value == 0);
  // Rank one: c xᵀ has the single value |c| |x|.
  Matrix<double> outer(3, 4);
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 4; ++j) outer(i, j) = static_cast<double>((i + 1) * (j - 2));
  const Svd<double> rank_one = svd(ConstView<double>(outer));
  CHECK_THAT(rank_one.values[0], WithinRel(std::sqrt(14.0 * 6.0), 1e-14));
  CHECK(rank_one.values[1] <= 1e-14);
}

TEST_CASE("the triangular factor has the row products and the singular values of the whole matrix") {
  for (Shape shape : {Shape{1, 1}, {3, 3}, {2, 7}, {7, 2}, {10, 784}, {1, 4000}, {40, 1}, {0, 3}, {3, 0}})
    for (const bool rank_one : {false, true}) {
      CAPTURE(shape, rank_one);
      Matrix<double> a = random_matrix(shape, 5);
      for (Index i = 1; rank_one && i < a.rows(); ++i)
        for (Index j = 0; j < a.cols(); ++j) a(i, j) = static_cast<double>(i) * a(0, j);
      const Matrix<double> lower = triangular_factor<double>(a);
      REQUIRE(lower.shape() == Shape{shape.rows, std::min(shape.rows, shape.cols)});
      for (Index i = 0; i < lower.rows(); ++i)
        for (Index j = i + 1; j < lower.cols(); ++j) CHECK(lower(i, j) == 0);
      CHECK(relative_error(naive_product(lower, lower, {.b = true}), naive_product(a, a, {.b = true})) < 1e-14);
      const Svd<double> whole = svd<double>(a), factor = svd<double>(lower);
      REQUIRE(factor.values.size() == whole.values.size());
      for (std::size_t i = 0; i < whole.values.size(); ++i)
        CHECK_THAT(factor.values[i], WithinAbs(whole.values[i], 1e-14 * whole.values.front()));
      // With the other factor, whose rows are orthonormal whatever the rank.
      const Lq<double> both = lq<double>(a);
      CHECK(both.lower == lower);
      CHECK(relative_error(naive_product(both.lower, both.rows), a) < 1e-14);
      Matrix<double> identity(lower.cols(), lower.cols());
      for (Index i = 0; i < lower.cols(); ++i) identity(i, i) = 1;
      CHECK(relative_error(naive_product(both.rows, both.rows, {.b = true}), identity) < 1e-14);
    }
  const Matrix<float> single = triangular_factor<float>(Matrix<float>{{3, 4}, {-4, 3}});
  CHECK_THAT(std::abs(single(0, 0)), WithinRel(5.0, 1e-6));
  CHECK_THAT(single(1, 0), WithinAbs(0, 1e-6));
  CHECK_THAT(std::abs(single(1, 1)), WithinRel(5.0, 1e-6));
}

template <class T>
void check_eigen(Index d) {
  CAPTURE(d, sizeof(T));
  const Matrix<T> half = random_matrix<T>({d, d}, 6);
  Matrix<T> a(d, d), symmetric(d, d);
  for (Index i = 0; i < d; ++i)
    for (Index j = 0; j < d; ++j) {
      symmetric(i, j) = half(i, j) + half(j, i);
      a(i, j) = j <= i ? symmetric(i, j) : T(99);  // above the diagonal nothing is read
    }
  const SymmetricEigen<T> found = symmetric_eigen<T>(a);
  REQUIRE(static_cast<Index>(found.values.size()) == d);
  CHECK(std::ranges::is_sorted(found.values));
  const double bound = 100 * static_cast<double>(std::numeric_limits<T>::epsilon());
  Matrix<double> identity(d, d);
  for (Index i = 0; i < d; ++i) identity(i, i) = 1;
  CHECK(relative_error(naive_product(found.vectors, found.vectors, {.b = true}), identity) <= bound);
  Matrix<T> scaled = found.vectors;
  for (Index i = 0; i < d; ++i)
    for (T& value : scaled.row(i)) value *= found.values[static_cast<std::size_t>(i)];
  CHECK(relative_error(naive_product(found.vectors, scaled, {.a = true}), symmetric) <= bound);
}

TEST_CASE("a symmetric matrix is its eigenvectors and sorted eigenvalues, told by its lower triangle") {
  for (Index d : {0, 1, 2, 3, 10, 64, 150}) {
    check_eigen<double>(d);
    check_eigen<float>(d);
  }
  const SymmetricEigen<double> known = symmetric_eigen<double>(Matrix<double>{{2, 0}, {1, 2}});
  CHECK_THAT(known.values[0], WithinAbs(1, 1e-15));
  CHECK_THAT(known.values[1], WithinAbs(3, 1e-15));
  CHECK_THAT(known.vectors(1, 0) * known.vectors(1, 1), WithinAbs(0.5, 1e-15));
  CHECK_THAT(known.vectors(0, 0) * known.vectors(0, 1), WithinAbs(-0.5, 1e-15));
  CHECK(message_of([] { symmetric_eigen<double>(Matrix<double>(2, 3)); }) ==
        "symmetric_eigen: a is 2x3; it must be square");
}

TEST_CASE("a value that is not finite is refused") {
  for (double bad : {std::nan(""), infinity}) {
    Matrix<double> a(3, 4);
    a(1, 2) = bad;
    CHECK(contains(message_of([&] { svd(ConstView<double>(a)); }), "svd: a value is "));
    CHECK(contains(message_of([&] { triangular_factor<double>(a); }), "triangular_factor: a value is "));
    CHECK(contains(message_of([&] { lq<double>(a); }), "lq: a value is "));
    Matrix<double> square(3, 3);
    square(2, 1) = bad;
    CHECK(contains(message_of([&] { symmetric_eigen<double>(square); }), "symmetric_eigen: a value is "));
  }
}

TEST_CASE("the leading eigenvector and all eigenvalues are those of the whole decomposition") {
  for (const Index d : {1, 2, 3, 10, 64})
    for (const Index rank : {1, 2, 64}) {
      CAPTURE(d, rank);
      Matrix<double> a(d, d);
      syrk<double>(random_matrix({rank, d}, 1), a);
      const LeadingEigen found = leading_eigen(a);
      const SymmetricEigen<double> all = symmetric_eigen<double>(a);
      for (Index i = 0; i < d; ++i)
        CHECK_THAT(found.values[static_cast<std::size_t>(i)],
                   WithinAbs(all.values[static_cast<std::size_t>(i)], 1e-13 * all.values.back()));
      CHECK_THAT(std::abs(dot<double>(found.vector, all.vectors.row(d - 1))), WithinRel(1.0, 1e-12));
      CHECK_THAT(dot<double>(found.vector, found.vector), WithinRel(1.0, 1e-12));
    }
}

TEST_CASE("the leading eigenvector of a diagonal, a multiple and a zero matrix") {
  const LeadingEigen diagonal = leading_eigen(Matrix<double>{{1, 0, 0}, {0, 3, 0}, {0, 0, 2}});
  CHECK(diagonal.values == std::vector<double>{1, 2, 3});
  CHECK_THAT(std::abs(diagonal.vector[1]), WithinRel(1.0, 1e-14));
  for (const double value : {0.0, 5.0, 1e-300, 1e300}) {
    const LeadingEigen multiple = leading_eigen(Matrix<double>{{value, 0}, {0, value}});
    CHECK(multiple.values == std::vector<double>{value, value});
    CHECK_THAT(dot<double>(multiple.vector, multiple.vector), WithinRel(1.0, 1e-14));
  }
  CHECK(message_of([] { leading_eigen(Matrix<double>(2, 3)); }) ==
        "leading_eigen: a is 2x3; it must be square, of at least one row");
  CHECK(contains(message_of([] { leading_eigen(Matrix<double>{{std::nan("")}}); }), "leading_eigen: a value is nan"));
}

}  // namespace
}  // namespace normalign::tests

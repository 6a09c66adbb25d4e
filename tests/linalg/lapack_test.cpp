#include "linalg/lapack.hpp"

#include <cmath>

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

TEST_CASE("a value that is not finite is refused") {
  for (double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Matrix<double> a(3, 4);
    a(1, 2) = bad;
    CHECK(contains(message_of([&] { svd(ConstView<double>(a)); }), "svd: a value is "));
  }
}

}  // namespace
}  // namespace normalign::tests

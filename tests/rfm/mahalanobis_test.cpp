#include "rfm/mahalanobis.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// Semi-definite, d x d, of the given rank.
template <class T = double>
Matrix<T> semi_definite(Index d, Index rank, std::uint64_t seed) {
  const Matrix<T> a = random_matrix<T>({rank, d}, seed);
  Matrix<T> m(d, d);
  syrk<T>(a, m);
  return m;
}

template <class T>
void check_distances(Index n, Index others, Index r, double offset) {
  CAPTURE(n, others, r, offset, sizeof(T));
  Matrix<T> a = random_matrix<T>({n, r}, 1), b = random_matrix<T>({others, r}, 2);
  for (T& value : a.span()) value += static_cast<T>(offset);
  for (T& value : b.span()) value += static_cast<T>(offset);
  // The points of b: some equal one of a, some lie near one, by 1e-7 to 1e-2 of its size.
  for (Index j = 0; j < others; ++j) {
    if (j % 3 == 2) continue;
    const double share = j % 3 == 0 ? 0 : std::pow(10.0, -2 - static_cast<double>(j % 6));
    for (Index k = 0; k < r; ++k) b(j, k) = static_cast<T>(static_cast<double>(a(j % n, k)) * (1 + share));
  }
  const MahalanobisPoints<T> left{Matrix<T>(a)}, right{Matrix<T>(b)};
  const Index first = n / 3, first_other = others / 4;
  Matrix<T> found(n - first, others - first_other);
  std::ranges::fill(found.span(), std::numeric_limits<T>::quiet_NaN());
  left.squared_distances(first, right, first_other, found);
  double worst = 0;
  bool zeros = true;
  for (Index i = 0; i < found.rows(); ++i)
    for (Index j = 0; j < found.cols(); ++j) {
      long double expected = 0;
      for (Index k = 0; k < r; ++k) {
        const long double difference = static_cast<long double>(a(first + i, k)) - b(first_other + j, k);
        expected += difference * difference;
      }
      if (expected == 0)
        zeros = zeros && found(i, j) == 0;
      else
        worst = std::max(worst, static_cast<double>(std::abs(found(i, j) - expected) / expected));
    }
  CHECK(zeros);
  // Where the differences are not worked out, cancellation costs at most half the digits.
  CHECK(worst <= 8 * std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon())));
}

}  // namespace

TEST_CASE("squared distances keep half their digits at least, also between near points; equal ones have 0", "[rfm]") {
  for (const double offset : {0.0, 3.0, 1e4})
    for (const Index r : {1, 2, 17, 100}) {
      check_distances<double>(7, 40, r, offset);
      check_distances<float>(7, 40, r, offset);
      check_distances<double>(100, 70, r, offset);
    }
}

TEST_CASE("points have the distance of the metric", "[rfm]") {
  for (const Index rank : {0, 1, 3, 6}) {
    CAPTURE(rank);
    const Index d = 6;
    const Matrix<double> m = semi_definite(d, rank, 3), x = random_matrix({5, d}, 4);
    const Matrix<double> factor = mahalanobis_factor<double>(m);
    REQUIRE(factor.shape() == Shape{d, rank});
    CHECK(relative_error(naive_product(factor, factor, {.b = true}), m) < 1e-14);
    const MahalanobisPoints<double> points(x, factor);
    CHECK(points.size() == 5);
    CHECK(points.rank() == rank);
    Matrix<double> found(5, 5);
    points.squared_distances(0, points, 0, found);
    for (Index i = 0; i < 5; ++i)
      for (Index j = 0; j < 5; ++j) {
        double expected = 0;
        for (Index k = 0; k < d; ++k)
          for (Index l = 0; l < d; ++l) expected += (x(i, k) - x(j, k)) * m(k, l) * (x(i, l) - x(j, l));
        CHECK_THAT(found(i, j), WithinAbs(expected, 1e-13));
      }
  }
}

TEST_CASE("the factor reads the lower triangle and takes rounding below zero for zero", "[rfm]") {
  Matrix<double> m = semi_definite(4, 4, 5), lower = m;
  for (Index i = 0; i < 4; ++i)
    for (Index j = i + 1; j < 4; ++j) lower(i, j) = 7;
  CHECK(mahalanobis_factor<double>(lower) == mahalanobis_factor<double>(m));
  CHECK(mahalanobis_factor<double>(Matrix<double>{{1, 0}, {0, -1e-9}}).cols() == 1);
  CHECK(mahalanobis_factor<double>(Matrix<double>(3, 3)).shape() == Shape{3, 0});
  CHECK(mahalanobis_factor<double>(Matrix<double>(0, 0)).shape() == Shape{0, 0});
  // Products that are rounded in float are semi-definite up to that rounding.
  for (std::uint64_t seed = 0; seed < 5; ++seed)
    CHECK(mahalanobis_factor<float>(semi_definite<float>(300, 2, seed)).cols() >= 2);
}

TEST_CASE("a matrix that is no metric is refused", "[rfm]") {
  CHECK(message_of([] { mahalanobis_factor<double>(Matrix<double>(2, 3)); }) ==
        "mahalanobis_factor: m is 2x3; it must be square");
  CHECK(message_of([] {
          mahalanobis_factor<double>(Matrix<double>{{2, 0}, {0, -1}});
        }) == "mahalanobis_factor: m has the eigenvalue -1 beside 2; it must be positive semi-definite");
  CHECK(message_of([] {
          mahalanobis_factor<double>(Matrix<double>{{-1, 0}, {0, -1}});
        }) == "mahalanobis_factor: m has the eigenvalue -1 beside 0; it must be positive semi-definite");
  CHECK(contains(message_of([] { mahalanobis_factor<double>(Matrix<double>{{std::nan("")}}); }), "must be finite"));
  CHECK(contains(message_of([] { MahalanobisPoints<double>(Matrix<double>(2, 3), Matrix<double>(4, 1)); }),
                 "a is 2x3 but b is 4x1"));
}

}  // namespace normalign::tests

#include "rfm/mahalanobis.hpp"

#include <cmath>
#include <limits>

#include "linalg/random.hpp"
#include "rfm/rfm.hpp"
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
      // What the rounding of coordinates could make of one point counts as 0.
      constexpr double epsilon = std::numeric_limits<T>::epsilon();
      double lengths = 0;
      for (Index k = 0; k < r; ++k)
        lengths +=
            std::pow(static_cast<double>(a(first + i, k)), 2) + std::pow(static_cast<double>(b(first_other + j, k)), 2);
      if (static_cast<double>(expected) <= 1.01 * 32 * 32 * epsilon * epsilon * lengths)
        zeros = zeros && found(i, j) <= expected && (expected > 0 || found(i, j) == 0);
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

template <class T>
void check_roundings() {
  // As a product of other blocks would round them: each coordinate a neighbour of what it was.
  for (const Index r : {1, 5, 64}) {
    const Matrix<T> a = random_matrix<T>({9, r}, 3);
    Matrix<T> b = a;
    for (std::size_t i = 0; i < b.span().size(); ++i)
      b.span()[i] =
          std::nextafter(b.span()[i], i % 2 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest());
    Matrix<T> found(9, 9);
    MahalanobisPoints<T>{Matrix<T>(a)}.squared_distances(0, MahalanobisPoints<T>{std::move(b)}, 0, found);
    for (Index i = 0; i < 9; ++i)
      for (Index j = 0; j < 9; ++j) CHECK((found(i, j) == 0) == (i == j));
  }
}

TEST_CASE("one point whose coordinates were rounded in two ways has distance 0 to itself", "[rfm]") {
  check_roundings<float>();
  check_roundings<double>();
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

TEST_CASE("the metric of a float machine is one, also where its gradients cancel", "[rfm]") {
  // Many classes, so that the AGOP is summed over pairs, some of them as near to each other as that allows, and
  // features that are far from independent.
  const Index n = 100, d = 64, classes = 60;
  const RandomRows random(0, Stream::data);
  Matrix<float> basis(d, d), x(n, d), y(n, classes);
  std::vector<float> shares(static_cast<std::size_t>(d));
  for (Index i = 0; i < d; ++i) random.normal(static_cast<std::uint32_t>(i), basis.row(i));
  for (Index i = 0; i < n; ++i) {
    random.normal(static_cast<std::uint32_t>(1000 + i), std::span<float>(shares));
    y(i, i % classes) = 1;
    for (Index j = 0; j < d; ++j) {
      for (Index k = 0; k < d; ++k) x(i, j) += shares[static_cast<std::size_t>(k)] * basis(k, j);
      if (i >= classes) x(i, j) = x(i % classes, j) + 0.12F * x(i, j);
    }
  }
  for (const double share : {0.0, 1.0})
    for (const double regularisation : {10.0, 1e-3}) {
      CAPTURE(share, regularisation);
      Rfm<float> rfm({.ridge = {.regularisation = regularisation}, .identity_share = share});
      CHECK(message_of([&] { rfm.fit(x, y); }) == "nothing was thrown");
    }
  CHECK(mahalanobis_factor<float>(Matrix<float>{{1, 0}, {0, -1e-4F}}).cols() == 1);
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
  CHECK(contains(message_of([] {
                   mahalanobis_factor<float>(Matrix<float>{{1, 0}, {0, -1e-3F}});
                 }),
                 "must be positive semi-definite"));
  CHECK(contains(message_of([] { MahalanobisPoints<double>(Matrix<double>(2, 3), Matrix<double>(4, 1)); }),
                 "a is 2x3 but b is 4x1"));
}

}  // namespace normalign::tests

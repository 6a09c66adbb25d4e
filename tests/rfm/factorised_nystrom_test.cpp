#include "rfm/factorised_nystrom.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/lapack.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;
using Points = MahalanobisPoints<double>;
using Options = FactorisedNystromOptions;

Points random_points(Index n, Index d, double extent = 2) { return Points(random_matrix({n, d}, 1, -extent, extent)); }

// K + regularisation I.
M system(const Kernel& kernel, const Points& points, double regularisation) {
  M matrix(points.size(), points.size());
  kernel_matrix<double>(kernel, points, points, matrix);
  for (Index i = 0; i < matrix.rows(); ++i) matrix(i, i) += regularisation;
  return matrix;
}

// The approximate inverse as a matrix.
M approximate_inverse(const Points& points, double regularisation, const Options& options) {
  M inverse(points.size(), points.size()), unit = inverse;
  for (Index i = 0; i < unit.rows(); ++i) unit(i, i) = 1;
  FactorisedNystrom({}, points, regularisation, options).solve(unit, inverse);
  return inverse;
}

// The largest eigenvalue of the preconditioned matrix over the smallest.
double condition(const Points& points, double regularisation, const Options& options) {
  const M inverse = approximate_inverse(points, regularisation, options);
  M factor = system({}, points, regularisation);
  REQUIRE(cholesky<double>(factor));
  for (Index i = 0; i < factor.rows(); ++i)
    for (Index j = i + 1; j < factor.rows(); ++j) factor(i, j) = 0;
  // Lᵀ (approximation) L has the eigenvalues of the product.
  const std::vector<double> values =
      symmetric_eigen<double>(naive_product(naive_product(factor, inverse, {.a = true}), factor)).values;
  return values.back() / values.front();
}

}  // namespace

TEST_CASE("with all points as landmarks, or as neighbours, it is the inverse", "[rfm]") {
  for (const Index n : {1, 2, 60, 150})
    for (const double regularisation : {10.0, 0.1})
      for (const Options& options : {Options{.landmarks = n}, Options{.landmarks = 0, .neighbours = n},
                                     Options{.landmarks = 10, .neighbours = n}}) {
        CAPTURE(n, regularisation, options.landmarks);
        const Points points = random_points(n, 3);
        const M y = random_matrix({n, 3}, 2);
        M z(n, 3);
        FactorisedNystrom({}, points, regularisation, options).solve(y, z);
        CHECK(relative_error(naive_product(system({}, points, regularisation), z), y) <= 2e-4);
      }
}

TEST_CASE("points that depend on their neighbours alone need no others", "[rfm]") {
  // Twelve clusters of nine points: between clusters the kernel is 0.
  M z = random_matrix({108, 2}, 1);
  for (Index i = 0; i < 108; ++i) z(i, 0) += 1e5 * static_cast<double>(i % 12);
  const Points points(z);
  const M y = random_matrix({108, 2}, 2);
  M found(108, 2);
  FactorisedNystrom({}, points, 0.1, {.landmarks = 0, .neighbours = 8}).solve(y, found);
  CHECK(relative_error(naive_product(system({}, points, 0.1), found), y) <= 1e-4);
  FactorisedNystrom({}, points, 0.1, {.landmarks = 0, .neighbours = 4}).solve(y, found);
  CHECK(relative_error(naive_product(system({}, points, 0.1), found), y) > 1e-2);
}

TEST_CASE("it is symmetric and positive definite, and the preconditioned matrix is well conditioned", "[rfm]") {
  const Points points = random_points(300, 3);
  for (const double regularisation : {10.0, 0.1, 1e-3}) {
    CAPTURE(regularisation);
    const Options options{.landmarks = 40, .neighbours = 20};
    const M inverse = approximate_inverse(points, regularisation, options);
    CHECK(relative_error(inverse, transposed(inverse)) <= 1e-4);
    CHECK(symmetric_eigen<double>(inverse).values.front() > 0);
    CHECK(condition(points, regularisation, options) < 4);
    // Either part alone leaves more.
    CHECK(condition(points, regularisation, options) <
          condition(points, regularisation, {.landmarks = 40, .neighbours = 0}));
    CHECK(condition(points, regularisation, options) <
          condition(points, regularisation, {.landmarks = 0, .neighbours = 20}));
  }
}

TEST_CASE("equal points, smooth kernels and no regularisation leave it finite and positive", "[rfm]") {
  M unit(80, 80), twins = random_matrix({80, 2}, 1);
  for (Index i = 0; i < 80; ++i) unit(i, i) = 1;
  for (Index i = 0; i < 80; i += 2) std::ranges::copy(twins.row(i), twins.row(i + 1).begin());
  for (const Kernel& kernel : {Kernel{}, Kernel{.shape = KernelShape::gaussian}})
    for (const Points& points : {Points(twins), Points(M(80, 2)), random_points(80, 2)})
      for (const double regularisation : {0.0, 1e-12, 1.0})
        for (const Options& options : {Options{}, Options{.landmarks = 0}, Options{.landmarks = 20, .neighbours = 5}}) {
          CAPTURE(name_of(kernel.shape), regularisation, options.landmarks);
          M inverse(80, 80);
          FactorisedNystrom(kernel, points, regularisation, options).solve(unit, inverse);
          CHECK(all_finite(inverse));
          double least = infinity;
          for (Index i = 0; i < 80; ++i) least = std::min(least, inverse(i, i));
          CHECK(least > 0);
        }
}

TEST_CASE("coordinates beyond float's range are served", "[rfm]") {
  M z = random_matrix({60, 2}, 1);
  for (double& value : z.span()) value *= 1e60;
  const M y = random_matrix({60, 1}, 2);
  M found(60, 1);
  FactorisedNystrom({.bandwidth = 1e60}, Points(z), 0.1, {.landmarks = 10}).solve(y, found);
  CHECK(relative_error(naive_product(system({.bandwidth = 1e60}, Points(z), 0.1), found), y) <= 0.5);
}

TEST_CASE("no points, no columns and float points are points, too", "[rfm]") {
  M none(0, 3), z(5, 0);
  FactorisedNystrom({}, Points(M(0, 2)), 1).solve(M(0, 3), none);
  FactorisedNystrom({}, random_points(5, 2), 1).solve(M(5, 0), z);
  const MahalanobisPoints<float> points(random_matrix<float>({200, 3}, 1));
  const FactorisedNystrom preconditioner({}, points, 0.1, {.landmarks = 30});
  CHECK(preconditioner.landmarks() == 30);
}

TEST_CASE("the bits of an approximation depend on the seed and not on the threads", "[rfm]") {
  const Points points = random_points(700, 3);
  const M y = random_matrix({700, 3}, 2);
  const auto solved = [&](const Options& options) {
    M z(700, 3);
    FactorisedNystrom({}, points, 0.1, options).solve(y, z);
    return z;
  };
  const M one = solved({.landmarks = 100, .neighbours = 10, .seed = 3});
  for (const int threads : {2, 3})
    CHECK(same_bits(solved({.landmarks = 100, .neighbours = 10, .seed = 3, .threads = threads}), one));
  CHECK_FALSE(same_bits(solved({.landmarks = 100, .neighbours = 10, .seed = 4}), one));
}

TEST_CASE("misfits and extents out of range are refused by the preconditioner", "[rfm]") {
  const Points points = random_points(5, 2);
  const auto refusal = [&](double regularisation, const Options& options) {
    return message_of([&] { FactorisedNystrom({}, points, regularisation, options); });
  };
  CHECK(refusal(1, {.landmarks = -1}) ==
        "FactorisedNystrom: landmarks, neighbours and regularisation are -1, 32 and 1; none may be negative");
  CHECK(contains(refusal(1, {.neighbours = -2}), "-2 and 1; none may be negative"));
  CHECK(contains(refusal(-1, {}), "32 and -1; none may be negative"));
  CHECK(refusal(1, {.threads = 0}) == "FactorisedNystrom: threads is 0; it must be at least 1");
  CHECK(message_of<RunError>([&] {
          FactorisedNystrom({}, Points(M{{1, 2}, {std::nan(""), 3}}), 1);
        }) == "FactorisedNystrom: the kernel matrix is not finite");
  M z(5, 1);
  CHECK(message_of([&] { FactorisedNystrom({}, points, 1).solve(M(5, 2), z); }) ==
        "FactorisedNystrom: r is 5x2 and z is 5x1; both must have 5 rows and the same columns");
}

}  // namespace normalign::tests

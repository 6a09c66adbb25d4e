#include "rfm/ridge.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// The largest |(K + reg I) a - y| over the largest |y|.
template <class T>
double residual(const Kernel& kernel, const MahalanobisPoints<T>& points, const Matrix<T>& a, const Matrix<T>& y,
                double regularisation) {
  Matrix<T> product = kernel_product<T>(kernel, points, points, a);
  for (std::size_t i = 0; i < a.span().size(); ++i) product.span()[i] += static_cast<T>(regularisation) * a.span()[i];
  return relative_error(product, y);
}

}  // namespace

TEST_CASE("the coefficients solve the regularised system, with the same bits at any number of threads", "[rfm]") {
  for (const Index n : {1, 2, 65, 400, 600})
    for (const double regularisation : {10.0, 0.1, 1e-3}) {
      CAPTURE(n, regularisation);
      const MahalanobisPoints<double> points(random_matrix({n, 3}, 1));
      const M y = random_matrix({n, 2}, 2);
      const RidgeOptions options{.regularisation = regularisation};
      const RidgeSolution<double> found = ridge<double>({}, points, y, options);
      CHECK_FALSE(found.report.in_double);
      CHECK(residual({}, points, found.coefficients, y, regularisation) <= 1e-10);
      RidgeOptions three = options;
      three.threads = 3;
      CHECK(same_bits(ridge<double>({}, points, y, three).coefficients, found.coefficients));
      const MahalanobisPoints<float> single(random_matrix<float>({n, 3}, 1));
      const auto in_float = ridge<float>({}, single, random_matrix<float>({n, 2}, 2), {.regularisation = 10});
      CHECK(residual({}, single, in_float.coefficients, random_matrix<float>({n, 2}, 2), 10) <= 1e-4);
    }
}

TEST_CASE("a single point has the coefficient y / (1 + reg); equal points share one", "[rfm]") {
  const M y{{3, -1}};
  const MahalanobisPoints<double> point(M{{1, 2}});
  CHECK(relative_error(ridge<double>({}, point, y, {.regularisation = 0.5}).coefficients, M{{2, -2.0 / 3}}) < 1e-15);
  const MahalanobisPoints<double> twins(M(4, 0));
  const M a = ridge<double>({}, twins, M{{1}, {1}, {1}, {1}}, {.regularisation = 1}).coefficients;
  CHECK(relative_error(a, M{{0.2}, {0.2}, {0.2}, {0.2}}) < 1e-15);
}

TEST_CASE("a float factorisation that fails is done again in double, and says so", "[rfm]") {
  // Pairs of equal points: K is singular, and float rounds 1e-9 away.
  Matrix<float> z = random_matrix<float>({60, 2}, 1);
  for (Index i = 0; i < 30; ++i) std::ranges::copy(z.row(i), z.row(30 + i).begin());
  const MahalanobisPoints<float> points(z);
  Matrix<float> y = random_matrix<float>({60, 1}, 2);
  for (Index i = 0; i < 30; ++i) y(30 + i, 0) = y(i, 0);
  const RidgeSolution<float> found = ridge<float>({}, points, y, {.regularisation = 1e-9});
  CHECK(found.report.in_double);
  CHECK(all_finite(found.coefficients));
  CHECK(relative_error(kernel_product<float>({}, points, points, found.coefficients), y) < 1e-2);
  CHECK_FALSE(ridge<float>({}, points, y, {.regularisation = 1}).report.in_double);
}

TEST_CASE("a singular system is an error of the run", "[rfm]") {
  const M y(3, 1);
  const MahalanobisPoints<double> twins(M(3, 2));
  CHECK(message_of<RunError>([&] { ridge<double>({}, twins, y, {.regularisation = 0}); }) ==
        "ridge: the kernel matrix of 3 points with regularisation 0 is not positive definite up to rounding");
  const MahalanobisPoints<float> single(Matrix<float>(3, 2));
  CHECK(contains(message_of<RunError>([&] { ridge<float>({}, single, Matrix<float>(3, 1), {.regularisation = 0}); }),
                 "3 points with regularisation 0"));
}

TEST_CASE("misfits and options out of range are refused", "[rfm]") {
  const MahalanobisPoints<double> points(M(3, 2));
  const auto refusal = [&](const M& y, const RidgeOptions& options, const Kernel& kernel = {}) {
    return message_of([&] { ridge<double>(kernel, points, y, options); });
  };
  CHECK(refusal(M(2, 1), {}) == "ridge: y is 2x1 but there are 3 points");
  CHECK(refusal(M(3, 1), {.regularisation = -1}) == "ridge: regularisation is -1; it must be finite and not negative");
  CHECK(contains(refusal(M(3, 1), {.regularisation = std::nan("")}), "ridge: regularisation is nan"));
  CHECK(refusal(M(3, 1), {.threads = 0}) == "ridge: threads is 0; it must be at least 1");
  CHECK(contains(refusal(M(3, 1), {}, {.bandwidth = -1}), "kernel: bandwidth is -1"));
}

TEST_CASE("a solution ends when stopped, by whichever method it is found", "[rfm]") {
  // Of thousands of points only so that each method is taken: the first tile asks.
  const auto stops = [](Index n, Index columns, double memory) {
    const MahalanobisPoints<double> points(random_matrix({n, 3}, 1));
    const M y = random_matrix({n, columns}, 2);
    const RidgeOptions options{.memory = memory, .stop = [] { return true; }};
    return message_of<Stopped>([&] { ridge<double>({}, points, y, options); });
  };
  CHECK(stops(300, 1, infinity) == "ridge: stopped");
  CHECK(stops(2500, 20, infinity) == "ridge: stopped");
  CHECK(stops(2000, 1, 1e6) == "ridge: stopped");
  const MahalanobisPoints<double> points(random_matrix({50'000, 20}, 1));
  const M y = random_matrix({50'000, 3}, 2);
  check_stops("ridge", [&](const std::function<bool()>& stop) {
    ridge<double>({}, points, y,
                  {.regularisation = 1e-6, .memory = 1e8, .threads = 2, .tolerance = 1e-12, .stop = stop});
  });
}

}  // namespace normalign::tests

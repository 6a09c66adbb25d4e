#include "rfm/pivoted_cholesky.hpp"

#include <cmath>

#include "linalg/lapack.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

M whole(const Kernel& kernel, const MahalanobisPoints<double>& points) {
  M k(points.size(), points.size());
  kernel_matrix<double>(kernel, points, points, k);
  return k;
}

double trace_difference(const M& a, const M& b) {
  double sum = 0;
  for (Index i = 0; i < a.rows(); ++i) sum += a(i, i) - b(i, i);
  return sum;
}

}  // namespace

TEST_CASE("an approximation is one from below, its residual's trace is what it says, and nearly as small as can be",
          "[rfm]") {
  for (const Kernel& kernel : {Kernel{.bandwidth = 2}, Kernel{.shape = KernelShape::gaussian, .bandwidth = 1}}) {
    const Index n = 300, rank = 90;
    const MahalanobisPoints<double> points(random_matrix({n, 2}, 1, -2, 2));
    const M k = whole(kernel, points);
    const SymmetricEigen<double> eigen = symmetric_eigen<double>(k);
    const auto rest = [&](Index taken) {  // of the best approximation there is
      double sum = 0;
      for (Index i = 0; i < n - taken; ++i) sum += eigen.values[static_cast<std::size_t>(i)];
      return sum;
    };
    double mean = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const LowRank found = pivoted_cholesky<double>(kernel, points, {.rank = rank, .seed = seed});
      CAPTURE(name_of(kernel.shape), seed, found.factor.rows(), found.residual_trace);
      REQUIRE(found.factor.rows() <= rank);
      const M approximation = naive_product(found.factor, found.factor, {.a = true});
      CHECK_THAT(found.residual_trace, WithinAbs(trace_difference(k, approximation), 1e-10));
      M difference = k;
      for (std::size_t i = 0; i < k.span().size(); ++i) difference.span()[i] -= approximation.span()[i];
      CHECK(symmetric_eigen<double>(difference).values.front() > -1e-10);
      mean += found.residual_trace / 8;
    }
    // Theorem: rank r / eps + r log(1 / (eps eta)) suffices for (1 + eps) times the best of rank r; here r = 30, eps
    // = 2.
    CHECK(mean <= 3 * rest(30));
    CHECK(mean >= 0.99 * rest(rank));
  }
}

TEST_CASE("a matrix of low rank is found, and no more", "[rfm]") {
  // Five points, each sixty times.
  const M few = random_matrix({5, 3}, 1);
  M z(300, 3);
  for (Index i = 0; i < 300; ++i) std::ranges::copy(few.row(i % 5), z.row(i).begin());
  const MahalanobisPoints<double> points{M(z)};
  const LowRank found = pivoted_cholesky<double>({}, points, {.rank = 100});
  CHECK(found.factor.rows() == 5);
  CHECK(relative_error(naive_product(found.factor, found.factor, {.a = true}), whole({}, points)) <= 1e-12);
  Matrix<float> single(300, 3);
  std::ranges::transform(z.span(), single.span().begin(), [](double v) { return static_cast<float>(v); });
  CHECK(pivoted_cholesky<float>({}, MahalanobisPoints<float>(single), {.rank = 100}).factor.rows() == 5);
}

TEST_CASE("it ends at the trace that is enough, at the rank, and where there are no points", "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({400, 2}, 1));
  const LowRank enough = pivoted_cholesky<double>({}, points, {.rank = 400, .residual_trace = 0.5});
  CHECK(enough.residual_trace <= 0.5);
  CHECK(enough.factor.rows() < 350);
  CHECK(pivoted_cholesky<double>({}, points, {.rank = 70}).factor.rows() == 70);
  CHECK(pivoted_cholesky<double>({}, points, {.rank = 0}).factor.shape() == Shape{0, 400});
  CHECK(pivoted_cholesky<double>({}, MahalanobisPoints<double>(M(0, 2))).factor.shape() == Shape{0, 0});
  CHECK(message_of([&] { pivoted_cholesky<double>({}, points, {.rank = -1}); }) ==
        "pivoted_cholesky: rank is -1; it must not be negative");
  CHECK(message_of([&] { pivoted_cholesky<double>({}, points, {.threads = 0}); }) ==
        "pivoted_cholesky: threads is 0; it must be at least 1");
}

TEST_CASE("the bits depend on the seed and not on the threads", "[rfm]") {
  const MahalanobisPoints<double> points(random_matrix({1100, 4}, 1));
  const M one = pivoted_cholesky<double>({}, points, {.rank = 150, .seed = 3}).factor;
  for (int threads : {2, 3})
    CHECK(same_bits(pivoted_cholesky<double>({}, points, {.rank = 150, .seed = 3, .threads = threads}).factor, one));
  CHECK_FALSE(same_bits(pivoted_cholesky<double>({}, points, {.rank = 150, .seed = 4}).factor, one));
}

TEST_CASE("a pivot is drawn with the probability of its residual, though proposed in batches", "[rfm]") {
  // Three groups of equal points, far from each other, of 60, 30 and 10: rank 2 takes two of them. The first is a
  // group of share s, the second one of the rest in proportion; this leaves a group out with known probability.
  M z(100, 1);
  for (Index i = 0; i < 100; ++i) z(i, 0) = i < 60 ? 0 : i < 90 ? 1e6 : 2e6;
  const MahalanobisPoints<double> points(z);
  double left_out[3] = {};
  const int runs = 4000;
  for (int seed = 0; seed < runs; ++seed) {
    const LowRank found = pivoted_cholesky<double>({}, points, {.rank = 2, .seed = static_cast<std::uint64_t>(seed)});
    const double left = found.residual_trace;
    left_out[left > 50 ? 0 : left > 20 ? 1 : 2] += 1.0 / runs;
  }
  const double s[] = {0.6, 0.3, 0.1};
  for (int i = 0; i < 3; ++i) {
    const int j = (i + 1) % 3, k = (i + 2) % 3;
    const double expected = s[j] * s[k] / (1 - s[j]) + s[k] * s[j] / (1 - s[k]);
    CHECK_THAT(left_out[i], WithinAbs(expected, 5 * std::sqrt(expected * (1 - expected) / runs)));
  }
}

}  // namespace normalign::tests

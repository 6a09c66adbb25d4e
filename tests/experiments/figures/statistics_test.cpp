#include "experiments/figures/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

#include "base/infinity.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Sample = std::vector<double>;

// Two-sided tail of Student's t by Simpson's rule on its density: no code in common with the library's.
double tail_by_integration(double t, double df) {
  const double log_scale = std::lgamma((df + 1) / 2) - std::lgamma(df / 2) - std::log(df * std::numbers::pi) / 2;
  const auto density = [&](double x) { return std::exp(log_scale - (df + 1) / 2 * std::log1p(x * x / df)); };
  const int intervals = 20000;
  const double step = std::abs(t) / intervals;
  double sum = density(0) + density(std::abs(t));
  for (int i = 1; i < intervals; ++i) sum += (i % 2 == 1 ? 4 : 2) * density(i * step);
  return 1 - 2 * sum * step / 3;
}

Sample shifted(Sample sample, double by) {
  for (double& value : sample) value += by;
  return sample;
}

TEST_CASE("statistics: mean, standard deviation and median of small samples") {
  const Sample odd = {5, 1, 3};
  CHECK(mean(odd) == 3);
  CHECK(standard_deviation(odd) == 2);
  CHECK(median(odd) == 3);
  const Sample even = {2, 4, 4, 4, 5, 5, 7, 9};
  CHECK(mean(even) == 5);
  CHECK_THAT(standard_deviation(even).value(), WithinRel(std::sqrt(32.0 / 7), 1e-15));
  CHECK(median(even) == 4.5);
}

TEST_CASE("statistics: what is undefined is absent") {
  CHECK_FALSE(mean(Sample{}).has_value());
  CHECK_FALSE(median(Sample{}).has_value());
  CHECK_FALSE(standard_deviation(Sample{}).has_value());
  CHECK_FALSE(standard_deviation(Sample{7}).has_value());
  CHECK(mean(Sample{7}) == 7);
  CHECK(median(Sample{7}) == 7);
}

TEST_CASE("statistics: a constant sample has exactly no spread") {
  const Sample tenths(3, 0.1);
  CHECK(mean(tenths) == 0.1);
  CHECK(standard_deviation(tenths) == 0);
}

TEST_CASE("statistics: the spread survives a large offset") {
  CHECK(standard_deviation(shifted({1, 2, 3}, 1e15)) == 1);
}

TEST_CASE("welch_t_test: one degree of freedom is the Cauchy distribution") {
  // No spread in b leaves n_a - 1 degrees of freedom.
  const auto test = welch_t_test(Sample{0, 2}, Sample{3, 3});
  REQUIRE(test);
  CHECK_THAT(test->t, WithinRel(-2.0, 1e-14));
  CHECK_THAT(test->degrees_of_freedom, WithinRel(1.0, 1e-14));
  CHECK_THAT(test->p_two_sided, WithinRel(1 - 2 / std::numbers::pi * std::atan(2.0), 1e-13));
}

TEST_CASE("welch_t_test: two degrees of freedom have a closed form") {
  // p = 1 - |t| / sqrt(2 + t²); two pairs of one variance have 2 degrees of freedom.
  const auto test = welch_t_test(Sample{4, 6}, Sample{0, 2});
  REQUIRE(test);
  CHECK_THAT(test->t, WithinRel(std::sqrt(8.0), 1e-14));
  CHECK_THAT(test->degrees_of_freedom, WithinRel(2.0, 1e-14));
  CHECK_THAT(test->p_two_sided, WithinRel(1 - std::sqrt(8.0 / 10), 1e-13));
}

TEST_CASE("welch_t_test: equal variances and sizes give Student's test") {
  // scipy.stats.ttest_ind([1, 2, 3], [4, 5, 6]) = (-3.6742346141747673, 0.021311641128756727)
  const auto test = welch_t_test(Sample{1, 2, 3}, Sample{4, 5, 6});
  REQUIRE(test);
  CHECK_THAT(test->t, WithinRel(-3.6742346141747673, 1e-14));
  CHECK_THAT(test->degrees_of_freedom, WithinRel(4.0, 1e-14));
  CHECK_THAT(test->p_two_sided, WithinRel(0.021311641128756727, 1e-12));
}

TEST_CASE("welch_t_test: unequal variances and sizes") {
  const Sample a = {2100, 1700, 6300, 2400, 1900};
  const Sample b = {110, 87, 130};
  // Means 2880 and 109; squares of deviations 14888000 over 4 and 926 over 2; v = variance / n.
  const double v_a = 14888000.0 / 4 / 5;
  const double v_b = 926.0 / 2 / 3;
  const double df = (v_a + v_b) * (v_a + v_b) / (v_a * v_a / 4 + v_b * v_b / 2);
  const auto test = welch_t_test(a, b);
  REQUIRE(test);
  CHECK_THAT(test->t, WithinRel(2771 / std::sqrt(v_a + v_b), 1e-13));
  CHECK_THAT(test->degrees_of_freedom, WithinRel(df, 1e-13));
  CHECK_THAT(test->p_two_sided, WithinRel(tail_by_integration(test->t, df), 1e-9));
}

TEST_CASE("welch_t_test: antisymmetric in the samples, blind to shift and scale") {
  const Sample a = {3.5, 1.25, 8, 2.75};
  const Sample b = {7, 9.5, 6.25};
  const auto test = welch_t_test(a, b);
  const auto swapped = welch_t_test(b, a);
  REQUIRE(test);
  REQUIRE(swapped);
  CHECK_THAT(swapped->t, WithinRel(-test->t, 1e-14));
  CHECK_THAT(swapped->degrees_of_freedom, WithinRel(test->degrees_of_freedom, 1e-14));
  CHECK_THAT(swapped->p_two_sided, WithinRel(test->p_two_sided, 1e-13));

  const auto moved = welch_t_test(shifted(a, 1024), shifted(b, 1024));
  REQUIRE(moved);
  CHECK_THAT(moved->t, WithinRel(test->t, 1e-11));
  CHECK_THAT(moved->p_two_sided, WithinRel(test->p_two_sided, 1e-11));

  Sample tiny_a = a;
  Sample tiny_b = b;
  for (double& value : tiny_a) value *= 1e-100;
  for (double& value : tiny_b) value *= 1e-100;
  const auto tiny = welch_t_test(tiny_a, tiny_b);
  REQUIRE(tiny);
  CHECK_THAT(tiny->degrees_of_freedom, WithinRel(test->degrees_of_freedom, 1e-12));
}

TEST_CASE("welch_t_test: equal means give p = 1, far ones a small p that is not rounded to zero") {
  const auto same = welch_t_test(Sample{1, 3}, Sample{0, 4});
  REQUIRE(same);
  CHECK(same->t == 0);
  CHECK(same->p_two_sided == 1);
  Sample near;
  for (int i = 0; i < 10; ++i) near.push_back(i);
  const auto far = welch_t_test(near, shifted(near, 1e6));
  REQUIRE(far);
  CHECK(far->p_two_sided > 0);
  CHECK(far->p_two_sided < 1e-60);
}

TEST_CASE("welch_t_test: undefined without two values or without any spread") {
  CHECK_FALSE(welch_t_test(Sample{1}, Sample{1, 2}).has_value());
  CHECK_FALSE(welch_t_test(Sample{1, 2}, Sample{}).has_value());
  CHECK_FALSE(welch_t_test(Sample{1, 1}, Sample{1, 1}).has_value());
  CHECK_FALSE(welch_t_test(Sample{0.1, 0.1, 0.1}, Sample{0.3, 0.3, 0.3}).has_value());
}

TEST_CASE("the rank correlation sees order alone, and shares the ranks of equal values") {
  const std::vector<double> a{1, 2, 3, 4, 5}, squares{1, 4, 9, 16, 1000}, back{5, 4, 3, 2, -1};
  CHECK(rank_correlation(a, squares) == 1);
  CHECK(rank_correlation(a, back) == -1);
  // Worked by hand: ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4; the products' sum is 4.5, the squares' 4.5 and 5.
  CHECK_THAT(*rank_correlation(std::vector<double>{1, 2, 2, 7}, std::vector<double>{0, 6, 5, 9}),
             WithinAbs(4.5 / std::sqrt(4.5 * 5), 1e-15));
  CHECK_FALSE(rank_correlation(std::vector<double>{1}, std::vector<double>{1}));
  CHECK_FALSE(rank_correlation(a, std::vector<double>{2, 2, 2, 2, 2}));
}

TEST_CASE("paired_t_test: one and two degrees of freedom have closed forms") {
  // Differences 1 and 3: t = 2 / (sqrt 2 / sqrt 2) = 2 in Cauchy's distribution.
  const auto cauchy = paired_t_test(Sample{1, 13}, Sample{0, 10});
  REQUIRE(cauchy);
  CHECK(cauchy->mean_difference == 2);
  CHECK(cauchy->degrees_of_freedom == 1);
  CHECK_THAT(cauchy->t, WithinRel(2.0, 1e-14));
  CHECK_THAT(cauchy->p_two_sided, WithinRel(1 - 2 / std::numbers::pi * std::atan(2.0), 1e-12));
  // 1, 2, 3: t = 2 sqrt 3 and p = 1 - t / sqrt(2 + t²).
  const auto test = paired_t_test(Sample{2, 4, 6}, Sample{1, 2, 3});
  REQUIRE(test);
  const double p = 1 - std::sqrt(12.0 / 14);
  CHECK_THAT(test->p_two_sided, WithinRel(p, 1e-12));
  CHECK_THAT(test->p_greater, WithinRel(p / 2, 1e-12));
  CHECK_THAT(test->p_less, WithinRel(1 - p / 2, 1e-12));
}

TEST_CASE("paired_t_test: the general tail, and both directions") {
  const Sample a = {3.5, 1.25, 8, 2.75, 9}, b = {3, 2, 7.5, 1, 6};
  const auto test = paired_t_test(a, b), swapped = paired_t_test(b, a);
  REQUIRE(test);
  REQUIRE(swapped);
  CHECK_THAT(test->p_two_sided, WithinRel(tail_by_integration(test->t, 4), 1e-9));
  CHECK_THAT(swapped->t, WithinRel(-test->t, 1e-14));
  CHECK_THAT(swapped->p_less, WithinRel(test->p_greater, 1e-13));
}

TEST_CASE("paired_t_test: undefined without spread or below two pairs") {
  CHECK_FALSE(paired_t_test(Sample{}, Sample{}));
  CHECK_FALSE(paired_t_test(Sample{1}, Sample{0}));
  CHECK_FALSE(paired_t_test(Sample{1, 5, 2}, Sample{0, 4, 1}));
}

// ---- mann_whitney_test

// The test by definition: every way to choose which of the values are the first sample, counted one by one; u by pairs.
double p_by_all_splits(const Sample& a, const Sample& b) {
  Sample all = a;
  all.insert(all.end(), b.begin(), b.end());
  const auto distance = [&](const std::vector<bool>& is_first) {
    double u = 0;
    for (std::size_t i = 0; i < all.size(); ++i)
      for (std::size_t j = 0; j < all.size(); ++j)
        if (is_first[i] && !is_first[j]) u += all[i] > all[j] ? 1 : all[i] == all[j] ? 0.5 : 0;
    return std::abs(u - static_cast<double>(a.size() * b.size()) / 2);
  };
  std::vector<bool> split(all.size());
  std::fill_n(split.begin(), a.size(), true);
  const double found = distance(split);
  double far = 0, total = 0;
  do {
    ++total;
    if (distance(split) >= found) ++far;
  } while (std::prev_permutation(split.begin(), split.end()));
  return far / total;
}

TEST_CASE("mann_whitney_test: as counted over all splits, with ties and without, infinities too") {
  std::mt19937 random(7);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t n_a = 1 + random() % 5, n_b = 1 + random() % 6;
    const unsigned distinct = trial % 3 == 0 ? 1000 : 1 + static_cast<unsigned>(random() % 6);
    const auto draw = [&](std::size_t n) {
      Sample sample(n);
      for (double& value : sample) value = random() % 4 == 0 ? infinity : static_cast<double>(random() % distinct) / 10;
      return sample;
    };
    const Sample a = draw(n_a), b = draw(n_b);
    CAPTURE(a, b);
    const auto test = mann_whitney_test(a, b), swapped = mann_whitney_test(b, a);
    REQUIRE(test);
    REQUIRE(swapped);
    CHECK_THAT(test->p_two_sided, WithinRel(p_by_all_splits(a, b), 1e-14));
    CHECK(swapped->p_two_sided == test->p_two_sided);
    CHECK(test->u + swapped->u == static_cast<double>(n_a * n_b));
  }
}

TEST_CASE("mann_whitney_test: published values") {
  // Mann and Whitney's own table 1: P(U <= u) of samples of 8 and 8, u = 0, 1 and 2; of 5 and 3, u = 1.
  const auto sample_of = [](std::size_t n, double from) {
    Sample sample(n);
    std::iota(sample.begin(), sample.end(), from);
    return sample;
  };
  // `a` lies below all of `b` but for its largest value, which lies above `u` of them.
  const auto p = [&](std::size_t n_a, std::size_t n_b, int u) {
    Sample a = sample_of(n_a, 0);
    a.back() = 99.5 + u;
    return mann_whitney_test(a, sample_of(n_b, 100)).value();
  };
  CHECK(p(8, 8, 0).u == 0);
  CHECK(p(8, 8, 2).u == 2);
  CHECK_THAT(p(8, 8, 0).p_two_sided, WithinRel(2 / 12870.0, 1e-14));
  CHECK_THAT(p(8, 8, 1).p_two_sided, WithinRel(4 / 12870.0, 1e-14));
  CHECK_THAT(p(8, 8, 2).p_two_sided, WithinRel(8 / 12870.0, 1e-14));
  CHECK_THAT(p(5, 3, 1).p_two_sided, WithinAbs(2 * 0.036, 0.001));  // table 1, n = 5, m = 3
  // The critical values of 10 and 10 at 5 % and at 1 % two-sided are 23 and 16.
  const auto p_of = [&](double target) {
    Sample a = sample_of(10, 0), b = sample_of(10, 100);
    // Values of `a` move above all of `b`, ten pairs each, then one more above as many as are left.
    double left = target;
    for (double& value : a) {
      const double above = std::min(left, 10.0);
      value = above > 0 ? 99.5 + above : value;
      left -= above;
    }
    const auto test = mann_whitney_test(a, b).value();
    CHECK(test.u == target);
    return test.p_two_sided;
  };
  CHECK((p_of(23) <= 0.05 && p_of(24) > 0.05));
  CHECK((p_of(16) <= 0.01 && p_of(17) > 0.01));
}

TEST_CASE("mann_whitney_test: above 50 values it is normal, and near to the exact test there") {
  // By the formula: 26 and 25 values, all different, u = 0; z = (325 - 1/2) / sqrt(26 * 25 * 52 / 12).
  Sample low(26), high(25);
  std::iota(low.begin(), low.end(), 0);
  std::iota(high.begin(), high.end(), 100);
  const double z = 324.5 / std::sqrt(26 * 25 * 52 / 12.0);
  CHECK_THAT(mann_whitney_test(low, high)->p_two_sided, WithinRel(std::erfc(z / std::numbers::sqrt2), 1e-12));
  // Two values alone: with x of the 40 in `a` ones, u is 40 x and a constant, and x is hypergeometric.
  Sample few(40, 0.0), many(40, 1.0);
  std::fill_n(few.begin(), 10, 1.0);
  std::fill_n(many.begin(), 10, 0.0);
  const double variance_of_x = 40.0 * 40 * 40 * 40 / (80.0 * 80 * 79);
  const auto of_two_values = mann_whitney_test(few, many).value();
  CHECK(of_two_values.u == 10 * 10 + (30 * 10 + 10 * 30) / 2);
  CHECK_THAT(of_two_values.p_two_sided, WithinRel(std::erfc(399.5 / std::sqrt(2 * 1600 * variance_of_x)), 1e-12));
  // At 25 and 25 values p is exact, and near to the formula.
  std::mt19937 random(11);
  for (int trial = 0; trial < 20; ++trial) {
    Sample a(25), b(25);
    for (double& value : a) value = static_cast<double>(random());
    for (double& value : b) value = static_cast<double>(random()) + 5e8 * (trial % 4);
    const auto exact = mann_whitney_test(a, b).value();
    const double distance = std::max(0.0, std::abs(exact.u - 312.5) - 0.5);
    CHECK_THAT(exact.p_two_sided, WithinAbs(std::erfc(distance / std::sqrt(2 * 25 * 25 * 51 / 12.0)), 0.005));
  }
  CHECK(mann_whitney_test(Sample(40, 5.0), Sample(40, 5.0))->p_two_sided == 1);
}

TEST_CASE("mann_whitney_test: equal values say nothing, single values little, and no value is undefined") {
  CHECK(mann_whitney_test(Sample(3, infinity), Sample(4, infinity))->p_two_sided == 1);
  CHECK(mann_whitney_test(Sample(3, infinity), Sample(4, infinity))->u == 6);
  CHECK(mann_whitney_test(Sample{1}, Sample{2})->p_two_sided == 1);
  CHECK(mann_whitney_test(Sample{1}, Sample{2, 3, 4})->p_two_sided == 0.5);
  CHECK_FALSE(mann_whitney_test(Sample{}, Sample{1, 2}));
  CHECK_FALSE(mann_whitney_test(Sample{1}, Sample{}));
}

}  // namespace
}  // namespace normalign::tests

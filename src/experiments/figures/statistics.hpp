// The few statistics the experiments report: location and spread of a sample, and of two samples Welch's and the paired
// t-test, the Mann-Whitney test and the rank correlation.
#pragma once

#include <optional>
#include <span>
#include <vector>

namespace normalign {

/// The arithmetic mean of finite `values`; none of an empty sample. Exact where all values are equal.
std::optional<double> mean(std::span<const double> values);

/// The sample standard deviation, sqrt(sum (x - mean)² / (n - 1)), of finite `values`; none below two values,
/// and exactly zero where all are equal.
std::optional<double> standard_deviation(std::span<const double> values);

/// The middle value of `values`, none of them NaN, of an even number the mean of the two middle ones; none of an empty
/// sample.
std::optional<double> median(std::span<const double> values);

/// A sample in numbers, each there where the function of that name is.
struct Spread {
  std::size_t count = 0;  ///< of the sample
  std::optional<double> mean = {};
  std::optional<double> standard_deviation = {};
  std::optional<double> median = {};
};
Spread spread(std::span<const double> values);

/// The sample of what `value` returns, an optional, for those of the items that have it.
template <class Items, class Value>
std::vector<double> present(const Items& items, const Value& value) {
  std::vector<double> result;
  for (const auto& item : items)
    if (const std::optional<double> found = value(item)) result.push_back(*found);
  return result;
}

/// What Welch's test found.
struct WelchTest {
  double t = 0;                   ///< positive where the first sample has the larger mean
  double degrees_of_freedom = 0;  ///< Welch-Satterthwaite, in general no integer
  double p_two_sided = 1;         ///< probability of |t| or more where both means are the same; not per cent
};

/// Welch's t-test of whether samples `a` and `b` come from distributions with one mean, their variances
/// unknown and not presumed equal. None where it is undefined: a sample below two values, or no spread in
/// either sample (the degrees of freedom are then 0/0, whether the means agree or not). One sample without
/// spread is no obstacle. t = (mean_a - mean_b) / sqrt(v_a + v_b) and 1 / df = c² / (n_a - 1) + (1 - c)² /
/// (n_b - 1), with v = variance / n and c = v_a / (v_a + v_b): B. L. Welch, Biometrika 34 (1947), 28-35.
std::optional<WelchTest> welch_t_test(std::span<const double> a, std::span<const double> b);

/// What the Mann-Whitney test found.
struct MannWhitneyTest {
  double u = 0;  ///< pairs (a, b) with a > b, those with a = b as halves: from 0 to n_a n_b
  double p_two_sided =
      1;  ///< probability of a u as far from n_a n_b / 2 or farther, where order is chance; not per cent
};

/// Returns the two-sided Mann-Whitney U test, or rank-sum test, of whether the values of `a` and of `b` are mixed as
/// chance would mix them. Only their order counts: infinity is a value after all others, and may be there several
/// times. Equal values share their mean rank. Up to 50 values together p is exact: the share of all ways to part the
/// values into samples of these sizes whose u is as far from the middle or farther. Above that p is normal, with the
/// variance that ties leave and a continuity correction of 1/2. It is 1 where all values are equal. Returns nullopt
/// where a sample is empty. No value may be NaN. Source: H. B. Mann and D. R. Whitney, Annals of Mathematical
/// Statistics 18 (1947), 50-60.
std::optional<MannWhitneyTest> mann_whitney_test(std::span<const double> a, std::span<const double> b);

/// What the paired t-test found.
struct PairedTest {
  double mean_difference = 0;     ///< of a_i - b_i
  double t = 0;                   ///< positive where the first of the pairs have the larger mean
  double degrees_of_freedom = 0;  ///< pairs - 1
  double p_two_sided = 1;         ///< probability of |t| or more where both means are the same; not per cent
  double p_greater = 1;           ///< that of t or more: small where the first are larger
  double p_less = 1;              ///< that of t or less: small where the first are smaller
};

/// Student's t-test of whether the differences of pairs (a_i, b_i) have mean 0: t = mean / (standard deviation /
/// sqrt(n)), n - 1 degrees of freedom. None below two pairs or where all differences are equal. Samples are equally
/// long and finite.
std::optional<PairedTest> paired_t_test(std::span<const double> a, std::span<const double> b);

/// Spearman's rank correlation of pairs (a_i, b_i): Pearson's of the ranks, equal values sharing their mean rank. None
/// below two pairs or where one side is constant. Samples are equally long; values are no NaN.
std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace normalign

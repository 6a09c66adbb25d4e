#include "experiments/figures/statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace normalign {
namespace {

// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) ++last;
    for (std::size_t i = first; i <= last; ++i) result[order[i]] = 1 + static_cast<double>(first + last) / 2;
    first = last + 1;
  }
  return result;
}

constexpr std::size_t most_values_of_exact_test = 50;  // C(50, 25) = 1.3e14 ways, which a double counts exactly

// The share of all choices of `chosen` of the ranks whose sum is as far from its mean as `sum` is, or farther. Ranks
// and sum are doubled, so that shared ranks are whole numbers.
double share_as_far(const std::vector<std::size_t>& doubled_ranks, std::size_t chosen, std::size_t sum) {
  const std::size_t all = std::accumulate(doubled_ranks.begin(), doubled_ranks.end(), std::size_t{0});
  // ways[k][s]: choices of k of the ranks so far with sum s. From above, as a rank is chosen once.
  std::vector<std::vector<double>> ways(chosen + 1, std::vector<double>(all + 1));
  ways[0][0] = 1;
  for (const std::size_t rank : doubled_ranks)
    for (std::size_t k = chosen; k > 0; --k)
      for (std::size_t s = all; s >= rank; --s) ways[k][s] += ways[k - 1][s - rank];
  // The mean of the sums is chosen (n + 1), as doubled ranks have the mean n + 1.
  const std::size_t middle = chosen * (doubled_ranks.size() + 1);
  const auto distance = [&](std::size_t s) { return s > middle ? s - middle : middle - s; };
  double far = 0, total = 0;
  for (std::size_t s = 0; s <= all; ++s) {
    total += ways[chosen][s];
    if (distance(s) >= distance(sum)) far += ways[chosen][s];
  }
  return far / total;
}

// The normal approximation of the same, `distance` being that of u from its mean.
double normal_share_as_far(std::vector<double> values, double n_a, double n_b, double distance) {
  const double n = n_a + n_b;
  double of_ties = 0;
  std::ranges::sort(values);
  for (auto first = values.begin(); first != values.end();) {
    const auto last = std::upper_bound(first, values.end(), *first);
    const auto count = static_cast<double>(last - first);
    of_ties += count * count * count - count;
    first = last;
  }
  const double variance = n_a * n_b / 12 * (n + 1 - of_ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;
  return std::erfc(std::max(0.0, distance - 0.5) / std::sqrt(2 * variance));
}

}  // namespace

// Sums are of distances to the first value, so that a constant sample has exactly its value as its mean and
// exactly no spread: rounding must not turn three runs of 0.1 s into a tiny variance and that into an
// enormous t.
std::optional<double> mean(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value - values[0];
  return values[0] + sum / static_cast<double>(values.size());
}

std::optional<double> standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double centre = *mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::optional<double> median(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[middle];
  return std::midpoint(sorted[middle - 1], sorted[middle]);
}

Spread spread(std::span<const double> values) {
  return {.count = values.size(),
          .mean = mean(values),
          .standard_deviation = standard_deviation(values),
          .median = median(values)};
}

std::optional<WelchTest> welch_t_test(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2 || b.size() < 2) return std::nullopt;
  const auto n_a = static_cast<double>(a.size());
  const auto n_b = static_cast<double>(b.size());
  const double error_a = *standard_deviation(a) / std::sqrt(n_a);
  const double error_b = *standard_deviation(b) / std::sqrt(n_b);
  const double error = std::hypot(error_a, error_b);
  if (!(error > 0) || !std::isfinite(error)) return std::nullopt;

  const double share_a = (error_a / error) * (error_a / error);
  const double share_b = (error_b / error) * (error_b / error);
  const double t = (*mean(a) - *mean(b)) / error;
  const double df = 1 / (share_a * share_a / (n_a - 1) + share_b * share_b / (n_b - 1));
  if (!std::isfinite(t)) return std::nullopt;
  const boost::math::students_t distribution(df);
  // The upper tail itself, not one minus the rest: small p keep their digits.
  const double tail = boost::math::cdf(boost::math::complement(distribution, std::abs(t)));
  return WelchTest{.t = t, .degrees_of_freedom = df, .p_two_sided = std::min(1.0, 2 * tail)};
}

std::optional<MannWhitneyTest> mann_whitney_test(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  std::vector<double> values(a.begin(), a.end());
  values.insert(values.end(), b.begin(), b.end());
  std::vector<std::size_t> doubled_ranks;
  for (const double rank : ranks(values)) doubled_ranks.push_back(static_cast<std::size_t>(std::lround(2 * rank)));
  const std::size_t doubled_sum =
      std::accumulate(doubled_ranks.begin(), doubled_ranks.begin() + std::ssize(a), std::size_t{0});
  const auto n_a = static_cast<double>(a.size()), n_b = static_cast<double>(b.size());
  const double u = static_cast<double>(doubled_sum) / 2 - n_a * (n_a + 1) / 2;
  const double p = values.size() <= most_values_of_exact_test
                       ? share_as_far(doubled_ranks, a.size(), doubled_sum)
                       : normal_share_as_far(values, n_a, n_b, std::abs(u - n_a * n_b / 2));
  return MannWhitneyTest{.u = u, .p_two_sided = p};
}

std::optional<PairedTest> paired_t_test(std::span<const double> a, std::span<const double> b) {
  std::vector<double> differences(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) differences[i] = a[i] - b[i];
  const auto deviation = standard_deviation(differences);
  if (!deviation || !(*deviation > 0)) return std::nullopt;
  const auto n = static_cast<double>(a.size());
  const double centre = *mean(differences), t = centre / (*deviation / std::sqrt(n));
  if (!std::isfinite(t)) return std::nullopt;
  const boost::math::students_t distribution(n - 1);
  // The tails themselves, not one minus the rest: small p keep their digits.
  const double upper = boost::math::cdf(boost::math::complement(distribution, t)),
               lower = boost::math::cdf(distribution, t);
  return PairedTest{.mean_difference = centre,
                    .t = t,
                    .degrees_of_freedom = n - 1,
                    .p_two_sided = std::min(1.0, 2 * std::min(upper, lower)),
                    .p_greater = upper,
                    .p_less = lower};
}

std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b) {
  if (a.size() < 2) return std::nullopt;
  const std::vector<double> rank_a = ranks(a), rank_b = ranks(b);
  const double middle = (static_cast<double>(a.size()) + 1) / 2;
  double squares_a = 0, squares_b = 0, products = 0;
  for (std::size_t i = 0; i < rank_a.size(); ++i) {
    squares_a += (rank_a[i] - middle) * (rank_a[i] - middle);
    squares_b += (rank_b[i] - middle) * (rank_b[i] - middle);
    products += (rank_a[i] - middle) * (rank_b[i] - middle);
  }
  if (squares_a == 0 || squares_b == 0) return std::nullopt;
  return products / std::sqrt(squares_a * squares_b);
}

}  // namespace normalign

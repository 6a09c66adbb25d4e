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

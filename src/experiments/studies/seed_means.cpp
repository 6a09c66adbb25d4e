#include "experiments/studies/seed_means.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.hpp"
#include "experiments/figures/statistics.hpp"

namespace normalign {

void check_seeds(std::span<const std::int64_t> seeds) {
  if (seeds.empty()) throw InputError("seeds: found none, expected at least one");
  std::set<std::int64_t> seen;
  for (const std::int64_t seed : seeds) {
    if (seed < 0) throw InputError(text("seeds: found ", seed, ", expected whole numbers from 0"));
    if (!seen.insert(seed).second) throw InputError(text("seeds: found ", seed, " twice, expected each once"));
  }
}

SeedMeans seed_means(const std::vector<std::vector<StudyMeasure>>& of_seeds) {
  SeedMeans result{of_seeds.size(), of_seeds.front(), of_seeds.front()};
  for (std::size_t i = 0; i < result.means.size(); ++i) {
    const std::vector<double> values = present(of_seeds, [&](const auto& measures) { return measures[i].value; });
    result.means[i].value = mean(values);
    result.deviations[i].value = standard_deviation(values);
  }
  return result;
}

void add_to(Record& record, const SeedMeans& found, bool shows_deviations) {
  record.push_back({{"seeds"}, found.seeds});
  for (std::size_t i = 0; i < found.means.size(); ++i) {
    const auto& [name, head, value] = found.means[i];
    record.push_back({{name, shows_deviations ? "" : head}, value});
    record.push_back({{name + "_std", shows_deviations ? head : ""}, found.deviations[i].value});
  }
}

void add_columns(ChartBlock& block, const std::vector<StudyMeasure>& measures) {
  for (const StudyMeasure& measure : measures)
    block.columns.insert(block.columns.end(), {measure.name, "std", "lower", "upper"});
}

void add_row(ChartBlock& block, double x, const SeedMeans& found) {
  std::vector<double>& row = block.rows.emplace_back(1, x);
  for (std::size_t i = 0; i < found.means.size(); ++i) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const double mean = found.means[i].value.value_or(none), deviation = found.deviations[i].value.value_or(none);
    row.insert(row.end(), {mean, deviation, mean - deviation, mean + deviation});
  }
}

std::size_t mean_column(const std::vector<StudyMeasure>& measures, const std::string& name) {
  const auto at = std::ranges::find(measures, name, &StudyMeasure::name);
  return at == measures.end() ? 0 : static_cast<std::size_t>(1 + 4 * (at - measures.begin()));
}

}  // namespace normalign

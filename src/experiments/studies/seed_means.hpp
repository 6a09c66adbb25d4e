// Measures of a study over its seeds: means and standard deviations, as tables and charts have them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/chart.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {

/// Throws InputError, opened by "seeds", unless there is one, none is negative and each stands there once.
void check_seeds(std::span<const std::int64_t> seeds);

/// A measure, of one fit or over seeds.
struct StudyMeasure {
  std::string name;                  ///< in files
  std::string head;                  ///< in the text
  std::optional<double> value = {};  ///< absent where it is undefined
};

/// The same measures over seeds.
struct SeedMeans {
  std::size_t seeds = 0;
  std::vector<StudyMeasure> means = {}, deviations = {};  ///< over the seeds where the measure is defined
};

/// Means and standard deviations over the measures of at least one seed, each seed's in the same order.
SeedMeans seed_means(const std::vector<std::vector<StudyMeasure>>& of_seeds);

/// Adds the number of seeds, and of each measure the mean and, as NAME_std, the deviation. The text shows the means, or
/// with `shows_deviations` the deviations; files have both.
void add_to(Record& record, const SeedMeans& found, bool shows_deviations = false);

/// Adds to the names of a chart's columns, behind that of x, those of four for each measure.
void add_columns(ChartBlock& block, const std::vector<StudyMeasure>& measures);
/// Adds a row of these columns: x, then of each measure the mean, the deviation, and the mean less and plus the
/// deviation, NaN where there is none.
void add_row(ChartBlock& block, double x, const SeedMeans& found);

/// The column of a measure's mean in such a block; 0 where there is none of that name.
std::size_t mean_column(const std::vector<StudyMeasure>& measures, const std::string& name);

}  // namespace normalign

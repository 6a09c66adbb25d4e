// Runs on tables held against published rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/tabular/summary.hpp"

namespace normalign {

/// What counts as near: so many points of per cent, on data sets with more than so many rows.
inline constexpr double near_points = 3;
inline constexpr Index near_rows = 200;

/// One metric of one method under one protocol, over the data sets that are in both places.
struct MetricAgainst {
  std::string protocol = {}, method = {}, metric = {};
  Index datasets = 0;
  std::optional<double> mean = {}, published_mean = {};
  std::optional<double> difference = {};           ///< mean - published_mean
  std::optional<double> absolute_difference = {};  ///< mean over data sets
  /// Of the data sets with more than `near_rows` rows here: how many there are, and how many lie within `near_points`;
  /// of metrics in per cent, else absent.
  std::optional<Index> large = {}, near = {};
};

/// Each protocol, method and metric of the summary that the published rows have too, in the order of the summary.
std::vector<MetricAgainst> against(const TabularSummary& summary, const TableRows& published);

/// One table; JSON: a list of objects with the members' names.
TableSet tables(const std::vector<MetricAgainst>& metrics);

}  // namespace normalign

// Runs on tables held against published rows.
#pragma once

#include "experiments/tabular/summary.hpp"

namespace normalign {

/// What counts as near: so many points of per cent, on data sets with more than so many rows.
inline constexpr double near_points = 3;
inline constexpr Index near_rows = 200;

/// A table with a row for each protocol, method and metric of the summary that published rows have too, in the order of
/// the summary: means over the data sets that are in both places, their difference (here - published) and the mean
/// distance; of metrics in per cent also how many of the data sets with more than `near_rows` rows here (large) lie
/// within `near_points` (near). JSON: a list of objects.
TableSet against(const TabularSummary& summary, const TableRows& published);

}  // namespace normalign

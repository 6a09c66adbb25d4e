// The charts of a page.
#pragma once

#include <vector>

#include "experiments/figures/chart.hpp"
#include "experiments/report/html.hpp"

namespace normalign {

/// For each section of a page its charts, all drawn by one gnuplot: a picture for each panel, small enough for a phone,
/// whose lines are within a third of a pixel of their points; above them the key of the first chart. Where gnuplot is
/// missing or fails, tables of some lines of the data stand in their place. Empty for a section without charts.
std::vector<html::Markup> chart_parts(const std::vector<std::vector<Chart>>& sections);

}  // namespace normalign

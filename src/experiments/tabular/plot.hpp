// Pictures of runs on tables: one method against another, a dot for each data set.
#pragma once

#include "experiments/figures/chart.hpp"
#include "experiments/tabular/summary.hpp"

namespace normalign {

/// One chart for each protocol and metric that some data set has under both methods: RFAM's against RFM's, with the
/// line on which they are equal, named PROTOCOL_FIGURE. Empty where no data set has both methods. Throws InputError
/// where a value is not finite.
std::vector<Chart> tabular_charts(const TabularSummary& summary);

/// These charts as pictures. Throws InputError where no data set has both methods.
Plot tabular_plot(const TabularSummary& summary);

}  // namespace normalign

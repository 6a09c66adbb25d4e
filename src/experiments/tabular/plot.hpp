// Pictures of runs on tables: one method against another, a dot for each data set.
#pragma once

#include "experiments/figures/scatter.hpp"
#include "experiments/results/plot.hpp"
#include "experiments/tabular/summary.hpp"

namespace normalign {

/// What `tabular_plot` draws; empty where no data set has both methods.
std::vector<Scatter> tabular_scatters(const TabularSummary& summary);

/// One picture for each protocol and figure that some data set has under both methods: RFAM's against RFM's, with the
/// line on which they are equal, named PROTOCOL_FIGURE. Throws InputError where no data set has both methods.
Plot tabular_plot(const TabularSummary& summary);

}  // namespace normalign

// Pictures of training curves: accuracy and alignment against the epoch, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/gnuplot.hpp"
#include "experiments/training/run_log.hpp"

namespace normalign {

/// What is drawn.
struct PlotOptions {
  /// One panel for each beneath the accuracy, in the unit of the log: `x` stands for the logged x and test_x, or
  /// train_x and test_x. Empty: centroid_alignment where it was logged.
  std::vector<std::string> metrics = {};
};

/// One figure for each task with finished runs, as `curve_charts` has it, whose name it has. Throws InputError where
/// no run is finished, or where no finished run logged one of `options.metrics`.
Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options = {});

}  // namespace normalign

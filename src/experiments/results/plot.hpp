// Pictures of training curves: accuracy and alignment against the epoch, drawn by gnuplot.
#pragma once

#include <string>
#include <vector>

#include "experiments/figures/gnuplot.hpp"
#include "experiments/results/curves.hpp"

namespace normalign {

/// What is drawn.
struct PlotOptions {
  /// One panel for each beneath the accuracy, in the unit of the log: `x` stands for the logged x and test_x, or
  /// train_x and test_x. Empty: centroid_alignment where it was logged.
  std::vector<std::string> metrics = {};
};

/// All pictures of some runs.
struct Plot {
  std::vector<Figure> figures = {};       ///< of one setting each, whose name they have
  std::vector<std::string> remarks = {};  ///< runs and panels that were left out
};

/// One figure for each setting with finished runs, as `by_setting` sorts them. Accuracy (per cent) on top, then a panel
/// for each metric, against the epoch on a logarithmic axis, where epoch 0 stands at 0.5. Each condition has a colour,
/// the same in all figures; lines are medians over its finished runs, solid for test and dashed for training points
/// (solid as well where only those were logged), shaded the range. A thin line in the panels of an alignment is the
/// chance level, the median of the logged `chance_alignment`. Throws InputError where no run is finished, or where no
/// finished run logged one of `options.metrics`.
Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options = {});

}  // namespace normalign

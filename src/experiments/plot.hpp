// Pictures of training curves: accuracy and alignment against the epoch, drawn by gnuplot.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "experiments/run_log.hpp"

namespace normalign {

/// Median and range of one metric over runs at one epoch, in the metric's unit; absent where no run has a value yet.
struct Band {
  Index epoch = 0;
  std::optional<double> median = {};
  std::optional<double> lowest = {};
  std::optional<double> highest = {};
  bool operator==(const Band&) const = default;
};

/// The bands of `metric` over `runs`, one for each epoch that any of them logged, in ascending order. At an epoch a
/// run counts with its last value at or before it: runs stop when they have grokked, so after its last row a run keeps
/// the value it ended with. A run counts from its first row on that has the metric.
std::vector<Band> bands(std::span<const RunLog* const> runs, const std::string& metric);

/// What is drawn.
struct PlotOptions {
  /// One panel for each beneath the accuracy, in the unit of the log: `x` stands for the logged x and test_x, or
  /// train_x and test_x. Empty: centroid_alignment where it was logged.
  std::vector<std::string> metrics = {};
};

/// The picture of one setting, in files name.dat, name.gp, name.svg and name.png.
struct Figure {
  std::string name = {};    ///< the setting, with "_" for what is no letter, digit, ".", "_", "-" or "+"
  std::string data = {};    ///< one block of columns for each condition, with a head that names them
  std::string script = {};  ///< for gnuplot: draws SVG and PNG from the data in the folder it runs in
};

/// All pictures of some runs.
struct Plot {
  std::vector<Figure> figures = {};
  std::vector<std::string> remarks = {};  ///< runs and panels that were left out
};

/// One figure for each setting with finished runs, as `by_setting` sorts them. Accuracy (per cent) on top, then a panel
/// for each metric, against the epoch on a logarithmic axis, where epoch 0 stands at 0.5. Each condition has a colour,
/// the same in all figures; lines are medians over its finished runs, solid for test and dashed for training points
/// (solid as well where only those were logged), shaded the range. A thin line in the panels of an alignment is the
/// chance level, the median of the logged `chance_alignment`. Throws InputError where no run is finished, or where no
/// finished run logged one of `options.metrics`.
Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options = {});

/// Writes data and script of `figure` to `folder`, which must exist, and lets gnuplot draw. False where there is no
/// gnuplot. Throws InputError when a file cannot be written, RunError when gnuplot fails.
bool write_figure(const std::filesystem::path& folder, const Figure& figure);

}  // namespace normalign

// Training curves as charts: for each task its conditions, panels and bands.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/chart.hpp"
#include "experiments/results/run_set.hpp"

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

/// The curves of one task.
struct CurveChart {
  Chart chart = {};                       ///< without panels where no run is drawn
  std::set<std::string> logged = {};      ///< what a run that is drawn logged, as `base_name` has it
  std::vector<std::string> missing = {};  ///< metrics that none of them logged
};

/// The curves of each task, in the order of `tasks`: accuracy (per cent; of runs that predict numbers 100 R²), then a
/// panel for each of `metrics`, where `x` stands for the logged x and test_x, or train_x and test_x. The epoch is
/// logarithmic, epoch 0 stands at 0.5; so are losses that span more than two powers of ten. Each condition has a block
/// of data and a colour, the same in all tasks; those of configs/paper.json have the first ones, and more conditions
/// than colours share some. Lines are medians over its finished runs, solid for test and dashed for training points
/// (solid as well where only those were logged), bands the range. An unfinished run is drawn by itself as far as it
/// came, by thin lines of its condition's colour. Failed runs are not drawn. The level in the panels of an alignment is
/// that of chance, the median of the logged `chance_alignment`.
std::vector<CurveChart> curve_charts(const std::vector<TaskRuns>& tasks, const std::vector<std::string>& metrics);

/// The charts of the tasks with finished or unfinished runs as figures; without `metrics` centroid_alignment, where it
/// was logged, stands beneath the accuracy. Throws InputError where no such run has logged an epoch, or where none
/// logged one of `metrics`.
Plot plot(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics = {});

/// Returns the names of all metrics that one of the runs logged.
std::set<std::string> logged_metrics(const std::vector<const RunLog*>& runs);

/// A metric at training or at test points.
struct Curve {
  std::string metric;
  bool is_solid;  ///< test points, or training points where only those were logged
};

/// Returns the curves of the metric with this base name, training points before test points. A metric that is not in
/// `logged` has none.
std::vector<Curve> curves_of(const std::string& base, const std::set<std::string>& logged);

/// Returns the entries of a key that tell lines of test points from those of training points.
std::vector<ChartSeries> test_and_train();

/// Throws InputError naming the first of `metrics` that is none of those `drawn`. `known`: base names of metrics that
/// these runs logged, for the message.
void require_drawn(const std::vector<std::string>& metrics, const std::set<std::string>& drawn,
                   const std::set<std::string>& known);

/// The metric without the prefix train_ or test_ of its points.
std::string base_name(const std::string& metric);

}  // namespace normalign

// What a picture of training curves shows, before it is drawn: for each setting its conditions, panels and bands.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

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

/// A metric at training or at test points.
struct CurveSeries {
  std::string metric = {};
  bool is_solid = true;    ///< test points, or training points where only those were logged; else dashed
  std::size_t number = 0;  ///< in the order of the panels and their series, from 0
};

/// The series that share one pair of axes.
struct CurvePanel {
  std::string title = {};
  std::vector<CurveSeries> series = {};  ///< training points before test points
  bool is_alignment = false;             ///< so that chance has a level
};

/// One condition in all panels.
struct ConditionCurves {
  std::string name = {};
  std::string colour = {};  ///< as `#RRGGBB`
  std::vector<const RunLog*> runs = {};
  std::set<std::string> logged = {};  ///< metrics
};

/// The curves of one setting.
struct SettingCurves {
  std::string setting = {};
  std::vector<ConditionCurves> conditions = {};  ///< those with finished runs, in the order of `by_setting`
  std::vector<CurvePanel> panels = {};           ///< accuracy first
  std::optional<double> chance = {};             ///< of an alignment: the median of the logged `chance_alignment`
  std::vector<std::string> missing = {};         ///< metrics that no finished run logged
};

/// The curves of each setting, in the order of `settings`, whose logs must outlive the result: accuracy, then a panel
/// for each of `metrics`, where `x` stands for the logged x and test_x, or train_x and test_x. A condition has one
/// colour in all settings; the paper's have the first ones, and more conditions than colours share some.
std::vector<SettingCurves> curves(const std::vector<SettingRuns>& settings, const std::vector<std::string>& metrics);

/// The metric without the prefix train_ or test_ of its points.
std::string base_name(const std::string& metric);

}  // namespace normalign

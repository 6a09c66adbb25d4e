#include "experiments/results/curves.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "experiments/figures/gnuplot.hpp"
#include "experiments/figures/statistics.hpp"

namespace normalign {
namespace {

// The conditions of the paper have the first colours, whatever else is drawn.
constexpr std::array paper_conditions = {baseline_name, "grokalign", "grokfast", "orthograd"};

std::map<std::string, std::string> condition_colours(const std::vector<SettingRuns>& settings) {
  std::set<std::string> names;
  for (const SettingRuns& setting : settings)
    for (const ConditionRuns& condition : setting.conditions) names.insert(condition.condition);
  std::map<std::string, std::string> result;
  std::vector<const char*> others(figure_colours.begin() + paper_conditions.size(), figure_colours.end());
  for (std::size_t i = 0; i < paper_conditions.size(); ++i) {
    if (names.erase(paper_conditions[i]) > 0)
      result[paper_conditions[i]] = figure_colours[i];
    else
      others.push_back(figure_colours[i]);
  }
  std::size_t next = 0;
  for (const std::string& name : names) result[name] = others[next++ % others.size()];
  return result;
}

// All metrics that one of the runs logged.
std::set<std::string> logged_metrics(const std::vector<const RunLog*>& runs) {
  std::set<std::string> result;
  for (const RunLog* run : runs)
    for (const MetricRow& row : run->metrics) {
      result.insert({"train_acc", "test_acc", "train_loss", "test_loss", "opt_time"});
      for (const auto& [name, value] : row.extras) result.insert(name);
    }
  return result;
}

// Without series where none was logged.
CurvePanel panel(const std::string& base, const std::set<std::string>& logged, std::size_t first_number) {
  CurvePanel result{
      .title = base == "acc" ? "accuracy (%)" : base, .series = {}, .is_alignment = base.ends_with("alignment")};
  std::replace(result.title.begin(), result.title.end(), '_', ' ');
  const bool has_test = logged.contains("test_" + base);
  for (const std::string& name : {"train_" + base, base})
    if (logged.contains(name) && result.series.empty()) result.series.push_back({name, !has_test, first_number});
  if (has_test) result.series.push_back({"test_" + base, true, first_number + result.series.size()});
  return result;
}

std::optional<double> chance_level(const std::vector<ConditionCurves>& conditions) {
  std::vector<double> values;
  for (const ConditionCurves& condition : conditions)
    for (const RunLog* run : condition.runs)
      for (const MetricRow& row : run->metrics)
        if (const auto value = metric(row, "chance_alignment")) values.push_back(*value);
  return median(values);
}

}  // namespace

std::string base_name(const std::string& metric) {
  for (const std::string_view prefix : {"test_", "train_"})
    if (metric.starts_with(prefix)) return metric.substr(prefix.size());
  return metric;
}

std::vector<Band> bands(std::span<const RunLog* const> runs, const std::string& metric_name) {
  std::set<Index> epochs;
  std::vector<std::map<Index, double>> values;
  for (const RunLog* run : runs) {
    auto& of_run = values.emplace_back();
    for (const MetricRow& row : run->metrics) {
      epochs.insert(row.epoch);
      if (const auto value = metric(row, metric_name)) of_run[row.epoch] = *value;
    }
  }
  std::vector<Band> result;
  for (const Index epoch : epochs) {
    std::vector<double> sample;
    for (const auto& of_run : values)
      if (const auto later = of_run.upper_bound(epoch); later != of_run.begin())
        sample.push_back(std::prev(later)->second);
    Band& band = result.emplace_back(Band{.epoch = epoch, .median = median(sample)});
    if (sample.empty()) continue;
    band.lowest = std::ranges::min(sample);
    band.highest = std::ranges::max(sample);
  }
  return result;
}

std::vector<SettingCurves> curves(const std::vector<SettingRuns>& settings, const std::vector<std::string>& metrics) {
  const auto colour = condition_colours(settings);
  std::vector<SettingCurves> result;
  for (const SettingRuns& setting : settings) {
    SettingCurves& added = result.emplace_back(SettingCurves{.setting = setting.setting});
    std::set<std::string> logged;
    for (const ConditionRuns& condition : setting.conditions) {
      const std::set<std::string> names = logged_metrics(condition.finished);
      if (names.empty()) continue;
      added.conditions.push_back({condition.condition, colour.at(condition.condition), condition.finished, names});
      logged.insert(names.begin(), names.end());
    }
    if (added.conditions.empty()) continue;
    added.chance = chance_level(added.conditions);
    std::size_t series = 0;
    const auto add_panel = [&](const std::string& base) {
      const CurvePanel of_base = panel(base, logged, series);
      series += of_base.series.size();
      if (!of_base.series.empty()) added.panels.push_back(of_base);
      return !of_base.series.empty();
    };
    add_panel("acc");
    for (const std::string& name : metrics)
      if (!add_panel(base_name(name))) added.missing.push_back(name);
  }
  return result;
}

}  // namespace normalign

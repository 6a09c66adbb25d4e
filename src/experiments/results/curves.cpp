#include "experiments/results/curves.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <string_view>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

// The conditions of configs/paper.json have the first colours, whatever else is drawn.
constexpr std::array paper_conditions = {baseline_name, "grokalign", "grokfast", "orthograd", "grokalign 0.1"};

constexpr const char* data_comment =
    "# One block for each condition: its name, the names of the columns, one line for each logged epoch.\n"
    "# runs: how many still went on; those that have ended keep their last value. Median, lowest and highest value\n"
    "# are over all finished runs of the condition; NaN where none has a value yet. Accuracies are per cent, of "
    "numbers 100 R².\n"
    "# A run that is not finished has a block of its own, named after it, as far as it came.\n";

std::map<std::string, std::string> condition_colours(const std::vector<TaskRuns>& tasks) {
  std::set<std::string> names;
  for (const TaskRuns& task : tasks)
    for (const ConditionRuns& condition : task.conditions) names.insert(condition.condition);
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

// The first column of a curve, of three.
std::size_t column(std::size_t curve) { return 2 + 3 * curve; }

// What becomes lines of one colour and a block of data: the finished runs of a condition, or one unfinished run.
struct Drawn {
  std::string block;                // its name
  std::string name;                 // in the key; empty: none
  std::vector<const RunLog*> runs;  // not empty
  std::string colour = {};
  bool is_finished = true;
  std::set<std::string> logged = {};  // metrics
};

// Runs that have come to different epochs have no median: each unfinished one is drawn by itself.
std::vector<Drawn> drawn_of(const TaskRuns& task, const std::map<std::string, std::string>& colours) {
  std::vector<Drawn> result;
  const auto add = [&](const ConditionRuns& condition, Drawn drawn) {
    drawn.logged = logged_metrics(drawn.runs);
    drawn.colour = colours.at(condition.condition);
    if (drawn.logged.empty()) return false;
    result.push_back(std::move(drawn));
    return true;
  };
  for (const ConditionRuns& condition : task.conditions)
    add(condition, {.block = condition.condition, .name = condition.condition, .runs = condition.finished});
  for (const ConditionRuns& condition : task.conditions) {
    std::string name = condition.condition + ", unfinished";
    for (const RunLog* run : condition.unfinished)
      if (add(condition, {.block = run->run_name + ", unfinished", .name = name, .runs = {run}, .is_finished = false}))
        name.clear();
  }
  return result;
}

ChartBlock block_of(const Drawn& drawn, const std::vector<Curve>& curves) {
  ChartBlock result{.name = drawn.block, .columns = {"epoch", "runs"}, .whole_columns = 2};
  std::vector<std::vector<Band>> columns;
  for (const Curve& curve : curves) {
    columns.push_back(bands(drawn.runs, curve.metric));
    for (const char* what : {"_median", "_lowest", "_highest"}) result.columns.push_back(curve.metric + what);
  }
  std::vector<Index> last_epochs;
  for (const RunLog* run : drawn.runs)
    last_epochs.push_back(run->metrics.empty() ? -1 : std::ranges::max(run->metrics, {}, &MetricRow::epoch).epoch);
  for (std::size_t i = 0; i < columns.front().size(); ++i) {
    const Index epoch = columns.front()[i].epoch;
    const auto is_going_on = [&](Index last) { return last >= epoch; };
    std::vector<double>& row = result.rows.emplace_back();
    row.push_back(static_cast<double>(epoch));
    row.push_back(static_cast<double>(std::ranges::count_if(last_epochs, is_going_on)));
    for (const std::vector<Band>& column : columns)
      for (const auto& value : {column[i].median, column[i].lowest, column[i].highest})
        row.push_back(value.value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  return result;
}

std::optional<double> chance_level(const std::vector<Drawn>& all) {
  std::vector<double> values;
  for (const Drawn& drawn : all)
    for (const RunLog* run : drawn.runs)
      for (const MetricRow& row : run->metrics)
        if (const auto value = metric(row, "chance_alignment")) values.push_back(*value);
  return median(values);
}

// The curves of the metric `base`, the first of which has the number `first` among all.
ChartPanel panel_of(const std::string& base, const std::vector<Curve>& curves, std::size_t first,
                    const std::vector<Drawn>& drawn) {
  ChartPanel result{.y = {.label = base}};
  const bool of_numbers = std::ranges::any_of(drawn, [](const Drawn& some) {
    return std::ranges::any_of(some.runs, [](auto run) { return is_regression(*run); });
  });
  if (base == "acc" && of_numbers) result.y = {.label = "R² (%)", .high = 101};
  if (base == "acc" && !of_numbers) result.y = {.label = "accuracy (%)", .low = 0, .high = 101};
  std::ranges::replace(result.y.label, '_', ' ');
  for (std::size_t i = 0; i < drawn.size(); ++i)
    for (std::size_t k = 0; k < curves.size(); ++k) {
      // Columns without any number would make gnuplot complain.
      if (!drawn[i].logged.contains(curves[k].metric)) continue;
      const std::size_t y = column(first + k);
      const bool has_band = drawn[i].is_finished;
      result.series.push_back({.name = curves[k].is_solid ? drawn[i].name : "",
                               .colour = drawn[i].colour,
                               .look = curves[k].is_solid ? Look::solid : Look::dashed,
                               .is_thin = !drawn[i].is_finished,
                               .block = i,
                               .y = y,
                               .lowest = has_band ? y + 1 : 0,
                               .highest = has_band ? y + 2 : 0});
    }
  return result;
}

CurveChart curve_chart(const TaskRuns& task, std::vector<std::string> metrics,
                       const std::map<std::string, std::string>& colours) {
  CurveChart result;
  const std::vector<Drawn> drawn = drawn_of(task, colours);
  std::set<std::string> logged;
  for (const Drawn& runs : drawn) logged.insert(runs.logged.begin(), runs.logged.end());
  if (drawn.empty()) return result;
  for (const std::string& name : logged) result.logged.insert(base_name(name));

  Chart& chart = result.chart;
  std::vector<Curve> all;
  metrics.insert(metrics.begin(), "acc");
  for (const std::string& name : metrics) {
    const std::vector<Curve> curves = curves_of(base_name(name), logged);
    if (curves.empty())
      result.missing.push_back(name);
    else
      chart.panels.push_back(panel_of(base_name(name), curves, all.size(), drawn));
    all.insert(all.end(), curves.begin(), curves.end());
  }
  double last_epoch = 1;
  for (const Drawn& runs : drawn) {
    chart.blocks.push_back(block_of(runs, all));
    last_epoch = std::max(last_epoch, chart.blocks.back().rows.back().front());
  }
  const std::optional<double> chance = chance_level(drawn);
  for (ChartPanel& panel : chart.panels) {
    const auto [low, high] = value_range(chart, panel);
    if (panel.y.label.ends_with("loss") && low > 0 && high / low > 100) panel.y.log_base = 10;
    if (panel.y.label.ends_with("alignment") && chance) {
      panel.level = chance;
      panel.level_name = "chance";
    }
  }
  chart.title = task.task;
  chart.comment = gnuplot_comment(task.task) + data_comment;
  chart.x = {.label = "epoch", .low = 0.5, .high = last_epoch, .log_base = 10, .has_zero = true};
  chart.legend = test_and_train();
  return result;
}

}  // namespace

std::string base_name(const std::string& metric) {
  for (const std::string_view prefix : {"test_", "train_"})
    if (metric.starts_with(prefix)) return metric.substr(prefix.size());
  return metric;
}

std::set<std::string> logged_metrics(const std::vector<const RunLog*>& runs) {
  std::set<std::string> result;
  for (const RunLog* run : runs)
    for (const MetricRow& row : run->metrics) {
      result.insert({"train_acc", "test_acc", "train_loss", "test_loss", "opt_time"});
      for (const auto& [name, value] : row.extras) result.insert(name);
    }
  return result;
}

std::vector<Curve> curves_of(const std::string& base, const std::set<std::string>& logged) {
  std::vector<Curve> result;
  const bool has_test = logged.contains("test_" + base);
  for (const std::string& name : {"train_" + base, base})
    if (logged.contains(name) && result.empty()) result.push_back({name, !has_test});
  if (has_test) result.push_back({"test_" + base, true});
  return result;
}

std::vector<ChartSeries> test_and_train() {
  return {{.name = "test", .colour = guide_colour}, {.name = "train", .colour = guide_colour, .look = Look::dashed}};
}

void require_drawn(const std::vector<std::string>& metrics, const std::set<std::string>& drawn,
                   const std::set<std::string>& known) {
  for (const std::string& name : metrics)
    if (!drawn.contains(name))
      throw InputError(text("metric: found '", name, "', expected one that these runs logged: ", joined(known, ", "),
                            did_you_mean(name, {known.begin(), known.end()})));
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

std::vector<CurveChart> curve_charts(const std::vector<TaskRuns>& tasks, const std::vector<std::string>& metrics) {
  const auto colours = condition_colours(tasks);
  std::vector<CurveChart> result;
  for (const TaskRuns& task : tasks) result.push_back(curve_chart(task, metrics, colours));
  return result;
}

Plot plot(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics) {
  const std::vector<TaskRuns> tasks = by_task(logs);
  std::vector<CurveChart> drawings =
      curve_charts(tasks, metrics.empty() ? std::vector<std::string>{"centroid_alignment"} : metrics);
  std::set<std::string> file_names, drawn, known;
  Plot result;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    CurveChart& drawing = drawings[i];
    const auto remember = [&](const std::string& words) { result.remarks.push_back(text(tasks[i].task, ": ", words)); };
    for (const std::string& words :
         remarks(std::vector<LeftOut>{{"unfinished", tasks[i].unfinished, "unfinished, thin lines as far as they came"},
                                      {"failed", tasks[i].failed}}))
      remember(words);
    if (drawing.chart.panels.empty()) {
      remember("no picture without a finished or unfinished run that has logged an epoch");
      continue;
    }
    for (const std::string& name : metrics)
      if (std::ranges::find(drawing.missing, name) == drawing.missing.end()) drawn.insert(name);
    for (const std::string& name : drawing.missing) remember("no run logged " + name);
    known.insert(drawing.logged.begin(), drawing.logged.end());
    drawing.chart.name = figure_name(tasks[i].task, file_names);
    result.figures.push_back(figure_of(drawing.chart));
  }
  if (result.figures.empty())
    throw InputError(
        text("found no epoch logged in a finished or unfinished one of ", logs.size(), " runs, expected some"));
  require_drawn(metrics, drawn, known);
  return result;
}

}  // namespace normalign

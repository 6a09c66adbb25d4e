#include "experiments/results/setting_charts.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/json_text.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/chart.hpp"
#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/results/curves.hpp"
#include "experiments/results/run_set.hpp"
#include "experiments/runs/settings.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/settings_read.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;
using Runs = std::vector<const RunLog*>;

constexpr const char* setting_comment =
    "# One block for each line of the picture: the setting, how many runs have that value, how many of them grokked,\n"
    "# and over those the mean, lowest and highest value of each measure; NaN where there is none.\n"
    "# A baseline that does not read the setting stands at both ends.\n";

void require_number(const std::string& setting) {
  std::vector<std::string> known;
  for (const Setting<RunConfig>& row : table_of(RunConfig{}))
    if (std::holds_alternative<Index RunConfig::*>(row.member) ||
        std::holds_alternative<double RunConfig::*>(row.member))
      known.emplace_back(row.name);
  if (std::ranges::find(known, setting) == known.end())
    throw InputError(text("against: found '", one_line(setting), "', ", expected_one_of(setting, known)));
}

std::optional<double> value_of(const RunLog& run, const std::string& setting) {
  const auto found = run.config.find(setting);
  return found != run.config.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

bool has_values(const ConditionRuns& condition, const std::string& setting) {
  return std::ranges::any_of(condition.finished,
                             [&](const RunLog* run) { return value_of(*run, setting).has_value(); });
}

// Runs that differ in the setting, the seed, the label and the folder of the data alone.
struct Line {
  std::string name = {};
  Json others = {};  // the other settings
  std::map<double, Runs> runs = {};
};

std::string condition_of(const Line& line) {
  const auto found = line.others.find("condition");
  return found != line.others.end() && found->is_string() ? found->get<std::string>() : "runs";
}

// Names each line for its condition, and for what tells it from that condition's line with the most points.
void give_names(std::vector<Line>& lines) {
  std::map<std::string, const Line*> longest;
  for (const Line& line : lines) {
    const Line*& of_condition = longest[condition_of(line)];
    if (!of_condition || line.runs.size() > of_condition->runs.size()) of_condition = &line;
  }
  for (Line& line : lines) {
    line.name = condition_of(line);
    const Json& usual = longest[line.name]->others;
    for (const auto& [setting, value] : line.others.items())
      if (!usual.contains(setting) || usual[setting] != value)
        line.name += text(", ", setting, ' ', value.is_string() ? value.get<std::string>() : settings::written(value));
  }
}

std::vector<Line> lines_of(const TaskRuns& task, const std::string& setting) {
  std::vector<Line> result;
  for (const ConditionRuns& condition : task.conditions)
    for (const RunLog* run : condition.finished) {
      const auto value = value_of(*run, setting);
      if (!value) continue;
      Json others = run->config;
      for (const char* name : {"seed", "label", "task_grid", "condition_grid", "data"}) others.erase(name);
      others.erase(setting);
      auto line = std::ranges::find(result, others, &Line::others);
      if (line == result.end()) line = result.insert(line, {.others = others});
      line->runs[*value].push_back(run);
    }
  give_names(result);
  return result;
}

// What a panel shows of a run that grokked.
struct Measure {
  std::string name;
  std::function<std::optional<double>(const RunLog& run)> value;
  bool is_solid = true;
};

struct Panel {
  std::string label;
  std::vector<Measure> measures;
};

std::string label_of(const std::string& metric_name) {
  std::string result = base_name(metric_name);
  std::ranges::replace(result, '_', ' ');
  return result;
}

std::vector<Panel> panels_of(const std::vector<std::string>& metrics, const std::set<std::string>& logged) {
  const auto at_grokking = [](const std::string& name) {
    return [name](const RunLog& run) {
      const MetricRow* row = grokking_row(run);
      return row ? metric(*row, name) : std::nullopt;
    };
  };
  const auto epoch = [](const RunLog& run) { return std::optional(static_cast<double>(*run.grokking_epoch)); };
  std::vector<Panel> result = {{"epochs to grok", {{"epochs", epoch}}},
                               {"seconds to grok", {{"seconds", at_grokking("opt_time")}}}};
  for (const std::string& name : metrics) {
    Panel panel{label_of(name), {}};
    for (const Curve& curve : curves_of(base_name(name), logged))
      panel.measures.push_back({curve.metric, at_grokking(curve.metric), curve.is_solid});
    result.push_back(panel);
  }
  return result;
}

Runs grokked_of(const Runs& runs) {
  Runs result;
  std::ranges::copy_if(runs, std::back_inserter(result), [](const RunLog* run) { return has_grokked(*run); });
  return result;
}

std::vector<double> values_of(const Measure& measure, const Runs& grokked) {
  return present(grokked, [&](const RunLog* run) { return measure.value(*run); });
}

double per_cent(std::size_t part, std::size_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

bool has_grokked_run(const Line& line) {
  return std::ranges::any_of(line.runs, [](const auto& runs) { return !grokked_of(runs.second).empty(); });
}

constexpr std::size_t per_cent_column = 3, first_measure_column = 4;  // after the setting, runs, grokked

ChartBlock block_of(const Line& line, const std::string& setting, const std::vector<Panel>& panels) {
  ChartBlock result{.name = line.name, .columns = {setting, "runs", "grokked", "grokked_%"}};
  for (const Panel& panel : panels)
    for (const Measure& measure : panel.measures)
      for (const char* what : {"_mean", "_lowest", "_highest"}) result.columns.push_back(measure.name + what);
  for (const auto& [value, runs] : line.runs) {
    const Runs grokked = grokked_of(runs);
    std::vector<double> row = {value, static_cast<double>(runs.size()), static_cast<double>(grokked.size()),
                               per_cent(grokked.size(), runs.size())};
    for (const Panel& panel : panels)
      for (const Measure& measure : panel.measures) {
        const std::vector<double> values = values_of(measure, grokked);
        constexpr double none = std::numeric_limits<double>::quiet_NaN();
        row.push_back(mean(values).value_or(none));
        row.push_back(values.empty() ? none : std::ranges::min(values));
        row.push_back(values.empty() ? none : std::ranges::max(values));
      }
    result.rows.push_back(std::move(row));
  }
  return result;
}

bool has_number(const ChartBlock& block, std::size_t column) {
  return std::ranges::any_of(block.rows, [&](const std::vector<double>& row) { return !std::isnan(row[column]); });
}

// The runs of the baseline that the lines are compared with; none where it is a line itself.
Runs level_runs(const TaskRuns& task, const std::string& setting) {
  for (const ConditionRuns& condition : task.conditions)
    if (condition.condition == baseline_name && !has_values(condition, setting)) return condition.finished;
  return {};
}

ChartAxis setting_axis(const std::string& setting, const std::vector<Line>& lines) {
  std::set<double> values;
  for (const Line& line : lines)
    for (const auto& [value, runs] : line.runs) values.insert(value);
  ChartAxis result = axis_of(setting, *values.begin(), *values.rbegin());
  // Numbers stand at the values themselves, but for those that would touch the one before.
  const auto place = [&](double value) { return result.log_base > 0 ? std::log(value) : value; };
  const double nearest = 0.07 * (place(*result.high) - place(*result.low));
  result.ticks.clear();
  for (const double value : values)
    if (result.ticks.empty() || place(value) - place(result.ticks.back()) >= nearest) result.ticks.push_back(value);
  return result;
}

ChartSeries series_of(const std::vector<ChartBlock>& blocks, std::size_t block, std::size_t column, bool is_solid,
                      bool has_band) {
  const std::string& name = blocks[block].name;
  const bool is_baseline = name == baseline_name;
  return {.name = is_solid ? name : "",
          .colour = is_baseline ? figure_colours[0] : figure_colours[1 + block % (figure_colours.size() - 1)],
          .look = is_solid ? Look::solid : Look::dashed,
          .is_marked = !is_baseline,
          .block = block,
          .y = column,
          .lowest = has_band ? column + 1 : 0,
          .highest = has_band ? column + 2 : 0};
}

// How many of the runs grokked, where some did not.
std::optional<ChartPanel> per_cent_panel(const Chart& chart) {
  ChartPanel result{.y = {.label = "runs that grokked (%)", .low = 0, .high = 101}};
  for (std::size_t block = 0; block < chart.blocks.size(); ++block)
    result.series.push_back(series_of(chart.blocks, block, per_cent_column, true, false));
  return value_range(chart, result).first < 100 ? std::optional(result) : std::nullopt;
}

// The chart of a task; without panels where no run on a line grokked.
Chart chart_of(const TaskRuns& task, const std::string& setting, std::vector<Line> lines,
               const std::vector<Panel>& panels) {
  Chart chart{.title = task.task, .comment = gnuplot_comment(task.task) + setting_comment};
  if (std::ranges::none_of(lines, has_grokked_run)) return chart;
  chart.x = setting_axis(setting, lines);
  if (const Runs baseline = level_runs(task, setting); !baseline.empty())
    lines.push_back({.name = baseline_name, .runs = {{*chart.x.low, baseline}, {*chart.x.high, baseline}}});
  for (const Line& line : lines) chart.blocks.push_back(block_of(line, setting, panels));
  std::size_t column = first_measure_column;
  for (const Panel& panel : panels) {
    ChartPanel drawn;
    for (const Measure& measure : panel.measures) {
      for (std::size_t block = 0; block < lines.size(); ++block)
        if (has_number(chart.blocks[block], column))
          drawn.series.push_back(series_of(chart.blocks, block, column, measure.is_solid, true));
      column += 3;
      if (!measure.is_solid) chart.legend = test_and_train();
    }
    if (drawn.series.empty()) continue;
    const auto [low, high] = value_range(chart, drawn);
    drawn.y = axis_of(panel.label, low, high);
    chart.panels.push_back(drawn);
  }
  if (const auto panel = per_cent_panel(chart)) chart.panels.push_back(*panel);
  return chart;
}

// Those, but for the baseline where it is the level, of which no run has the setting.
std::vector<std::string> conditions_without(const TaskRuns& task, const std::string& setting) {
  std::vector<std::string> result;
  for (const ConditionRuns& condition : task.conditions)
    if (condition.condition != baseline_name && !condition.finished.empty() && !has_values(condition, setting))
      result.push_back(condition.condition);
  return result;
}

}  // namespace

Plot plot_against(const std::vector<RunLog>& logs, const std::string& setting,
                  const std::vector<std::string>& metrics) {
  require_number(setting);
  std::set<std::string> names, drawn, known;
  std::size_t finished = 0, on_lines = 0;
  Plot result;
  for (const TaskRuns& task : by_task(logs, setting)) {
    const auto remember = [&](const std::string& words) { result.remarks.push_back(text(task.task, ": ", words)); };
    for (const std::string& words : remarks(task.unfinished, task.failed)) remember(words);
    if (const auto without = conditions_without(task, setting); !without.empty())
      remember(text("not drawn, as they do not read ", setting, ": ", joined(without, ", ")));
    for (const ConditionRuns& condition : task.conditions) finished += condition.finished.size();
    const std::vector<Line> lines = lines_of(task, setting);
    Runs runs;
    for (const Line& line : lines)
      for (const auto& [value, of_value] : line.runs) runs.insert(runs.end(), of_value.begin(), of_value.end());
    on_lines += runs.size();
    const std::set<std::string> logged = logged_metrics(runs);
    for (const std::string& name : logged) known.insert(base_name(name));
    Chart chart = chart_of(task, setting, lines, panels_of(metrics, logged));
    if (chart.panels.empty()) {
      remember(text("no picture without a finished run that reads ", setting, " and grokked"));
      continue;
    }
    for (const std::string& name : metrics)
      if (std::ranges::any_of(chart.panels, [&](const ChartPanel& p) { return p.y.label == label_of(name); }))
        drawn.insert(name);
      else
        remember("no run logged " + name + " where it grokked");
    chart.name = figure_name(text(task.task, "_against_", setting), names);
    result.figures.push_back(figure_of(chart));
  }
  if (finished == 0) throw InputError(text("found none of ", logs.size(), " runs finished, expected some"));
  if (on_lines == 0)
    settings::refuse_unread("against", text("none of the ", finished, " finished runs"), setting, readers(setting));
  if (result.figures.empty())
    throw InputError(
        text("against: found none of the ", on_lines, " runs that read ", setting, " grokked, expected some"));
  require_drawn(metrics, drawn, known);
  return result;
}

}  // namespace normalign

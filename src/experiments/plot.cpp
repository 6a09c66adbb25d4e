#include "experiments/plot.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "experiments/run_set.hpp"
#include "experiments/statistics.hpp"
#include "experiments/table.hpp"
#include "linalg/error.hpp"

namespace normalign {
namespace {

// --- what is drawn
// ------------------------------------------------------------------------------------------

// The conditions of the paper have the first colours, whatever else is drawn.
constexpr std::array paper_conditions = {baseline_name, "grokalign", "grokfast", "orthograd"};

// More conditions than colours share some.
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

std::string base_name(const std::string& metric) {
  for (const std::string_view prefix : {"test_", "train_"})
    if (metric.starts_with(prefix)) return metric.substr(prefix.size());
  return metric;
}

// A metric at training or at test points, and where the data file has its median; lowest and highest stand beside it.
struct Series {
  std::string metric;
  bool is_solid;
  std::size_t column;
};

struct Panel {
  std::string title;
  std::vector<Series> series;
  bool is_alignment;
};

// Without series where none was logged.
Panel panel(const std::string& base, const std::set<std::string>& logged, std::size_t first_column) {
  Panel result{
      .title = base == "acc" ? "accuracy (%)" : base, .series = {}, .is_alignment = base.ends_with("alignment")};
  std::replace(result.title.begin(), result.title.end(), '_', ' ');
  const bool has_test = logged.contains("test_" + base);
  for (const std::string& name : {"train_" + base, base})
    if (logged.contains(name) && result.series.empty()) result.series.push_back({name, !has_test, first_column});
  if (has_test) result.series.push_back({"test_" + base, true, first_column + 3 * result.series.size()});
  return result;
}

// The picture of one setting before it is put into words.
struct Drawing {
  struct Condition {
    std::string name, colour;
    std::vector<const RunLog*> runs;
    std::set<std::string> logged;
  };
  std::string setting;
  std::vector<Condition> conditions;
  std::vector<Panel> panels;
  std::optional<double> chance;
};

std::optional<double> chance_level(const Drawing& drawing) {
  std::vector<double> values;
  for (const auto& condition : drawing.conditions)
    for (const RunLog* run : condition.runs)
      for (const MetricRow& row : run->metrics)
        if (const auto value = metric(row, "chance_alignment")) values.push_back(*value);
  return median(values);
}

// A name for files that is no option, hidden file or other folder; `taken` holds those in use, in lower case as some
// file systems know no other.
std::string file_name(const std::string& setting, std::set<std::string>& taken) {
  const auto is_alphanumeric = [](char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0; };
  std::string stem = setting.substr(0, 100);
  for (char& letter : stem)
    if (!is_alphanumeric(letter) && std::string_view("._+-").find(letter) == std::string_view::npos) letter = '_';
  if (stem.empty() || !is_alphanumeric(stem.front())) stem.insert(0, "_");
  std::string result = stem;
  const auto is_new = [&] {
    std::string lower = result;
    for (char& letter : lower) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    return taken.insert(lower).second;
  };
  for (int i = 2; !is_new(); ++i) result = text(stem, '_', i);
  return result;
}

// --- data
// ---------------------------------------------------------------------------------------------------

std::string data_block(const Drawing::Condition& condition, const std::vector<Panel>& panels) {
  Cells head = {"# epoch", "runs"};
  std::vector<std::vector<Band>> columns;
  for (const Panel& p : panels)
    for (const Series& series : p.series) {
      columns.push_back(bands(condition.runs, series.metric));
      for (const char* what : {"_median", "_lowest", "_highest"}) head.push_back(series.metric + what);
    }
  std::vector<Cells> rows = {head};
  for (std::size_t i = 0; i < columns.front().size(); ++i) {
    const Index epoch = columns.front()[i].epoch;
    const auto is_going_on = [&](const RunLog* run) {
      return std::ranges::any_of(run->metrics, [&](const MetricRow& row) { return row.epoch >= epoch; });
    };
    Cells& row = rows.emplace_back(Cells{text(epoch), text(std::ranges::count_if(condition.runs, is_going_on))});
    for (const std::vector<Band>& column : columns)
      for (const auto& value : {column[i].median, column[i].lowest, column[i].highest})
        row.push_back(value ? all_digits(value) : "NaN");
  }
  return gnuplot_comment(condition.name) + aligned_text(rows, 0);
}

std::string data(const Drawing& drawing) {
  std::string result = text(
      gnuplot_comment(drawing.setting),
      "# One block for each condition: its name, the names of the columns, one line for each logged epoch.\n",
      "# runs: how many still went on; those that have ended keep their last value. Median, lowest and highest value\n",
      "# are over all finished runs of the condition; NaN where none has a value yet. Accuracies are per cent.\n");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    result += (i == 0 ? "" : "\n\n") + data_block(drawing.conditions[i], drawing.panels);
  return result;
}

// --- script
// -------------------------------------------------------------------------------------------------

// Numbers of line styles.
constexpr int chance_style = 1, key_style = 2;
std::size_t style_of(std::size_t condition) { return condition + 3; }

std::string plot_command(const Panel& panel, const Drawing& drawing, const std::string& data_file, bool has_key) {
  const char* const dashes = " dashtype (8,4)";
  std::vector<std::string> parts;
  const auto add = [&](const auto&... words) { parts.push_back(text(words...)); };
  // Columns without any number would make gnuplot complain.
  const auto series_of = [&](std::size_t condition) {
    std::vector<Series> result;
    for (const Series& series : panel.series)
      if (drawing.conditions[condition].logged.contains(series.metric)) result.push_back(series);
    return result;
  };
  if (panel.is_alignment && drawing.chance)
    add(all_digits(drawing.chance), " with lines linestyle ", chance_style, " notitle");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    for (const Series& series : series_of(i))
      add(data_file, " index ", i, " using (x($1)):", series.column + 1, ":", series.column + 2,
          " with filledcurves linestyle ", style_of(i), " fillstyle transparent solid ", series.is_solid ? 0.18 : 0.1,
          " noborder notitle");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    for (const Series& series : series_of(i))
      add(data_file, " index ", i, " using (x($1)):", series.column, " with lines linestyle ", style_of(i),
          series.is_solid ? "" : dashes,
          has_key && series.is_solid ? " title " + gnuplot_string(drawing.conditions[i].name) : " notitle");
  if (has_key) {
    add("NaN with lines linestyle ", key_style, " title 'test'");
    add("NaN with lines linestyle ", key_style, dashes, " title 'train'");
  }
  std::string result = "plot ";
  for (std::size_t i = 0; i < parts.size(); ++i) result += (i > 0 ? ", \\\n     " : "") + parts[i];
  return result;
}

std::string script(const Drawing& drawing, const std::string& name) {
  // Lengths are pixels of the SVG, of which the PNG has twice as many.
  const int width = 840, panel_height = 230, gap = 18, title_height = 42, key_line = 22, axis_height = 58;
  std::size_t longest = 0;
  Index last_epoch = 1;
  for (const auto& condition : drawing.conditions) {
    longest = std::max(longest, condition.name.size());
    for (const RunLog* run : condition.runs)
      for (const MetricRow& row : run->metrics) last_epoch = std::max(last_epoch, row.epoch);
  }
  const int key_entries = static_cast<int>(drawing.conditions.size()) + 2;
  const int key_columns = std::clamp(760 / (60 + 9 * static_cast<int>(std::min<std::size_t>(longest, 100))), 1, 6);
  const int top = title_height + key_line * ((key_entries + key_columns - 1) / key_columns);
  const int panels = static_cast<int>(drawing.panels.size());
  const int height = top + panels * panel_height + (panels - 1) * gap + axis_height;
  const auto from_bottom = [&](int pixels) { return 1 - static_cast<double>(pixels) / height; };

  std::string result;
  const auto line = [&](const auto&... words) { result += text(words..., '\n'); };
  line("# Draws ", name, ".svg and ", name, ".png from ", name, ".dat; to draw again: gnuplot ", name,
       ".gp, in this folder.");
  line("# Lines are medians over the runs of a condition, shaded their range.\n");
  line("set encoding utf8");
  line("x(epoch) = epoch > 0 ? epoch : 0.5  # epoch 0 has no place on a logarithmic axis");
  line("set logscale x");
  line("set xrange [0.5:", last_epoch, "]");
  line("set border 3 linecolor rgb '#444444'");
  line("set tics nomirror");
  line("set grid linetype 1 linecolor rgb '#e0e0e0'");
  line("set style line ", chance_style, " linecolor rgb '#777777' linewidth 1");
  line("set style line ", key_style, " linecolor rgb '#777777' linewidth 2");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    line("set style line ", style_of(i), " linecolor rgb '", drawing.conditions[i].colour, "' linewidth 2");
  line("\ndo for [format in 'svg png'] {");
  line("if (format eq 'svg') {");
  line("  set terminal svg noenhanced size ", width, ",", height, " font 'sans-serif,14' background rgb 'white'");
  line("} else {");
  line("  set terminal pngcairo noenhanced size ", 2 * width, ",", 2 * height, " font 'sans,21' linewidth 2");
  line("}");
  line("set output '", name, ".'.format");
  line("set multiplot title ", gnuplot_string(drawing.setting), " font ',' . (format eq 'svg' ? 17 : 26)");
  line("set lmargin at screen 0.1");
  line("set rmargin at screen 0.925");
  line("set key at screen 0.5125,", from_bottom(title_height - 8), " center top horizontal Left reverse maxcols ",
       key_columns, " samplen 2.5");
  for (int i = 0; i < panels; ++i) {
    const Panel& p = drawing.panels[static_cast<std::size_t>(i)];
    const int begin = top + i * (panel_height + gap);
    const bool is_first = i == 0, is_last = i + 1 == panels;
    line("\nset tmargin at screen ", from_bottom(begin));
    line("set bmargin at screen ", from_bottom(begin + panel_height));
    line("set yrange ", is_first ? "[0:101]" : "[*:*]");
    line("set ylabel ", gnuplot_string(p.title));
    line("set format x '", is_last ? "%.0f" : "", "'");
    line("set xtics add ('", is_last ? "0" : "", "' 0.5)");
    line("set xlabel '", is_last ? "epoch" : "", "'");
    if (p.is_alignment && drawing.chance)
      line("set label 1 'chance' at graph 1.01, first ", all_digits(drawing.chance), " left textcolor rgb '#777777'");
    else
      line("unset label 1");
    if (!is_first) line("unset key");
    line(plot_command(p, drawing, gnuplot_string(name + ".dat"), is_first));
  }
  line("unset multiplot");
  line("unset output");
  line("}");
  return result;
}

std::string list(const std::set<std::string>& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ", ") + name;
  return result;
}

}  // namespace

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

Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options) {
  const std::vector<SettingRuns> settings = by_setting(logs);
  const auto colour = condition_colours(settings);
  const std::vector<std::string> metrics =
      options.metrics.empty() ? std::vector<std::string>{"centroid_alignment"} : options.metrics;
  std::set<std::string> file_names, drawn, known;
  Plot result;
  for (const SettingRuns& setting : settings) {
    const auto remember = [&](const std::string& words) {
      result.remarks.push_back(text(setting.setting, ": ", words));
    };
    for (const std::string& words : remarks(setting.unfinished, setting.failed)) remember(words);
    Drawing drawing{.setting = setting.setting, .conditions = {}, .panels = {}, .chance = {}};
    std::set<std::string> logged;
    for (const ConditionRuns& condition : setting.conditions) {
      const std::set<std::string> names = logged_metrics(condition.finished);
      if (names.empty()) continue;
      drawing.conditions.push_back({condition.condition, colour.at(condition.condition), condition.finished, names});
      logged.insert(names.begin(), names.end());
    }
    if (drawing.conditions.empty()) {
      remember("no picture without a finished run");
      continue;
    }
    drawing.chance = chance_level(drawing);
    std::size_t column = 3;
    const auto add_panel = [&](const std::string& base) {
      const Panel added = panel(base, logged, column);
      column += 3 * added.series.size();
      if (!added.series.empty()) drawing.panels.push_back(added);
      return !added.series.empty();
    };
    add_panel("acc");
    for (const std::string& name : metrics)
      if (add_panel(base_name(name)))
        drawn.insert(name);
      else
        remember("no finished run logged " + name);
    for (const std::string& name : logged) known.insert(base_name(name));
    const std::string name = file_name(setting.setting, file_names);
    result.figures.push_back({.name = name, .data = data(drawing), .script = script(drawing, name)});
  }
  if (result.figures.empty()) throw InputError(text("found none of ", logs.size(), " runs finished, expected some"));
  for (const std::string& name : options.metrics)
    if (!drawn.contains(name))
      throw InputError(text("metric: found '", name, "', expected one that a finished run logged: ", list(known)));
  return result;
}

}  // namespace normalign

#include "experiments/results/plot.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/nearest_name.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

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

// Data.

// Where the data file has the median of the series; lowest and highest stand beside it.
std::size_t column(const CurveSeries& series) { return 3 + 3 * series.number; }

std::string data_block(const ConditionCurves& condition, const std::vector<CurvePanel>& panels) {
  Cells head = {"# epoch", "runs"};
  std::vector<std::vector<Band>> columns;
  for (const CurvePanel& p : panels)
    for (const CurveSeries& series : p.series) {
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

std::string data(const SettingCurves& drawing) {
  std::string result = text(
      gnuplot_comment(drawing.setting),
      "# One block for each condition: its name, the names of the columns, one line for each logged epoch.\n",
      "# runs: how many still went on; those that have ended keep their last value. Median, lowest and highest value\n",
      "# are over all finished runs of the condition; NaN where none has a value yet. Accuracies are per cent.\n");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    result += (i == 0 ? "" : "\n\n") + data_block(drawing.conditions[i], drawing.panels);
  return result;
}

// Script.

// Numbers of line styles.
constexpr int chance_style = 1, key_style = 2;
std::size_t style_of(std::size_t condition) { return condition + 3; }

std::string plot_command(const CurvePanel& panel, const SettingCurves& drawing, const std::string& data_file,
                         bool has_key) {
  const char* const dashes = " dashtype (8,4)";
  std::vector<std::string> parts;
  const auto add = [&](const auto&... words) { parts.push_back(text(words...)); };
  // Columns without any number would make gnuplot complain.
  const auto series_of = [&](std::size_t condition) {
    std::vector<CurveSeries> result;
    for (const CurveSeries& series : panel.series)
      if (drawing.conditions[condition].logged.contains(series.metric)) result.push_back(series);
    return result;
  };
  if (panel.is_alignment && drawing.chance)
    add(all_digits(drawing.chance), " with lines linestyle ", chance_style, " notitle");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    for (const CurveSeries& series : series_of(i))
      add(data_file, " index ", i, " using (x($1)):", column(series) + 1, ":", column(series) + 2,
          " with filledcurves linestyle ", style_of(i), " fillstyle transparent solid ", series.is_solid ? 0.18 : 0.1,
          " noborder notitle");
  for (std::size_t i = 0; i < drawing.conditions.size(); ++i)
    for (const CurveSeries& series : series_of(i))
      add(data_file, " index ", i, " using (x($1)):", column(series), " with lines linestyle ", style_of(i),
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

std::string script(const SettingCurves& drawing, const std::string& name) {
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
    const CurvePanel& p = drawing.panels[static_cast<std::size_t>(i)];
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

Plot plot(const std::vector<RunLog>& logs, const PlotOptions& options) {
  const std::vector<SettingRuns> settings = by_setting(logs);
  const std::vector<SettingCurves> drawings =
      curves(settings, options.metrics.empty() ? std::vector<std::string>{"centroid_alignment"} : options.metrics);
  std::set<std::string> file_names, drawn, known;
  Plot result;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const SettingCurves& drawing = drawings[i];
    const auto remember = [&](const std::string& words) {
      result.remarks.push_back(text(drawing.setting, ": ", words));
    };
    for (const std::string& words : remarks(settings[i].unfinished, settings[i].failed)) remember(words);
    if (drawing.conditions.empty()) {
      remember("no picture without a finished run");
      continue;
    }
    for (const std::string& name : options.metrics)
      if (std::ranges::find(drawing.missing, name) == drawing.missing.end()) drawn.insert(name);
    for (const std::string& name : drawing.missing) remember("no finished run logged " + name);
    for (const ConditionCurves& condition : drawing.conditions)
      for (const std::string& name : condition.logged) known.insert(base_name(name));
    const std::string name = file_name(drawing.setting, file_names);
    result.figures.push_back({.name = name, .data = data(drawing), .script = script(drawing, name)});
  }
  if (result.figures.empty()) throw InputError(text("found none of ", logs.size(), " runs finished, expected some"));
  for (const std::string& name : options.metrics)
    if (!drawn.contains(name))
      throw InputError(text("metric: found '", name, "', expected one that a finished run logged: ", list(known),
                            did_you_mean(name, {known.begin(), known.end()})));
  return result;
}

}  // namespace normalign

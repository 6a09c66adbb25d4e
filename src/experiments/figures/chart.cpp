#include "experiments/figures/chart.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/infinity.hpp"
#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

std::string data_of(const Chart& chart) {
  std::string result = chart.comment;
  for (const ChartBlock& block : chart.blocks) {
    std::vector<Cells> lines = {Cells(block.columns.begin(), block.columns.end())};
    lines.front().front() = "# " + block.columns.front();
    for (const std::vector<double>& row : block.rows) {
      Cells& line = lines.emplace_back();
      for (const double value : row)
        line.push_back(std::isnan(value)                   ? "NaN"
                       : line.size() < block.whole_columns ? Cell(std::llround(value))
                                                           : Cell(all_digits(value)));
    }
    // gnuplot parts blocks by two empty lines.
    result += (&block == &chart.blocks.front() ? "" : "\n\n") + gnuplot_comment(block.name) + aligned_text(lines, 0);
  }
  return result;
}

bool is_line(const ChartSeries& series) { return series.look == Look::solid || series.look == Look::dashed; }

std::string look_of(const ChartSeries& series, bool is_marked) {
  std::string result = !is_line(series) ? " with points" : is_marked ? " with linespoints" : " with lines";
  if (is_marked || !is_line(series))
    result += text(" pointtype ", series.look == Look::hollow ? 6 : 7, " pointsize 0.6");
  if (is_line(series)) result += series.is_thin ? " linewidth 1" : " linewidth 2";
  if (series.look == Look::dashed) result += " dashtype (8,4)";
  return result + " linecolor rgb '" + series.colour + "'";
}

std::string plot_command(const Chart& chart, const ChartPanel& panel, const std::string& source, bool has_key) {
  std::string result;
  const auto add = [&](const auto&... words) { result += text(result.empty() ? "plot " : ", \\\n     ", words...); };
  const auto add_series = [&](const ChartSeries& series, const std::string& what, bool is_marked) {
    add(what, look_of(series, is_marked),
        has_key && !series.name.empty() ? " title " + gnuplot_string(series.name) : " notitle");
  };
  // gnuplot counts columns from 1.
  const auto columns = [&](const ChartSeries& series) {
    return text(source, " index ", series.block, " using ", chart.x.has_zero ? "(x($1)):" : "1:");
  };
  const std::string guide = text(" with lines linecolor rgb '", guide_colour, "' notitle");
  if (chart.has_diagonal) add("x", guide);
  if (panel.level) add(all_digits(panel.level), guide);
  for (const ChartSeries& s : panel.series)
    if (s.highest > 0)
      add(columns(s), s.lowest + 1, ':', s.highest + 1, " with filledcurves linecolor rgb '", s.colour,
          "' fillstyle transparent solid ", s.look == Look::dashed ? 0.1 : 0.18, " noborder notitle");
  for (const ChartSeries& s : panel.series) {
    const auto has_number = [&](const std::vector<double>& row) { return !std::isnan(row[s.y]); };
    const bool is_marked = s.is_marked || std::ranges::count_if(chart.blocks[s.block].rows, has_number) == 1;
    add_series(s, text(columns(s), s.y + 1), is_marked);
  }
  for (const ChartSeries& entry : has_key ? chart.legend : std::vector<ChartSeries>{}) add_series(entry, "NaN", false);
  return result;
}

template <class... Words>
void add_line(std::string& script, const Words&... words) {
  script += text(words..., '\n');
}

void add_axis(std::string& script, char letter, const ChartAxis& axis) {
  const auto end = [](const std::optional<double>& value) { return value ? all_digits(value) : "*"; };
  if (axis.log_base > 0)
    add_line(script, "set logscale ", letter, ' ', axis.log_base);
  else if (letter == 'y')
    add_line(script, "unset logscale y");  // of the panel before
  add_line(script, "set ", letter, "range [", end(axis.low), ':', end(axis.high), ']');
  if (!axis.ticks.empty())
    add_line(script, "set ", letter, "tics (", joined(axis.ticks, ", ", all_digits), ')');
  else if (letter == 'y')
    add_line(script, "set ytics autofreq");  // not those of the panel before
}

// What all panels share.
std::string settings_of(const Chart& chart) {
  std::string result;
  add_line(result, "set encoding utf8");
  if (chart.x.has_zero) add_line(result, "x(n) = n > 0 ? n : 0.5  # 0 has no place on a logarithmic axis");
  add_line(result, "set border 3 linecolor rgb '#444444'\nset tics nomirror");
  add_line(result, "set grid linetype 1 linecolor rgb '#e0e0e0'");
  add_axis(result, 'x', chart.x);
  return result;
}

// One panel; the lowest of a picture has the numbers of x and says what they are.
std::string panel_commands(const Chart& chart, const ChartPanel& panel, const std::string& source, bool is_lowest,
                           bool has_key) {
  std::string result;
  const auto [low, high] = value_range(chart, panel);
  // Where all values are one, gnuplot would find a range of its own and complain.
  add_axis(result, 'y', low == high && !panel.y.low && !panel.y.high ? fitted(panel.y, low, high) : panel.y);
  add_line(result, "set format x '", is_lowest ? "%g" : "", "'");
  if (chart.x.has_zero) add_line(result, "set xtics add ('", is_lowest ? "0" : "", "' 0.5)");
  add_line(result, "set xlabel ", gnuplot_string(is_lowest ? chart.x.label : ""), " offset 0,0.4");
  if (panel.level_name.empty())
    add_line(result, "unset label 1");
  else
    add_line(result, "set label 1 ", gnuplot_string(panel.level_name), " at graph 1.01, first ",
             all_digits(panel.level), " left textcolor rgb '", guide_colour, "'");
  if (!has_key) add_line(result, "unset key");
  add_line(result, plot_command(chart, panel, source, has_key));
  return result;
}

constexpr std::string_view end_of_panel = "<!-- end -->\n";

// What draws each panel on its own, to standard output.
std::string page_commands(const Chart& chart) {
  std::string result;
  // Frames are square where both axes have one range.
  add_line(result, "reset\n$data << END\n", data_of(chart), "END\nset terminal svg noenhanced dynamic size ",
           chart.has_diagonal ? "320,300" : "440,260", " font 'sans-serif,13'");
  result += settings_of(chart);
  for (const ChartPanel& panel : chart.panels) {
    const std::string title = chart.has_diagonal ? chart.title + ": " + panel.y.label : panel.y.label;
    add_line(result, "set title ", gnuplot_string(title), " offset 0,-0.5\nset lmargin 6.5\nset rmargin ",
             panel.level_name.empty() ? 2.5 : 8, "\nset tmargin 1.7\nset bmargin 2.9");
    result += panel_commands(chart, panel, "$data", true, false);
    add_line(result, "print '", end_of_panel.substr(0, end_of_panel.size() - 1), "'");
  }
  return result;
}

}  // namespace

std::pair<double, double> value_range(const Chart& chart, const ChartPanel& panel) {
  double low = infinity, high = -low;
  for (const ChartSeries& s : panel.series)
    for (const std::vector<double>& row : chart.blocks[s.block].rows)
      for (const std::size_t column : {s.y, s.lowest > 0 ? s.lowest : s.y, s.highest > 0 ? s.highest : s.y}) {
        low = std::fmin(low, row[column]);  // not NaN where one of the two is none
        high = std::fmax(high, row[column]);
      }
  return low <= high ? std::pair(low, high) : std::pair(0.0, 0.0);
}

ChartAxis fitted(ChartAxis axis, double low, double high) {
  if (axis.log_base > 0) {
    const double room = std::max(std::pow(high / low, 0.05), 1.01);
    axis.low = low / room;
    axis.high = high * room;
  } else {
    const double room = high > low ? 0.05 * (high - low) : std::max(std::abs(high) / 10, 0.001);
    axis.low = low - room;
    axis.high = high + room;
  }
  return axis;
}

ChartAxis axis_of(const std::string& label, double low, double high) {
  if (!(low > 0 && high > 10 * low)) return fitted({.label = label}, low, high);
  ChartAxis result = fitted({.label = label, .log_base = 10}, low, high);
  const bool is_wide = high > 1000 * low;
  for (double power = std::pow(10, std::floor(std::log10(*result.low))); power <= *result.high; power *= 10)
    for (const double digit : {1.0, 2.0, 5.0})
      if (const double tick = digit * power; tick >= *result.low && tick <= *result.high && !(is_wide && digit > 1))
        result.ticks.push_back(tick);
  return result;
}

void add_points(Chart& chart, const std::string& name, const std::vector<ScatterPoint>& points) {
  ChartPanel& panel = chart.panels.front();
  for (const ScatterPoint& point : points)
    for (const auto& [value, axis] : {std::pair(point.x, &chart.x), {point.y, &panel.y}})
      if (!std::isfinite(value) || (axis->log_base > 0 && value <= 0))
        throw InputError(text(chart.name, ": ", name, ": found ", axis->label, " ", value, ", expected a ",
                              axis->log_base > 0 ? "positive" : "finite", " number"));
  // A colour for each entry of the key.
  const auto colour = static_cast<std::size_t>(
      std::ranges::count_if(panel.series, [](const ChartSeries& series) { return !series.name.empty(); }));
  ChartSeries series{.name = name, .colour = figure_colours[colour % figure_colours.size()]};
  for (const bool is_filled : {true, false}) {
    ChartBlock block{.name = name + (is_filled ? "" : ", hollow"), .columns = {"x", "y"}};
    for (const ScatterPoint& point : points)
      if (point.is_filled == is_filled) block.rows.push_back({point.x, point.y});
    if (block.rows.empty()) continue;
    series.look = is_filled ? Look::filled : Look::hollow;
    series.block = chart.blocks.size();
    panel.series.push_back(series);
    chart.blocks.push_back(std::move(block));
    series.name.clear();
  }
}

void add_diagonal(Chart& chart) {
  ChartAxis& y = chart.panels.front().y;
  std::vector<double> values;
  for (const ChartBlock& block : chart.blocks)
    for (const std::vector<double>& row : block.rows) values.insert(values.end(), row.begin(), row.end());
  const auto [low, high] = std::ranges::minmax(values);
  chart.x = fitted(chart.x, low, high);
  y = fitted(y, low, high);
  chart.has_diagonal = true;
}

std::vector<ChartSeries> key_of(const Chart& chart) {
  std::vector<ChartSeries> result = chart.panels.empty() ? std::vector<ChartSeries>{} : chart.panels.front().series;
  std::erase_if(result, [](const ChartSeries& series) { return series.name.empty(); });
  result.insert(result.end(), chart.legend.begin(), chart.legend.end());
  return result;
}

Figure figure_of(const Chart& chart) {
  if (chart.blocks.empty()) throw InputError(chart.name + ": found nothing to draw, expected some points");
  // Lengths are pixels of the SVG, of which the PNG has twice as many.
  const int width = chart.width, gap = 18, title_height = chart.title.empty() ? 14 : 42, axis_height = 58;
  std::size_t longest = 0;
  const std::vector<ChartSeries> key = key_of(chart);
  for (const ChartSeries& entry : key) longest = std::max(longest, entry.name.size());
  const int key_columns =
      std::clamp((width - 80) / (60 + 9 * static_cast<int>(std::min<std::size_t>(longest, 100))), 1, 6);
  const int top = title_height + 22 * ((static_cast<int>(key.size()) + key_columns - 1) / key_columns);
  const int panels = static_cast<int>(chart.panels.size()), step = chart.panel_height + gap;
  const int height = top + panels * step - gap + axis_height;
  const bool has_level_name = std::ranges::any_of(chart.panels, [](const auto& p) { return !p.level_name.empty(); });
  const auto from_bottom = [&](int pixels) { return 1 - static_cast<double>(pixels) / height; };

  const std::string& name = chart.name;
  Figure result{.name = name, .data = data_of(chart), .script = {}};
  const auto line = [&](const auto&... words) { add_line(result.script, words...); };
  line("# Draws ", name, ".svg and ", name, ".png from ", name, ".dat; to draw again: gnuplot ", name,
       ".gp, in this folder.\n");
  result.script += settings_of(chart);
  line("\ndo for [format in 'svg png'] {\nif (format eq 'svg') {");
  line("  set terminal svg noenhanced size ", width, ",", height, " font 'sans-serif,14' background rgb 'white'");
  line("} else {");
  line("  set terminal pngcairo noenhanced size ", 2 * width, ",", 2 * height,
       " font 'sans,14' fontscale 1.5 linewidth 2 pointscale 2");
  line("}\nset output '", name, ".'.format");
  line("set multiplot title ", gnuplot_string(chart.title), " font ',17'");
  line("set lmargin at screen ", 84.0 / width, "\nset rmargin at screen ", 1 - (has_level_name ? 63.0 : 24.0) / width);
  line("set key at screen 0.5,", from_bottom(title_height - 8), " center top horizontal Left reverse maxcols ",
       key_columns, " samplen 2.5");
  for (int i = 0; i < panels; ++i) {
    const ChartPanel& panel = chart.panels[static_cast<std::size_t>(i)];
    line("\nset tmargin at screen ", from_bottom(top + i * step));
    line("set bmargin at screen ", from_bottom(top + i * step + chart.panel_height));
    line("set ylabel ", gnuplot_string(panel.y.label));
    result.script += panel_commands(chart, panel, gnuplot_string(name + ".dat"), i + 1 == panels, i == 0);
  }
  line("unset multiplot\nunset output\n}");
  return result;
}

std::vector<std::vector<std::string>> panel_svgs(std::span<const Chart> charts) {
  std::vector<std::vector<std::string>> result(charts.size());
  for (std::size_t next = 0; next < charts.size(); ++next) {  // again behind a chart that gnuplot fails at
    std::string script;
    for (const Chart& chart : charts.subspan(next)) script += page_commands(chart);
    const std::optional<std::string> drawn = gnuplot_output(script);
    if (!drawn) break;
    std::size_t begin = 0;
    for (std::size_t at = 0; (at = drawn->find(end_of_panel, begin)) != drawn->npos; begin = at + end_of_panel.size()) {
      if (result[next].size() == charts[next].panels.size()) ++next;
      result[next].push_back(drawn->substr(begin, at - begin));
    }
  }
  return result;
}

}  // namespace normalign

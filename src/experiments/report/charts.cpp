#include "experiments/report/charts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "experiments/figures/table.hpp"
#include "experiments/report/chart.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;

// Epoch 0 has no place on a logarithmic axis.
double place_of(Index epoch) { return epoch > 0 ? static_cast<double>(epoch) : 0.5; }

// The least and the largest of some values.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

// An axis with a little room around the values.
ChartAxis axis_around(Range range, std::string label, bool is_log) {
  if (!(range.low <= range.high)) range = {0, 1};
  is_log = is_log && range.low > 0;
  if (is_log) {
    const double room = std::max(std::pow(range.high / range.low, 0.04), 1.01);
    return {.label = std::move(label), .low = range.low / room, .high = range.high * room, .is_log = true};
  }
  const double room = range.high > range.low ? 0.04 * (range.high - range.low) : std::max(std::abs(range.high), 1.0);
  return {.label = std::move(label), .low = range.low - room, .high = range.high + room};
}

struct DrawnSeries {
  const ConditionCurves* condition;
  const CurveSeries* series;
  std::vector<Band> bands;
};

Markup panel_chart(const SettingCurves& curves, const CurvePanel& panel, Index last_epoch) {
  std::vector<DrawnSeries> drawn;
  Range range;
  for (const ConditionCurves& condition : curves.conditions)
    for (const CurveSeries& series : panel.series) {
      if (!condition.logged.contains(series.metric)) continue;
      drawn.push_back({&condition, &series, bands(condition.runs, series.metric)});
      for (const Band& band : drawn.back().bands)
        if (band.lowest) {
          range.add(*band.lowest);
          range.add(*band.highest);
        }
    }
  const bool has_chance = panel.is_alignment && curves.chance;
  if (has_chance) range.add(*curves.chance);
  const bool is_accuracy = &panel == &curves.panels.front();
  const bool is_log = panel.title.ends_with("loss") && range.low > 0 && range.high / range.low > 100;
  Chart chart(
      {.label = "epoch",
       .low = 0.5,
       .high = std::max(1.0, static_cast<double>(last_epoch)),
       .is_log = true,
       .low_label = "0"},
      is_accuracy ? ChartAxis{.label = panel.title, .low = 0, .high = 100} : axis_around(range, panel.title, is_log));
  if (has_chance) chart.level(*curves.chance, "chance");
  for (const DrawnSeries& d : drawn) {
    std::vector<Point> lower, upper;
    for (const Band& band : d.bands)
      if (band.lowest) {
        lower.push_back({place_of(band.epoch), *band.lowest});
        upper.push_back({place_of(band.epoch), *band.highest});
      }
    if (lower != upper) chart.band(lower, upper, d.condition->colour);
  }
  for (const DrawnSeries& d : drawn) {
    std::vector<Point> medians;
    for (const Band& band : d.bands)
      if (band.median) medians.push_back({place_of(band.epoch), *band.median});
    chart.line(medians, {.colour = d.condition->colour, .is_dashed = !d.series->is_solid});
  }
  return chart.svg(text(curves.setting, ": ", panel.title, " against the epoch"));
}

Markup key_entry(const char* look, const std::string& style, const std::string& words) {
  return element("li", {}, element("i", {{"class", look}, {"style", style}}), words);
}

}  // namespace

Markup curve_charts(const SettingCurves& curves) {
  if (curves.conditions.empty()) return {};
  Index last_epoch = 1;
  Markup key, charts;
  for (const ConditionCurves& condition : curves.conditions) {
    key += key_entry("", "color:" + (condition.colour == "#000000" ? "inherit" : condition.colour), condition.name);
    for (const RunLog* run : condition.runs)
      for (const MetricRow& row : run->metrics) last_epoch = std::max(last_epoch, row.epoch);
  }
  key += key_entry("plain", "", "test");
  key += key_entry("dashed", "", "train");
  for (const CurvePanel& panel : curves.panels) charts += panel_chart(curves, panel, last_epoch);
  Markup result = element("ul", {{"class", "key"}}, key);
  result += element("div", {{"class", "charts"}}, charts, "\n");
  result +=
      element("p", {{"class", "note"}},
              "Medians over the finished runs of a condition, shaded their range; runs that have ended keep their "
              "last value.");
  for (const std::string& name : curves.missing)
    result += element("p", {{"class", "note"}}, "No finished run logged ", name, ".");
  return result;
}

Markup accuracy_sketch(const RunLog& log) {
  if (log.metrics.size() < 2) return {};
  constexpr double width = 120, height = 26;
  const double last = std::log(place_of(log.metrics.back().epoch) / 0.5);
  Markup lines;
  for (const bool is_test : {false, true}) {
    std::string points;
    double before = -1;
    for (const MetricRow& row : log.metrics) {
      // A point for each pixel, and the last.
      const double x = last > 0 ? std::floor(width * std::log(place_of(row.epoch) / 0.5) / last) : 0;
      if (x == before && &row != &log.metrics.back()) continue;
      before = x;
      const double share = std::clamp((is_test ? row.test_acc : row.train_acc) / 100, 0.0, 1.0);
      points += text(points.empty() ? "" : " ", x, ',', std::round(height - 1 - (height - 2) * share));
    }
    lines += html::empty_element("polyline", {{"class", is_test ? "line" : "line dashed"}, {"points", points}});
  }
  return element("svg", {{"class", "spark"}, {"viewBox", text("0 0 ", width, ' ', height)}, {"aria-hidden", "true"}},
                 lines);
}

Markup scatter_chart(const Scatter& scatter) {
  const auto is_drawn = [&](const ScatterPoint& p) {
    return std::isfinite(p.x) && std::isfinite(p.y) && (!scatter.x.is_log || p.x > 0) && (!scatter.y.is_log || p.y > 0);
  };
  Range x, y;
  for (const ScatterSeries& series : scatter.series)
    for (const ScatterPoint& point : series.points)
      if (is_drawn(point)) {
        x.add(point.x);
        y.add(point.y);
      }
  if (!(x.low <= x.high)) return {};
  if (scatter.diagonal) x = y = {std::min(x.low, y.low), std::max(x.high, y.high)};
  const ChartAxis across = axis_around(x, scatter.x.label, scatter.x.is_log),
                  up = axis_around(y, text(scatter.title, ": ", scatter.y.label), scatter.y.is_log);
  Chart chart(across, up);
  if (scatter.diagonal) chart.line({{across.low, up.low}, {across.high, up.high}}, {.colour = "#777777", .width = 1});
  for (std::size_t i = 0; i < scatter.series.size(); ++i)
    for (const ScatterPoint& point : scatter.series[i].points)
      if (is_drawn(point)) chart.disc({point.x, point.y}, figure_colours[i % figure_colours.size()], point.is_filled);
  return chart.svg(text(scatter.title, ", ", scatter.y.label, " against ", scatter.x.label));
}

}  // namespace normalign

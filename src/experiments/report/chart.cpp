#include "experiments/report/chart.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "experiments/figures/table.hpp"

namespace normalign {
namespace {

using html::element;
using html::Markup;

constexpr double width = 440, height = 260, left = 52, right = 12, top = 26, bottom = 40;

std::string pixels(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.1f", value);
  std::string result = buffer;
  if (result.ends_with(".0")) result.resize(result.size() - 2);
  return result;
}

// From 0 at the low end to 1 at the high end.
double share(const ChartAxis& axis, double value) {
  const double clamped = std::clamp(value, axis.low, axis.high);
  return axis.is_log ? std::log(clamped / axis.low) / std::log(axis.high / axis.low)
                     : (clamped - axis.low) / (axis.high - axis.low);
}

// Marks the points between `first` and `last` that a line within `tolerance` of all needs (Douglas and Peucker).
void keep(const std::vector<Point>& points, std::size_t first, std::size_t last, double tolerance,
          std::vector<bool>& is_kept) {
  const Point a = points[first], b = points[last];
  const double length = std::hypot(b.x - a.x, b.y - a.y);
  double farthest = tolerance;
  std::size_t split = first;
  for (std::size_t i = first + 1; i < last; ++i) {
    const Point p = points[i];
    const double distance = length > 0 ? std::abs((b.x - a.x) * (a.y - p.y) - (a.x - p.x) * (b.y - a.y)) / length
                                       : std::hypot(p.x - a.x, p.y - a.y);
    if (distance <= farthest) continue;
    farthest = distance;
    split = i;
  }
  if (split == first) return;
  is_kept[split] = true;
  keep(points, first, split, tolerance, is_kept);
  keep(points, split, last, tolerance, is_kept);
}

std::string colour_of(const std::string& colour) { return colour == "#000000" ? "currentColor" : colour; }

// A number beside an axis.
std::string tick_label(double value) {
  char buffer[32];
  const bool is_plain = value == 0 || (std::abs(value) >= 1e-3 && std::abs(value) < 1e6);
  std::snprintf(buffer, sizeof buffer, is_plain ? "%.6g" : "%.3g", value);
  return buffer;
}

}  // namespace

std::vector<double> ticks(const ChartAxis& axis) {
  std::vector<double> result;
  if (axis.is_log && axis.high / axis.low > 10) {
    const int first = static_cast<int>(std::ceil(std::log10(axis.low) - 1e-9)),
              last = static_cast<int>(std::floor(std::log10(axis.high) + 1e-9));
    const int step = (last - first) / 6 + 1;
    for (int power = first; power <= last; power += step) result.push_back(std::pow(10, power));
    return result;
  }
  const double range = axis.high - axis.low, power = std::pow(10, std::floor(std::log10(range / 4)));
  double step = power;
  for (const double factor : {2, 5, 10})
    if (range / step > 6) step = factor * power;
  for (double i = std::ceil(axis.low / step - 1e-9); i * step <= axis.high + 1e-9 * range; ++i)
    result.push_back(i * step + 0.0);  // no -0
  return result;
}

Chart::Chart(ChartAxis x, ChartAxis y) : x_(std::move(x)), y_(std::move(y)) {}

Point Chart::place(Point at) const {
  return {left + share(x_, at.x) * (width - left - right), height - bottom - share(y_, at.y) * (height - top - bottom)};
}

std::string Chart::path(const std::vector<Point>& points) const {
  std::vector<Point> placed;
  for (const Point& point : points) placed.push_back(place(point));
  std::vector<bool> is_kept(placed.size());
  is_kept.front() = is_kept.back() = true;
  keep(placed, 0, placed.size() - 1, 1.0 / 3, is_kept);
  std::string result;
  for (std::size_t i = 0; i < placed.size(); ++i)
    if (is_kept[i]) result += (result.empty() ? "" : " ") + pixels(placed[i].x) + "," + pixels(placed[i].y);
  return result;
}

void Chart::band(const std::vector<Point>& lower, const std::vector<Point>& upper, const std::string& colour) {
  if (lower.empty() || upper.empty()) return;
  std::vector<Point> back(upper.rbegin(), upper.rend());
  marks_ += html::empty_element(
      "polygon", {{"class", "band"}, {"fill", colour_of(colour)}, {"points", path(lower) + " " + path(back)}});
}

void Chart::line(const std::vector<Point>& points, const ChartLine& look) {
  if (points.empty()) return;
  // A line of one point would not be seen.
  if (points.size() == 1) return disc(points.front(), look.colour, true);
  marks_ += html::empty_element("polyline", {{"class", look.is_dashed ? "line dashed" : "line"},
                                             {"stroke", colour_of(look.colour)},
                                             {"stroke-width", pixels(look.width)},
                                             {"points", path(points)}});
}

void Chart::disc(Point centre, const std::string& colour, bool is_filled) {
  const Point at = place(centre);
  marks_ += html::empty_element("circle", {{"class", is_filled ? "disc" : "ring"},
                                           {is_filled ? "fill" : "stroke", colour_of(colour)},
                                           {"cx", pixels(at.x)},
                                           {"cy", pixels(at.y)},
                                           {"r", "2.4"}});
}

void Chart::level(double y, const std::string& name) {
  const double at = place({x_.low, y}).y;
  marks_ += html::empty_element("line", {{"class", "level"},
                                         {"x1", pixels(left)},
                                         {"y1", pixels(at)},
                                         {"x2", pixels(width - right)},
                                         {"y2", pixels(at)}});
  marks_ += element("text", {{"class", "small"}, {"x", pixels(left + 4)}, {"y", pixels(at - 3)}}, name);
}

Markup Chart::svg(const std::string& description) const {
  Markup frame;
  const auto add_line = [&](const char* look, Point from, Point to) {
    frame += html::empty_element(
        "line",
        {{"class", look}, {"x1", pixels(from.x)}, {"y1", pixels(from.y)}, {"x2", pixels(to.x)}, {"y2", pixels(to.y)}});
  };
  const auto add_words = [&](double x, double y, const char* anchor, const std::string& words) {
    frame += element("text", {{"x", pixels(x)}, {"y", pixels(y)}, {"text-anchor", anchor}}, words);
  };
  for (const double value : ticks(x_)) {
    const double at = place({value, y_.low}).x;
    add_line("grid", {at, top}, {at, height - bottom});
    if (x_.low_label.empty() || at > left + 20) add_words(at, height - bottom + 15, "middle", tick_label(value));
  }
  if (!x_.low_label.empty()) add_words(left, height - bottom + 15, "middle", x_.low_label);
  for (const double value : ticks(y_)) {
    const double at = place({x_.low, value}).y;
    add_line("grid", {left, at}, {width - right, at});
    add_words(left - 6, at + 4, "end", tick_label(value));
  }
  add_line("axis", {left, height - bottom}, {width - right, height - bottom});
  add_line("axis", {left, top}, {left, height - bottom});
  add_words((left + width - right) / 2, height - 6, "middle", x_.label);
  add_words(left - 44, 15, "start", y_.label);
  return element("svg",
                 {{"class", "chart"},
                  {"viewBox", "0 0 " + pixels(width) + " " + pixels(height)},
                  {"role", "img"},
                  {"aria-label", description}},
                 frame, marks_);
}

}  // namespace normalign

#include "experiments/report/chart.hpp"

#include <cmath>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

// The points of the first line of a chart, in pixels.
std::vector<Point> drawn_points(const Chart& chart) {
  const std::string svg = chart.svg("").text;
  const std::size_t line = svg.find("<polyline"), begin = svg.find("points=\"", line) + 8;
  std::istringstream in(svg.substr(begin, svg.find('"', begin) - begin));
  std::vector<Point> result;
  char comma = 0;
  for (Point p; in >> p.x >> comma >> p.y;) result.push_back(p);
  return result;
}

double distance_to(const std::vector<Point>& line, Point p) {
  double nearest = 1e9;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const Point a = line[i], b = line[i + 1];
    const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    const double t = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
    nearest = std::min(nearest, std::hypot(a.x + t * dx - p.x, a.y + t * dy - p.y));
  }
  return nearest;
}

TEST_CASE("ticks: round numbers between the ends, some five of them") {
  CHECK(ticks({.low = 0, .high = 100}) == std::vector<double>{0, 20, 40, 60, 80, 100});
  CHECK(ticks({.low = 0.5, .high = 20000, .is_log = true}) == std::vector<double>{1, 10, 100, 1000, 10000});
  for (const auto& [low, high] : {std::pair{-3.7, 11.2}, {0.0, 1e-7}, {0.911, 0.94}, {-1e6, -2e5}}) {
    const std::vector<double> found = ticks({.low = low, .high = high});
    CAPTURE(low, high, found);
    CHECK(found.size() >= 3);
    CHECK(found.size() <= 7);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] >= low - 1e-9 * (high - low));
      CHECK(found[i] <= high + 1e-9 * (high - low));
      if (i > 1) CHECK(std::abs(found[i] - 2 * found[i - 1] + found[i - 2]) < 1e-9 * (high - low));
    }
  }
  CHECK(ticks({.low = 1e-30, .high = 1e30, .is_log = true}).size() <= 7);
}

TEST_CASE("chart: ends of the axes are the corners of the frame, and a logarithmic axis has equal decades") {
  Chart chart({.label = "x", .low = 1, .high = 10000, .is_log = true}, {.label = "y", .low = -1, .high = 1});
  chart.line({{1, -1}, {10, 1}, {100, -1}, {1000, 1}, {10000, 0}}, {.colour = "#123456"});
  const std::vector<Point> p = drawn_points(chart);
  REQUIRE(p.size() == 5);
  for (std::size_t i = 1; i < 5; ++i) CHECK(std::abs(p[i].x - p[i - 1].x - (p[4].x - p[0].x) / 4) < 0.11);
  CHECK(p[0].y > p[1].y);  // y is upwards
  CHECK(std::abs(p[4].y - (p[0].y + p[1].y) / 2) < 0.11);
}

TEST_CASE("chart: a line has few points and stays within a third of a pixel of all") {
  const ChartAxis x{.low = 0, .high = 1000}, y{.low = -2, .high = 2};
  std::vector<Point> points;
  for (int i = 0; i <= 1000; ++i) points.push_back({static_cast<double>(i), std::sin(i / 100.0) + (i == 500 ? 1 : 0)});
  Chart all(x, y), corners(x, y);
  all.line(points, {});
  corners.line({{0, -2}, {1000, 2}}, {});
  const std::vector<Point> kept = drawn_points(all), ends = drawn_points(corners);
  CHECK(kept.size() < 150);
  double worst = 0;
  for (const Point& p : points)
    worst = std::max(worst, distance_to(kept, {ends[0].x + p.x / 1000 * (ends[1].x - ends[0].x),
                                               ends[0].y + (p.y + 2) / 4 * (ends[1].y - ends[0].y)}));
  CHECK(worst < 1.0 / 3 + 0.08);  // and the rounding to a tenth
}

TEST_CASE("chart: well-formed whatever is drawn, beyond the axes too; nothing, one point, black letters") {
  Chart chart({.label = "<x>", .low = 0, .high = 1, .low_label = "0 & less"}, {.label = "y", .low = 1, .high = 2});
  chart.line({}, {});
  chart.line({{0.5, 1.5}}, {.colour = "#000000"});
  chart.line({{-1e300, 1}, {1e300, 5}}, {.colour = "#abcdef", .is_dashed = true});
  chart.band({{0, 1}, {1, 1}}, {{0, 2}, {1, 2}}, "#abcdef");
  chart.band({}, {}, "#abcdef");
  chart.disc({0, 1}, "#000000", false);
  chart.level(1.5, "<chance>");
  const std::string svg = chart.svg("a \"chart\"").text;
  CHECK(is_well_formed(svg));
  CHECK(contains(svg, "currentColor"));
  CHECK_FALSE(contains(svg, "#000000"));
  CHECK_FALSE(contains(svg, "nan"));
  CHECK_FALSE(contains(svg, "inf"));
}

}  // namespace
}  // namespace normalign::tests

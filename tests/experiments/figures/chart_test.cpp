#include "experiments/figures/chart.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/gnuplot.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Chart example() {
  return {.name = "toy",
          .title = "it's <b> & \"c\"",
          .comment = "# what it is\n",
          .x = {.label = "epoch", .low = 0.5, .high = 100, .log_base = 10, .has_zero = true},
          .blocks = {{.name = "one",
                      .columns = {"epoch", "a", "a-", "a+", "b"},
                      .whole_columns = 1,
                      .rows = {{0, 1, 0.5, 1.5, nan}, {10, 3, 2, 4, 7}, {100, 2, 2, 2, nan}}}},
          .panels = {{.y = {.label = "up"},
                      .series = {{.name = "solid", .colour = "#0072B2", .lowest = 2, .highest = 3},
                                 {.colour = "#000000", .look = Look::dashed, .y = 4}},
                      .level = 2.5,
                      .level_name = "chance"},
                     {.y = {.label = "down", .high = 9}, .series = {{.name = "other", .colour = "#009E73", .y = 4}}}},
          .legend = {{.name = "key alone", .colour = guide_colour, .look = Look::dashed}}};
}

TEST_CASE("chart: the data file has its comment and the blocks, NaN where there is no number") {
  CHECK(figure_of(example()).data ==
        "# what it is\n"
        "# 'one'\n"
        "# epoch    a   a-   a+    b\n"
        "      0  1.0  0.5  1.5  NaN\n"
        "     10  3.0  2.0  4.0  7.0\n"
        "    100  2.0  2.0  2.0  NaN\n");
}

TEST_CASE("chart: the script has a panel for each, the level, bands below lines, and one key") {
  const std::string script = figure_of(example()).script;
  for (const char* part :
       {"set multiplot title 'it''s <b> & \"c\"'", "set logscale x 10", "set xrange [0.5:100.0]", "set yrange [*:*]",
        "set yrange [*:9.0]", "set ylabel 'up'", "set ylabel 'down'", "set label 1 'chance'", "set xtics add ('0' 0.5)",
        "plot 2.5 with lines", "'toy.dat' index 0 using (x($1)):3:4 with filledcurves",
        "using (x($1)):2 with lines linewidth 2 linecolor rgb '#0072B2' title 'solid'", "title 'key alone'"}) {
    CAPTURE(part, script);
    CHECK(contains(script, part));
  }
  // A line of one point is marked.
  CHECK(contains(script, "using (x($1)):5 with linespoints pointtype 7"));
  // The second panel has no key.
  CHECK_FALSE(contains(script, "title 'other'"));
  std::vector<std::string> names;
  for (const ChartSeries& entry : key_of(example())) names.push_back(entry.name);
  CHECK(names == std::vector<std::string>{"solid", "key alone"});
}

TEST_CASE("chart: ranges hold what is drawn, with a little room") {
  const Chart chart = example();
  CHECK(value_range(chart, chart.panels[0]) == std::pair(0.5, 7.0));
  CHECK(value_range(chart, {}) == std::pair(0.0, 0.0));
  const ChartAxis linear = fitted({}, -1, 3), flat = fitted({}, 2, 2), log = fitted({.log_base = 10}, 1, 100);
  CHECK(std::abs(*linear.low + 1.2) < 1e-12);
  CHECK(std::abs(*linear.high - 3.2) < 1e-12);
  CHECK(*flat.low < 2);
  CHECK(*flat.high > 2);
  CHECK((*log.low > 0 && *log.low < 1 && *log.high > 100 && *log.high < 200));
}

TEST_CASE("chart: an axis is logarithmic over more than a factor of 10, and says where numbers stand") {
  for (const auto& [low, high] : {std::pair(3.0, 30.0), {0.0, 100.0}, {-1.0, 100.0}, {7.0, 7.0}}) {
    CAPTURE(low, high);
    const ChartAxis axis = axis_of("x", low, high);
    CHECK(axis.log_base == 0);
    CHECK(axis.ticks.empty());
    CHECK((axis.low < low && axis.high > high));
  }
  const auto is_near = [](const std::vector<double>& found, const std::vector<double>& expected) {
    return std::ranges::equal(found, expected, [](double a, double b) { return std::abs(a - b) < 1e-12 * b; });
  };
  const ChartAxis narrow = axis_of("x", 0.03, 0.9), wide = axis_of("x", 0.5, 5000);
  CHECK((narrow.log_base == 10 && wide.log_base == 10));
  CHECK(is_near(narrow.ticks, {0.05, 0.1, 0.2, 0.5, 1}));  // 1 lies in the room beyond the data
  CHECK(is_near(wide.ticks, {1, 10, 100, 1000}));
  Chart chart = example();
  chart.x.ticks = {1, 20};
  chart.panels[0].y.ticks = {0.5};
  const std::string script = figure_of(chart).script;
  for (const char* part : {"set xtics (1.0, 20.0)", "set ytics (0.5)", "set ytics autofreq"})
    CHECK(contains(script, part));
}

TEST_CASE("panel_svgs: a picture for each panel, all by one gnuplot; what it fails at is left out") {
  if (!has_gnuplot()) return skip("charts of a page: no gnuplot in PATH");
  Chart broken = example();
  broken.panels[1].series[0].y = 2;
  for (auto& row : broken.blocks[0].rows) row[2] = nan;
  Chart points{.panels = {{}}};
  points.blocks = {{.columns = {"x", "y"}, .rows = {{1, 2}, {3, 4}}}};
  points.panels[0].series = {{.colour = "#000000", .look = Look::hollow}};
  const std::vector<std::vector<std::string>> drawn =
      panel_svgs(std::vector<Chart>{example(), broken, points, example()});
  REQUIRE(drawn.size() == 4);
  CHECK(drawn[0].size() == 2);
  CHECK(drawn[1].size() < 2);
  CHECK(drawn[2].size() == 1);
  CHECK(drawn[3] == drawn[0]);
  for (const auto& panels : drawn)
    for (const std::string& svg : panels) {
      CHECK(is_well_formed(svg.substr(svg.find("<svg"))));
      CHECK(svg.ends_with("</svg>\n\n"));
    }
  CHECK(panel_svgs({}).empty());
  const TemporaryFolder folder;
  const PathOf empty(folder.path().string());
  CHECK(panel_svgs(std::vector<Chart>{example()}) == std::vector<std::vector<std::string>>(1));
}

Chart scatter(int log_base = 10) {
  Chart chart{.name = "cloud",
              .title = "it's a \"title\"",
              .x = {.label = "across"},
              .panels = {{.y = {.label = "up", .log_base = log_base}}},
              .legend = {{.name = "bound", .colour = guide_colour, .look = Look::hollow}}};
  add_points(chart, "one", {{1, 10}, {2, 0.5, false}, {-3, 7}});
  add_points(chart, "bare", {});
  add_points(chart, "two's", {{4, 1e-3, false}});
  return chart;
}

// The numbers of each block, blocks being two empty lines apart.
std::vector<std::vector<double>> blocks(const std::string& data) {
  std::vector<std::vector<double>> result(1);
  std::istringstream lines(data);
  int empty = 0;
  for (std::string line; std::getline(lines, line);) {
    empty = line.empty() ? empty + 1 : 0;
    if (empty == 2) result.emplace_back();
    if (line.empty() || line[0] == '#') continue;
    std::istringstream numbers(line);
    for (double value; numbers >> value;) result.back().push_back(value);
  }
  return result;
}

TEST_CASE("a scatter has a block of filled and one of hollow points for each series that has them") {
  const Figure figure = figure_of(scatter());
  CHECK(figure.name == "cloud");
  CHECK(blocks(figure.data) == std::vector<std::vector<double>>{{1, 10, -3, 7}, {2, 0.5}, {4, 1e-3}});
  CHECK(contains(figure.script, "set logscale y"));
  CHECK_FALSE(contains(figure.script, "set logscale x"));
  CHECK(contains(figure.script, "index 2 using 1:2 with points pointtype 6"));
  CHECK(contains(figure.script, "title 'two''s'"));
  CHECK_FALSE(contains(figure.script, "bare"));
  CHECK(contains(figure.script, "title 'bound'"));
}

TEST_CASE("a scatter has a colour for each series, filled and hollow") {
  const std::vector<ChartSeries> series = scatter().panels.front().series;
  REQUIRE(series.size() == 3);
  CHECK(series[0].colour == series[1].colour);
  CHECK(series[0].colour != series[2].colour);
}

TEST_CASE("a scatter with a diagonal has one range for both axes, which holds every point") {
  Chart chart = scatter(0);
  add_diagonal(chart);
  const std::string script = figure_of(chart).script;
  CHECK(contains(script, "plot x with lines"));
  double low = 0, high = 0;
  REQUIRE(std::sscanf(script.c_str() + script.find("set xrange"), "set xrange [%lf:%lf]", &low, &high) == 2);
  CHECK(low < -3);
  CHECK(high > 10);
  const std::string range = script.substr(script.find("set xrange") + 11, 8);
  CHECK(contains(script, "set yrange " + range));
}

TEST_CASE("a scatter without points, or with one that has no place, is refused") {
  Chart chart = scatter();
  CHECK(message_of<InputError>([&] {
          add_points(chart, "three", {{1, 2}, {1, 0}});
        }) == "cloud: three: found up 0, expected a positive number");
  chart = scatter(0);
  CHECK_NOTHROW(add_points(chart, "three", {{1, 0}}));
  CHECK(message_of<InputError>([&] {
          add_points(chart, "three", {{INFINITY, 0}});
        }) == "cloud: three: found across inf, expected a finite number");
  CHECK(message_of<InputError>([] { figure_of({.name = "cloud"}); }) ==
        "cloud: found nothing to draw, expected some points");
}

TEST_CASE("gnuplot draws a scatter as SVG and PNG") {
  const TemporaryFolder folder;
  Chart chart{.name = "cloud", .x = {.log_base = 10}, .panels = {{.y = {.log_base = 10}}}};
  add_points(chart, "one", {{1, 10}, {2, 0.5, false}});
  add_diagonal(chart);
  if (!write_figure(folder.path(), figure_of(chart))) return skip("gnuplot is not there");
  CHECK(std::filesystem::file_size(folder / "cloud.svg") > 1000);
  CHECK(std::filesystem::file_size(folder / "cloud.png") > 1000);
}

}  // namespace
}  // namespace normalign::tests

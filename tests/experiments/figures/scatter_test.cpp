#include "experiments/figures/scatter.hpp"

#include <sstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

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

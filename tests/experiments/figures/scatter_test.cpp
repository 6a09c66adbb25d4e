#include "experiments/figures/scatter.hpp"

#include <sstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

Scatter example() {
  return {.name = "cloud",
          .title = "it's a \"title\"",
          .x = {.label = "across"},
          .y = {.label = "up", .is_log = true},
          .series = {{.name = "one", .points = {{1, 10}, {2, 0.5, false}, {-3, 7}}},
                     {.name = "bare", .points = {}},
                     {.name = "two's", .points = {{4, 1e-3, false}}}},
          .hollow = "bound"};
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
  const Figure figure = scatter_figure(example());
  CHECK(figure.name == "cloud");
  CHECK(blocks(figure.data) == std::vector<std::vector<double>>{{1, 10, -3, 7}, {2, 0.5}, {4, 1e-3}});
  CHECK(contains(figure.script, "set logscale y"));
  CHECK_FALSE(contains(figure.script, "set logscale x"));
  CHECK(contains(figure.script, "index 2 using 1:2 with points pointtype 6"));
  CHECK(contains(figure.script, "title 'two''s'"));
  CHECK_FALSE(contains(figure.script, "bare"));
  CHECK(contains(figure.script, "title 'bound'"));
}

TEST_CASE("a scatter with a diagonal has one range for both axes, which holds every point") {
  Scatter scatter = example();
  scatter.diagonal = true;
  scatter.y.is_log = false;
  const std::string script = scatter_figure(scatter).script;
  CHECK(contains(script, "plot x with lines"));
  double low = 0, high = 0;
  REQUIRE(std::sscanf(script.c_str() + script.find("set xrange"), "set xrange [%lf:%lf]", &low, &high) == 2);
  CHECK(low < -3);
  CHECK(high > 10);
  const std::string range = script.substr(script.find("set xrange") + 11, 8);
  CHECK(contains(script, "set yrange " + range));
}

TEST_CASE("a scatter without points, or with one that has no place, is refused") {
  Scatter scatter = example();
  scatter.series[0].points.push_back({1, 0});
  CHECK(message_of<InputError>([&] { scatter_figure(scatter); }) ==
        "scatter: one: found up 0, expected a positive number");
  scatter.y.is_log = false;
  CHECK_NOTHROW(scatter_figure(scatter));
  scatter.series[0].points.push_back({INFINITY, 0});
  CHECK(message_of<InputError>([&] { scatter_figure(scatter); }) ==
        "scatter: one: found across inf, expected a finite number");
  scatter.series.clear();
  CHECK(message_of<InputError>([&] { scatter_figure(scatter); }) == "scatter: found no points, expected some");
}

TEST_CASE("gnuplot draws a scatter as SVG and PNG") {
  const TemporaryFolder folder;
  Scatter scatter = example();
  scatter.x.is_log = scatter.diagonal = true;
  scatter.series[0].points.pop_back();
  if (!write_figure(folder.path(), scatter_figure(scatter))) return skip("gnuplot is not there");
  CHECK(std::filesystem::file_size(folder / "cloud.svg") > 1000);
  CHECK(std::filesystem::file_size(folder / "cloud.png") > 1000);
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/report/charts.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/message_of.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

std::size_t count_of(const std::string& whole, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = whole.find(part); at != whole.npos; at = whole.find(part, at + 1)) ++count;
  return count;
}

TEST_CASE("curve_charts: a chart for each panel, a line for each condition and kind of points") {
  std::vector<RunLog> logs = example_logs();
  for (const RunLog& log : example_logs()) {
    logs.push_back(log);
    logs.back().condition = "<fast & odd>";
  }
  const std::vector<SettingRuns> settings = by_setting(logs);
  const std::string page = curve_charts(curves(settings, {"loss", "centroid_alignment", "absent"}).front()).text;
  CHECK(is_well_formed(page));
  CHECK(count_of(page, "<svg ") == 3);
  CHECK(count_of(page, "<polyline ") == 2 * 2 * 3);
  CHECK(count_of(page, "line dashed") == 2 * 3);
  CHECK(count_of(page, "<polygon ") == 2 * 5);  // the test loss is 0 in all runs: no band
  CHECK(contains(page, "&lt;fast &amp; odd&gt;"));
  CHECK(contains(page, "No finished run logged absent"));
  CHECK(curve_charts({.setting = "none"}).text.empty());
}

TEST_CASE("accuracy_sketch: a line for the training and one for the test points, within its frame") {
  const RunLog log = example_logs()[2];
  const std::string picture = accuracy_sketch(log).text;
  CHECK(is_well_formed(picture));
  CHECK(count_of(picture, "<polyline ") == 2);
  CHECK(contains(picture, "120,"));
  CHECK(accuracy_sketch(run_of("baseline", {row(0, 1, 1)})).text.empty());
  CHECK(is_well_formed(accuracy_sketch(run_of("baseline", {row(0, -5, 1e9), row(0, 50, 50)})).text));
}

TEST_CASE("scatter_chart: a mark for each point that has a place") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Scatter scatter{.title = "t",
                  .x = {.label = "<x>"},
                  .y = {.label = "y", .is_log = true},
                  .series = {{.name = "a", .points = {{1, 1}, {2, 10, false}, {3, 0}, {nan, 1}}}}};
  const std::string page = scatter_chart(scatter).text;
  CHECK(is_well_formed(page));
  CHECK(count_of(page, "<circle ") == 2);
  CHECK(count_of(page, "\"ring\"") == 1);
  scatter.series = {{.name = "a", .points = {{1, 0}}}};
  CHECK(scatter_chart(scatter).text.empty());
  scatter.series = {{.name = "a", .points = {{1, 5}}}};
  CHECK(is_well_formed(scatter_chart(scatter).text));
}

}  // namespace
}  // namespace normalign::tests

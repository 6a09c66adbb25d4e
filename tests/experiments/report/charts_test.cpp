#include "experiments/report/charts.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "experiments/figures/chart.hpp"
#include "experiments/results/curves.hpp"
#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/gnuplot.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

std::size_t count_of(const std::string& whole, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = whole.find(part); at != whole.npos; at = whole.find(part, at + 1)) ++count;
  return count;
}

Chart curves_of(const std::vector<RunLog>& logs, const std::vector<std::string>& metrics) {
  const std::vector<TaskRuns> tasks = by_task(logs);
  return curve_charts(tasks, metrics).front().chart;
}

Chart cloud() {
  Chart chart{.title = "t", .x = {.label = "<x>"}, .panels = {{.y = {.label = "y", .log_base = 10}}}};
  add_points(chart, "a", {{1, 1}, {2, 10, false}});
  return chart;
}

// The points of the line of this colour, in pixels.
std::vector<std::pair<double, double>> points_of(const std::string& page, const std::string& colour) {
  const std::size_t line = page.find("<path stroke=\"" + colour + "\""), begin = page.find(" d=\"", line) + 4;
  std::string path = page.substr(begin, page.find('"', begin) - begin);
  for (char& letter : path)
    if (letter == 'M' || letter == 'L' || letter == ',') letter = ' ';
  std::istringstream in(path);
  std::vector<std::pair<double, double>> result;
  for (std::pair<double, double> p; in >> p.first >> p.second;) result.push_back(p);
  return result;
}

double distance_to(const std::vector<std::pair<double, double>>& line, double x, double y) {
  double nearest = 1e9;
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const auto [ax, ay] = line[i];
    const double dx = line[i + 1].first - ax, dy = line[i + 1].second - ay, length = dx * dx + dy * dy;
    const double t = length > 0 ? std::clamp(((x - ax) * dx + (y - ay) * dy) / length, 0.0, 1.0) : 0;
    nearest = std::min(nearest, std::hypot(ax + t * dx - x, ay + t * dy - y));
  }
  return nearest;
}

TEST_CASE("chart_parts: a picture for each panel, a line for each condition and kind of points, one key") {
  if (!has_gnuplot()) return skip("charts of a page: no gnuplot in PATH");
  std::vector<RunLog> logs = example_logs();
  for (const RunLog& log : example_logs()) {
    logs.push_back(log);
    logs.back().condition = "<fast & odd>";
  }
  const std::vector<html::Markup> parts =
      chart_parts({{curves_of(logs, {"loss", "centroid_alignment"})}, {}, {cloud()}});
  REQUIRE(parts.size() == 3);
  for (const html::Markup& part : parts) CHECK(is_well_formed(part.text));
  const std::string& page = parts[0].text;
  CHECK(count_of(page, "<svg ") == 3);
  CHECK(count_of(page, "<polygon ") >= 2 * 2 * 3);  // gnuplot parts a band where its ends meet
  CHECK(count_of(page, "<path stroke=\"rgb(230, 159,   0)\"") == 2 * 3);
  CHECK(count_of(page, "<path stroke=\"currentColor\"") == 2 * 3);
  CHECK(count_of(page, "stroke-dasharray") == 2 * 2 * 3 / 2);
  CHECK(count_of(page, "</li>") == 4);
  CHECK(contains(page, "&lt;fast &amp; odd&gt;"));
  CHECK(contains(page, "aria-label=\"toy: accuracy (%) against epoch\""));
  for (const char* name : {" id=", "http", "href", "<table"}) CHECK_FALSE(contains(page, name));
  CHECK(parts[1].text.empty());
  CHECK(count_of(parts[2].text, "<circle ") == 2);
  CHECK(count_of(parts[2].text, "\"ring\"") == 1);
  CHECK_FALSE(contains(parts[2].text, "<ul"));  // one name needs no key
}

TEST_CASE("chart_parts: a line has few points and stays within a third of a pixel of all") {
  if (!has_gnuplot()) return skip("charts of a page: no gnuplot in PATH");
  Chart chart{
      .x = {.low = 0, .high = 1000},
      .blocks = {{.columns = {"x", "all", "ends"}}},
      .panels = {{.y = {.low = -2, .high = 2}, .series = {{.colour = "#0072B2"}, {.colour = "#D55E00", .y = 2}}}}};
  const auto value = [](int i) { return std::sin(i / 100.0) + (i == 500 ? 1 : 0); };
  for (int i = 0; i <= 1000; ++i)
    chart.blocks[0].rows.push_back({static_cast<double>(i), value(i), i == 0 ? -2 : i == 1000 ? 2 : std::nan("")});
  const std::string page = chart_parts({{chart}})[0].text;
  const auto kept = points_of(page, "rgb(  0, 114, 178)"), ends = points_of(page, "rgb(213,  94,   0)");
  CHECK(kept.size() < 150);
  REQUIRE(ends.size() == 2);
  double worst = 0;
  for (int i = 0; i <= 1000; ++i)
    worst = std::max(worst, distance_to(kept, ends[0].first + i / 1000.0 * (ends[1].first - ends[0].first),
                                        ends[0].second + (value(i) + 2) / 4 * (ends[1].second - ends[0].second)));
  CHECK(worst < 1.0 / 3 + 0.08);  // and the rounding to a hundredth
}

TEST_CASE("chart_parts: without gnuplot, and where it fails, tables have the numbers") {
  const Chart curves = curves_of(example_logs(), {"loss"});
  const TemporaryFolder folder;
  const PathOf own(folder.path().string());
  for (const bool is_there : {false, true}) {
    if (is_there) {
      write_file(folder / "gnuplot", "#!/bin/sh\necho '<svg'; exit 3\n");
      std::filesystem::permissions(folder / "gnuplot", std::filesystem::perms::owner_all);
    }
    const std::vector<html::Markup> parts = chart_parts({{curves}, {}});
    REQUIRE(parts.size() == 2);
    CHECK(is_well_formed(parts[0].text));
    for (const char* part : {"gnuplot, which draws charts, is missing or failed", "<caption>baseline</caption>",
                             "test acc median", "<td>45</td>"}) {
      CAPTURE(part);
      CHECK(contains(parts[0].text, part));
    }
    CHECK_FALSE(contains(parts[0].text, "<svg"));
    CHECK(parts[1].text.empty());
  }
}

}  // namespace
}  // namespace normalign::tests

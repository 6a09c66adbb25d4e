#include "experiments/results/curves.hpp"

#include <algorithm>

#include "support/catch.hpp"
#include "support/curve_logs.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("bands: median and range over runs that have ended too, worked by hand") {
  const std::vector<RunLog> logs = example_logs();
  const std::vector<const RunLog*> runs = {&logs[0], &logs[1], &logs[2]};
  CHECK(bands(runs, "train_acc") == std::vector<Band>{{.epoch = 0, .median = 52, .lowest = 50, .highest = 57},
                                                      {.epoch = 10, .median = 60, .lowest = 50, .highest = 70},
                                                      {.epoch = 20, .median = 60, .lowest = 50, .highest = 80},
                                                      {.epoch = 30, .median = 80, .lowest = 60, .highest = 100}});
  // One run has the metric from the start, one from epoch 10 on, one at epoch 30 alone.
  CHECK(bands(runs, "centroid_alignment") ==
        std::vector<Band>{{.epoch = 0, .median = 0.25, .lowest = 0.25, .highest = 0.25},
                          {.epoch = 10, .median = 0.375, .lowest = 0.25, .highest = 0.5},
                          {.epoch = 20, .median = 0.625, .lowest = 0.5, .highest = 0.75},
                          {.epoch = 30, .median = 0.5, .lowest = 0.125, .highest = 0.75}});
  CHECK(bands(runs, "unknown") == std::vector<Band>{{.epoch = 0}, {.epoch = 10}, {.epoch = 20}, {.epoch = 30}});
  CHECK(bands({}, "train_acc").empty());
}

TEST_CASE("bands: the order of runs and rows does not matter") {
  std::vector<RunLog> logs = example_logs();
  const std::vector<Band> expected = bands(std::vector<const RunLog*>{&logs[0], &logs[1], &logs[2]}, "test_acc");
  for (RunLog& log : logs) std::reverse(log.metrics.begin(), log.metrics.end());
  CHECK(bands(std::vector<const RunLog*>{&logs[2], &logs[0], &logs[1]}, "test_acc") == expected);
}

TEST_CASE("curve_charts: panels, their series and the conditions that have runs to show") {
  std::vector<RunLog> logs = example_logs();
  logs.push_back(run_of("broken", {row(0, 1, 1)}));
  logs.back().status = RunStatus::failed;
  logs.push_back(run_of("grokalign", {row(0, 5, 5)}, "other"));
  const std::vector<TaskRuns> tasks = by_task(logs);
  const std::vector<CurveChart> found = curve_charts(tasks, {"test_loss", "centroid_alignment", "absent"});
  REQUIRE(found.size() == 2);
  const Chart &other = found[0].chart, &toy = found[1].chart;
  CHECK(other.title == "other");
  CHECK(toy.title == "toy");
  REQUIRE(toy.blocks.size() == 1);
  CHECK(toy.blocks[0].name == "baseline");
  CHECK(toy.blocks[0].rows.front()[1] == 3);  // runs
  CHECK(found[1].missing == std::vector<std::string>{"absent"});
  CHECK(found[1].logged == std::set<std::string>{"acc", "centroid_alignment", "loss", "opt_time"});
  REQUIRE(toy.panels.size() == 3);
  const std::vector<std::vector<std::string>> expected = {
      {"train_acc", "test_acc"}, {"train_loss", "test_loss"}, {"centroid_alignment", "test_centroid_alignment"}};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK_FALSE(toy.panels[i].level);
    REQUIRE(toy.panels[i].series.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) {
      const ChartSeries& series = toy.panels[i].series[k];
      CHECK(toy.blocks[0].columns[series.y] == expected[i][k] + "_median");
      CHECK(toy.blocks[0].columns[series.lowest] == expected[i][k] + "_lowest");
      CHECK(toy.blocks[0].columns[series.highest] == expected[i][k] + "_highest");
      CHECK(series.look == (k == 1 ? Look::solid : Look::dashed));
      CHECK(series.name == (k == 1 ? "baseline" : ""));
    }
  }
  CHECK(other.panels[0].series[0].colour != toy.panels[0].series[0].colour);
  CHECK(curve_charts(by_task({}), {}).empty());
}

TEST_CASE("curve_charts: a loss of more than two powers of ten is logarithmic, a level is that of chance") {
  std::vector<RunLog> logs = {run_of("baseline", {row(0, 50, 40, 0.5), row(10, 60, 45, 0.5)})};
  for (MetricRow& of_epoch : logs[0].metrics) of_epoch.train_loss = of_epoch.test_loss = of_epoch.epoch ? 1e-3 : 0.05;
  logs[0].metrics[0].extras.emplace_back("chance_alignment", 0.125);
  const auto panel = [&](std::size_t i) {
    return curve_charts(by_task(logs), {"loss", "centroid_alignment"})[0].chart.panels.at(i);
  };
  CHECK(panel(1).y.log_base == 0);
  CHECK_FALSE(panel(1).level);
  CHECK(panel(2).level == 0.125);
  logs[0].metrics[1].test_loss = 1e-4;
  CHECK(panel(1).y.log_base == 10);
  logs[0].metrics[1].test_loss = 0;
  CHECK(panel(1).y.log_base == 0);
}

}  // namespace
}  // namespace normalign::tests

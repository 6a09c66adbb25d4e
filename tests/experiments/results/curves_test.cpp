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

TEST_CASE("curves: panels, their series and the conditions that have runs to show") {
  std::vector<RunLog> logs = example_logs();
  logs.push_back(run_of("broken", {row(0, 1, 1)}));
  logs.back().status = RunStatus::failed;
  logs.push_back(run_of("grokalign", {row(0, 5, 5)}, "other"));
  const std::vector<SettingRuns> settings = by_setting(logs);
  const std::vector<SettingCurves> found = curves(settings, {"test_loss", "centroid_alignment", "absent"});
  REQUIRE(found.size() == 2);
  CHECK(found[0].setting == "other");
  CHECK(found[1].setting == "toy");
  REQUIRE(found[1].conditions.size() == 1);
  CHECK(found[1].conditions[0].runs.size() == 3);
  CHECK(found[1].missing == std::vector<std::string>{"absent"});
  CHECK_FALSE(found[1].chance);
  REQUIRE(found[1].panels.size() == 3);
  const std::vector<std::vector<std::string>> expected = {
      {"train_acc", "test_acc"}, {"train_loss", "test_loss"}, {"centroid_alignment", "test_centroid_alignment"}};
  std::size_t number = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    REQUIRE(found[1].panels[i].series.size() == 2);
    for (std::size_t k = 0; k < 2; ++k) {
      const CurveSeries& series = found[1].panels[i].series[k];
      CHECK(series.metric == expected[i][k]);
      CHECK(series.is_solid == (k == 1));
      CHECK(series.number == number++);
    }
    CHECK(found[1].panels[i].is_alignment == (i == 2));
  }
  CHECK(found[0].conditions[0].colour != found[1].conditions[0].colour);
}

}  // namespace
}  // namespace normalign::tests

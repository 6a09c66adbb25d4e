#include "experiments/tabular/plot.hpp"

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("tabular plot: a picture for each figure, a dot for each data set with both methods") {
  std::vector<TabularLog> logs = {tabular_log("a", 1, {81.5}), tabular_log("a", 0, {62.25}), tabular_log("b", 1, {40}),
                                  tabular_log("c", 1, {10}), tabular_log("c", 0, {20})};
  const TabularSummary summary = summarise(logs);
  const Plot pictures = tabular_plot(summary);
  REQUIRE(pictures.figures.size() == summary.metrics.size());
  CHECK(pictures.figures[0].name == "published_test_acc");
  CHECK(contains(pictures.figures[0].data, "81.5  62.25\n"));
  CHECK(contains(pictures.figures[0].data, "10.0   20.0\n"));
  CHECK_FALSE(contains(pictures.figures[0].data, "40"));
  CHECK(contains(pictures.figures[0].script, "RFAM"));
  logs[1].status = logs[4].status = RunStatus::failed;
  CHECK(contains(message_of([&] { tabular_plot(summarise(logs)); }), "found no data set with finished runs"));
}

}  // namespace
}  // namespace normalign::tests

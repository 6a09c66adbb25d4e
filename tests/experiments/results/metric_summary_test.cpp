#include "experiments/results/metric_summary.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

RunLog run_with(const std::string& condition, std::vector<double> values, RunStatus status = RunStatus::finished) {
  RunLog log{.run_name = "t_" + condition, .condition = condition, .config = {{"task", "t"}}, .status = status};
  for (double value : values) {
    MetricRow row{.epoch = static_cast<Index>(log.metrics.size())};
    if (!std::isnan(value)) row.extras.emplace_back("m_x", value);
    log.metrics.push_back(row);
  }
  return log;
}

TEST_CASE("start, end and extremes are means over the finished runs of a condition") {
  const std::vector<RunLog> logs = {run_with("b", {1, 7, 4}), run_with("b", {3, -1, 8, 6}), run_with("a", {2}),
                                    run_with("b", {100}, RunStatus::failed), run_with("c", {NAN, 5})};
  const auto table = summarise_metrics(logs, {"m_x", "train_acc"});
  REQUIRE(table.size() == 6);
  const MetricSummary& a = table[0];
  const MetricSummary& b = table[1];
  const MetricSummary& c = table[2];
  CHECK(b.task == "t");
  CHECK(b.condition == "b");
  CHECK(b.metric == "m_x");
  CHECK(b.runs == 2);
  CHECK(b.start == 2.0);
  CHECK(b.end == 5.0);
  CHECK_THAT(*b.end_deviation, WithinRel(std::sqrt(2.0), 1e-14));
  CHECK(b.lowest == 0.0);
  CHECK(b.highest == 7.5);
  CHECK(a.end == 2.0);
  CHECK_FALSE(a.end_deviation);
  CHECK_FALSE(c.start);
  CHECK(c.end == 5.0);
  CHECK(table[3].metric == "train_acc");
  CHECK(table[3].end == 0.0);

  const std::string words = as_text(tables(table)), csv = as_csv(tables(table)), latex = as_latex(tables(table));
  CHECK(words.starts_with("t\ncondition  runs  start  end  end_std  lowest  highest\nm_x\na "));
  CHECK(contains(words, "\nb             2      2    5    1.414       0      7.5\n"));
  CHECK(contains(words, "\ntrain_acc\na "));
  CHECK(contains(csv, "setting,metric,condition,runs,start,end,end_std,lowest,highest\n"));
  CHECK(contains(csv, "t,m_x,a,1,2.0,2.0,,2.0,2.0\n"));
  CHECK(contains(latex, "m\\_x"));
  CHECK(as_json(tables(table))["metrics"][1]["end"] == 5.0);
  CHECK(as_json(tables(table))["metrics"][2]["start"].is_null());
}

TEST_CASE("a metric that no run has is refused, and those there are are listed") {
  const std::vector<RunLog> logs = {run_with("b", {1})};
  CHECK(message_of([&] { summarise_metrics(logs, {"y"}); }) ==
        "metric: found 'y', expected one of train_acc, test_acc, train_loss, test_loss, opt_time, m_x");
  CHECK(message_of([&] { summarise_metrics(logs, {"tets_acc"}); }).ends_with("m_x; did you mean test_acc?"));
}

}  // namespace
}  // namespace normalign::tests

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
  const TableSet table = metric_tables(logs, {"m_x", "train_acc"});
  const nlohmann::json json = nlohmann::json::parse(as_json(table).dump()).at("metrics");
  REQUIRE(json.size() == 6);
  const nlohmann::json &a = json[0], &b = json[1], &c = json[2];
  CHECK(b.at("setting") == "t");
  CHECK(b.at("condition") == "b");
  CHECK(b.at("metric") == "m_x");
  CHECK(b.at("runs") == 2);
  CHECK(b.at("start") == 2.0);
  CHECK(b.at("end") == 5.0);
  CHECK_THAT(b.at("end_std").get<double>(), WithinRel(std::sqrt(2.0), 1e-14));
  CHECK(b.at("lowest") == 0.0);
  CHECK(b.at("highest") == 7.5);
  CHECK(a.at("end") == 2.0);
  CHECK(a.at("end_std").is_null());
  CHECK(c.at("start").is_null());
  CHECK(c.at("end") == 5.0);
  CHECK(json[3].at("metric") == "train_acc");
  CHECK(json[3].at("end") == 0.0);

  const std::string words = as_text(table), csv = as_csv(table), latex = as_latex(table);
  CHECK(words.starts_with("t\ncondition  runs  start  end  end_std  lowest  highest\nm_x\na "));
  CHECK(contains(words, "\nb             2      2    5    1.414       0      7.5\n"));
  CHECK(contains(words, "\ntrain_acc\na "));
  CHECK(contains(csv, "setting,metric,condition,runs,start,end,end_std,lowest,highest\n"));
  CHECK(contains(csv, "t,m_x,a,1,2.0,2.0,,2.0,2.0\n"));
  CHECK(contains(latex, "m\\_x"));
}

TEST_CASE("a metric that no run has is refused, and those there are are listed") {
  const std::vector<RunLog> logs = {run_with("b", {1})};
  CHECK(message_of([&] { metric_tables(logs, {"y"}); }) ==
        "metric: found 'y', expected one of train_acc, test_acc, train_loss, test_loss, opt_time, m_x");
  CHECK(message_of([&] { metric_tables(logs, {"tets_acc"}); }).ends_with("m_x; did you mean test_acc?"));
}

}  // namespace
}  // namespace normalign::tests

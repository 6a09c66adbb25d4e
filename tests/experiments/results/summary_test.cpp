#include "experiments/results/summary.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/figures/table_json.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;
using Catch::Matchers::Contains;

MetricRow row_at(Index epoch, double opt_time) { return {.epoch = epoch, .opt_time = opt_time}; }

// A finished run of task "toy" that grokked at `epoch` after `seconds`, the row before it at half of both.
RunLog grokked_run(const std::string& condition, Index epoch, double seconds) {
  RunLog log{.run_name = "toy_" + condition, .condition = condition};
  log.config = {{"task", "toy"}};
  log.status = RunStatus::finished;
  log.grokked = true;
  log.grokking_epoch = epoch;
  log.metrics = {row_at(0, 0), row_at(epoch / 2, seconds / 2), row_at(epoch, seconds)};
  return log;
}

RunLog run_without_grokking(const std::string& condition, RunStatus status, const std::string& name = "other") {
  RunLog log = grokked_run(condition, 1000, 99);
  log.run_name = name;
  log.status = status;
  log.grokked = false;
  log.grokking_epoch.reset();
  log.metrics.back().train_acc = 98;
  log.metrics.back().test_acc = 51;
  return log;
}

std::vector<RunLog> grokked_logs() {
  return {grokked_run("grokalign", 10, 2),
          grokked_run("baseline", 100, 1),
          grokked_run("baseline", 200, 2),
          grokked_run("grokalign", 20, 4),
          grokked_run("baseline", 600, 6),
          run_without_grokking("grokalign", RunStatus::finished),
          run_without_grokking("a_last", RunStatus::running, "killed_run"),
          run_without_grokking("a_last", RunStatus::failed, "nan_run")};
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(line + separator);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

TEST_CASE("summary: a case worked by hand") {
  const auto summary = summarise(grokked_logs());
  REQUIRE(summary.size() == 1);
  CHECK(summary[0].task == "toy");
  REQUIRE(summary[0].conditions.size() == 3);

  const ConditionSummary& baseline = summary[0].conditions[0];
  CHECK(baseline.condition == "baseline");
  CHECK(baseline.runs == 3);
  CHECK(baseline.grokked == 3);
  CHECK(baseline.epochs.mean == 300);
  CHECK_THAT(baseline.epochs.standard_deviation.value(), WithinRel(std::sqrt(70000.0), 1e-14));
  CHECK(baseline.epochs.median == 200);
  CHECK(baseline.seconds.mean == 3);
  CHECK(baseline.seconds.median == 2);
  CHECK(baseline.epochs_ratio == 1);
  CHECK(baseline.seconds_ratio == 1);
  CHECK_FALSE(baseline.epochs_test.has_value());

  const ConditionSummary& grokalign = summary[0].conditions[2];
  CHECK(grokalign.condition == "grokalign");
  CHECK(grokalign.runs == 3);
  CHECK(grokalign.grokked == 2);
  CHECK(grokalign.epochs.mean == 15);
  CHECK(grokalign.epochs.median == 15);
  CHECK(grokalign.seconds.mean == 3);
  CHECK(grokalign.epochs_ratio == 20);
  CHECK(grokalign.seconds_ratio == 1);
  REQUIRE(grokalign.epochs_test);
  // Variances 70000 over 3 runs and 50 over 2.
  CHECK_THAT(grokalign.epochs_test->t, WithinRel(285 / std::sqrt(70000.0 / 3 + 25), 1e-13));
}

TEST_CASE("summary: unfinished and failed runs count as runs, not as grokked, and are named") {
  // A log that says so of itself is not believed before the run has finished.
  RunLog odd = grokked_run("a_last", 5, 1);
  odd.status = RunStatus::running;
  odd.run_name = "early_run";
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(odd);
  const auto summary = summarise(logs);
  const ConditionSummary& row = summary[0].conditions[1];
  CHECK(row.condition == "a_last");
  CHECK(row.runs == 3);
  CHECK(row.grokked == 0);
  CHECK_FALSE(row.epochs.mean.has_value());
  CHECK_FALSE(row.epochs_ratio.has_value());
  CHECK_FALSE(row.epochs_test.has_value());
  CHECK(summary[0].unfinished == std::vector<std::string>{"killed_run", "early_run"});
  CHECK(summary[0].failed == std::vector<std::string>{"nan_run"});
  CHECK_THAT(as_text(tables(summary)),
             Contains("2 runs unfinished: killed_run, early_run\n") && Contains("1 run failed: nan_run\n"));
}

TEST_CASE("summary: one run has a mean and a ratio, no spread and no test") {
  const auto summary = summarise({grokked_run("baseline", 100, 1), grokked_run("slow", 400, 2)});
  const ConditionSummary& row = summary[0].conditions[1];
  CHECK(row.epochs.mean == 400);
  CHECK(row.epochs.median == 400);
  CHECK_FALSE(row.epochs.standard_deviation.has_value());
  CHECK(row.epochs_ratio == 0.25);
  CHECK(row.seconds_ratio == 0.5);
  CHECK_FALSE(row.epochs_test.has_value());
}

TEST_CASE("summary: without a baseline, or one that groks, there is nothing to compare with") {
  const auto alone = summarise({grokked_run("a", 100, 1), grokked_run("a", 200, 1)});
  CHECK(alone[0].conditions[0].epochs.mean == 150);
  CHECK_FALSE(alone[0].conditions[0].epochs_ratio.has_value());
  CHECK_FALSE(alone[0].conditions[0].epochs_test.has_value());

  const auto never = summarise({run_without_grokking("baseline", RunStatus::finished), grokked_run("a", 100, 1)});
  CHECK(never[0].conditions[0].condition == "baseline");
  CHECK_FALSE(never[0].conditions[0].epochs_ratio.has_value());
  CHECK_FALSE(never[0].conditions[1].epochs_ratio.has_value());
}

TEST_CASE("summary: an epoch or a time of zero gives no ratio") {
  const auto summary = summarise({grokked_run("baseline", 100, 1), grokked_run("a", 0, 0)});
  CHECK(summary[0].conditions[1].epochs.mean == 0);
  CHECK_FALSE(summary[0].conditions[1].epochs_ratio.has_value());
  CHECK_FALSE(summary[0].conditions[1].seconds_ratio.has_value());
}

TEST_CASE("summary: a run without the row of its grokking epoch is left out of the seconds and named") {
  RunLog log = grokked_run("baseline", 100, 1);
  log.run_name = "sparse_log";
  log.metrics.pop_back();
  const auto summary = summarise({log, grokked_run("baseline", 300, 7)});
  CHECK(summary[0].conditions[0].grokked == 2);
  CHECK(summary[0].conditions[0].epochs.mean == 200);
  CHECK(summary[0].conditions[0].seconds.mean == 7);
  CHECK(summary[0].untimed == std::vector<std::string>{"sparse_log"});
}

TEST_CASE("summary: settings by name, baseline before the others, whatever the order of the logs") {
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(grokked_run("zeta", 1, 1));
  logs.push_back(grokked_run("Alpha", 1, 1));
  logs.back().config["task"] = "another";
  const std::string csv = as_csv(tables(summarise(logs)));
  std::reverse(logs.begin(), logs.end());
  CHECK(as_csv(tables(summarise(logs))) == csv);
  const auto summary = summarise(logs);
  REQUIRE(summary.size() == 2);
  CHECK(summary[0].task == "another");
  std::vector<std::string> order;
  for (const ConditionSummary& row : summary[1].conditions) order.push_back(row.condition);
  CHECK(order == std::vector<std::string>{"baseline", "a_last", "grokalign", "zeta"});
}

TEST_CASE("summary: text, with a dash where undefined") {
  const std::vector<std::string> lines = split(as_text(tables(summarise(grokked_logs()))), '\n');
  REQUIRE(lines.size() > 7);
  const auto words = [](const std::string& line) {
    std::istringstream in(line);
    return std::vector<std::string>{std::istream_iterator<std::string>(in), {}};
  };
  using Words = std::vector<std::string>;
  CHECK(lines[0] == "toy");
  CHECK(words(lines[2]) ==
        Words{"baseline", "3", "3/3", "300", "264.6", "200", "3", "2", "1.00", "1.00", "-", "-", "-", "-"});
  CHECK(words(lines[3]) == Words{"a_last", "2", "0/2", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"});
  const Words grokalign = words(lines[4]);
  REQUIRE(grokalign.size() == 14);
  CHECK(Words(grokalign.begin(), grokalign.begin() + 10) ==
        Words{"grokalign", "3", "2/3", "15", "7.071", "15", "3", "3", "20.00", "1.00"});
  CHECK(Words(grokalign.begin() + 11, grokalign.end()) == Words{"1000", "98", "51"});
  CHECK(lines[1].size() == lines[2].size());
  CHECK(lines[1].size() == lines[4].size());
}

TEST_CASE("summary: runs that did not grok show where they ended, and where all grokked the table is without that") {
  std::vector<RunLog> logs = {run_without_grokking("baseline", RunStatus::finished, "a"),
                              run_without_grokking("baseline", RunStatus::finished, "b")};
  logs[1].metrics.back() = {.epoch = 3000, .train_acc = 100, .test_acc = 60};
  logs.push_back(grokked_run("fast", 10, 1));
  const auto summary = summarise(logs);
  CHECK(summary[0].conditions[0].last_epoch == 2000);
  CHECK(summary[0].conditions[0].last_train_acc == 99);
  CHECK(summary[0].conditions[0].last_test_acc == 55.5);
  CHECK_FALSE(summary[0].conditions[1].last_epoch);
  const std::vector<std::string> lines = split(as_text(tables(summary)), '\n');
  CHECK_THAT(lines[1], Contains("not grokked: epoch  train %  test %"));
  CHECK_THAT(lines[2], Contains("2000       99    55.5"));
  CHECK_THAT(as_text(tables(summary)), Contains("not grokked: last epoch"));
  const Json json = as_json(tables(summary))["settings"][0]["conditions"][0];
  CHECK(json["not_grokked_last_epoch"] == 2000);
  CHECK(json["not_grokked_train_acc"] == 99);
  CHECK(json["not_grokked_test_acc"] == 55.5);
  CHECK_THAT(as_latex(tables(summary)),
             Contains("\\multicolumn{3}{c}{not grokked}") && Contains("& 2000 & 99 & 55.5 "));

  const auto grokked = summarise({grokked_run("baseline", 10, 1)});
  CHECK_THAT(as_text(tables(grokked)), !Contains("not grokked"));
  CHECK_THAT(as_latex(tables(grokked)), !Contains("not grokked"));
}

TEST_CASE("summary: CSV and JSON tell the same, to the last digit, and as the text does") {
  const auto summary = summarise(grokked_logs());
  const std::vector<std::string> lines = split(as_csv(tables(summary)), '\n');
  const std::vector<std::string> names = split(lines.at(0), ',');
  const Json conditions = as_json(tables(summary))["settings"][0]["conditions"];
  REQUIRE(conditions.size() == 3);
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const std::vector<std::string> fields = split(lines.at(i + 1), ',');
    REQUIRE(fields.size() == names.size());
    CHECK(fields[0] == "toy");
    CHECK(fields[1] == conditions[i]["condition"]);
    for (std::size_t j = 2; j < names.size(); ++j) {
      CAPTURE(names[j]);
      const Json value = conditions[i].at(names[j]);
      CHECK(fields[j] == (value.is_null() ? "" : value.dump()));
    }
  }
  CHECK(conditions[0]["epochs_mean"] == summary[0].conditions[0].epochs.mean.value());
  CHECK(conditions[2]["welch_p_two_sided"] == summary[0].conditions[2].epochs_test->p_two_sided);
  CHECK(conditions[1]["epochs_mean"].is_null());
  CHECK(as_json(tables(summary))["settings"][0]["failed"] == Json{"nan_run"});
}

TEST_CASE("summary: CSV quotes what would break a field") {
  const std::string csv = as_csv(tables(summarise({grokked_run("a, \"b\"", 1, 1)})));
  CHECK_THAT(csv, Contains("toy,\"a, \"\"b\"\"\",1,1,"));
}

TEST_CASE("summary: LaTeX escapes names and has as many cells in each row") {
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(grokked_run("50% & $x_1$ {#} ~^\\", 1, 1));
  const std::string latex = as_latex(tables(summarise(logs)));
  CHECK_THAT(latex, Contains("a\\_last & 2 & 0/2 & - & "));
  CHECK_THAT(latex,
             Contains("50\\% \\& \\$x\\_1\\$ \\{\\#\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{} & "));
  CHECK_THAT(latex, Contains("\\toprule") && Contains("\\midrule") && Contains("\\bottomrule"));
  CHECK_THAT(latex, Contains("1 run unfinished: killed\\_run"));
  for (const std::string& line : split(latex, '\n'))
    if (line.starts_with("baseline &") || line.starts_with("grokalign &") || line.starts_with("condition &"))
      CHECK(std::count(line.begin(), line.end(), '&') == 13);
}

TEST_CASE("summary: small p in LaTeX are powers of ten") {
  std::vector<RunLog> logs;
  for (Index i = 0; i < 9; ++i) {
    logs.push_back(grokked_run("baseline", 100000 + i, 1));
    logs.push_back(grokked_run("fast", 10 + i, 1));
  }
  const auto summary = summarise(logs);
  CHECK_THAT(as_text(tables(summary)), Contains("100004 "));
  CHECK_THAT(as_latex(tables(summary)), Contains("\\cdot10^{-"));
  CHECK_THAT(as_latex(tables(summary)), !Contains("e-"));
}

TEST_CASE("summary: of nothing there is a table without rows") {
  CHECK(as_json(tables(summarise({})))["settings"].empty());
  CHECK(split(as_csv(tables(std::span<const TaskSummary>())), '\n').size() == 2);
}

}  // namespace
}  // namespace normalign::tests

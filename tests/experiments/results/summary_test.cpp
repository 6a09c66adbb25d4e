#include "experiments/results/summary.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/figures/statistics.hpp"
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

TableSet grokking_of(const std::vector<RunLog>& logs) { return grokking_tables(by_task(logs)); }

// The tables of the tasks of some logs.
Json tasks_in(const std::vector<RunLog>& logs) { return as_json(grokking_of(logs)).at("settings"); }

TEST_CASE("summary: the conditions of an architecture are compared with the baseline of the same one") {
  std::vector<RunLog> logs;
  const auto add = [&](const std::string& condition, int width, Index epoch) {
    logs.push_back(grokked_run(condition, epoch, static_cast<double>(epoch)));
    logs.back().config.update({{"task_grid", "hidden"}, {"hidden", {width}}});
  };
  for (const auto& [width, baseline] : {std::pair(8, 100), {16, 300}}) {
    add("baseline", width, baseline);
    add("grokalign", width, 50);
  }
  const Json found = tasks_in(logs);
  REQUIRE(found.size() == 2);
  CHECK(found[0]["setting"] == "toy hidden 8");
  CHECK(found[1]["setting"] == "toy hidden 16");
  CHECK(found[0]["conditions"][1]["epochs_ratio"] == 2);
  CHECK(found[1]["conditions"][1]["epochs_ratio"] == 6);
  CHECK(found[1]["conditions"][1]["seconds_ratio"] == 6);
}

TEST_CASE("summary: a case worked by hand") {
  const Json summary = tasks_in(grokked_logs());
  REQUIRE(summary.size() == 1);
  CHECK(summary[0]["setting"] == "toy");
  REQUIRE(summary[0]["conditions"].size() == 3);

  const Json baseline = summary[0]["conditions"][0];
  CHECK(baseline["condition"] == "baseline");
  CHECK(baseline["runs"] == 3);
  CHECK(baseline["grokked"] == 3);
  CHECK(baseline["epochs_mean"] == 300);
  CHECK_THAT(baseline["epochs_std"].get<double>(), WithinRel(std::sqrt(70000.0), 1e-14));
  CHECK(baseline["epochs_median"] == 200);
  CHECK(baseline["seconds_mean"] == 3);
  CHECK(baseline["seconds_median"] == 2);
  CHECK(baseline["epochs_ratio"] == 1);
  CHECK(baseline["seconds_ratio"] == 1);
  CHECK(baseline["welch_t"].is_null());

  const Json grokalign = summary[0]["conditions"][2];
  CHECK(grokalign["condition"] == "grokalign");
  CHECK(grokalign["runs"] == 3);
  CHECK(grokalign["grokked"] == 2);
  CHECK(grokalign["epochs_mean"] == 15);
  CHECK(grokalign["epochs_median"] == 15);
  CHECK(grokalign["seconds_mean"] == 3);
  CHECK(grokalign["epochs_ratio"] == 20);
  CHECK(grokalign["seconds_ratio"] == 1);
  // Variances 70000 over 3 runs and 50 over 2.
  CHECK_THAT(grokalign["welch_t"].get<double>(), WithinRel(285 / std::sqrt(70000.0 / 3 + 25), 1e-13));
}

TEST_CASE("summary: unfinished and failed runs count as runs, not as grokked, and are named") {
  // A log that says so of itself is not believed before the run has finished.
  RunLog odd = grokked_run("a_last", 5, 1);
  odd.status = RunStatus::running;
  odd.run_name = "early_run";
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(odd);
  const TableSet tables = grokking_of(logs);
  const Json task = as_json(tables)["settings"][0], row = task["conditions"][1];
  CHECK(row["condition"] == "a_last");
  CHECK(row["runs"] == 3);
  CHECK(row["grokked"] == 0);
  CHECK(row["epochs_mean"].is_null());
  CHECK(row["epochs_ratio"].is_null());
  CHECK(row["welch_t"].is_null());
  CHECK(task["unfinished"] == Json{"killed_run", "early_run"});
  CHECK(task["failed"] == Json{"nan_run"});
  CHECK_THAT(as_text(tables),
             Contains("2 runs unfinished: killed_run, early_run\n") && Contains("1 run failed: nan_run\n"));
}

TEST_CASE("summary: the Mann-Whitney test ranks finished runs that did not grok last") {
  std::vector<RunLog> logs = grokked_logs();
  const auto row = [&](const std::string& condition) {
    const Json task = tasks_in(logs)[0];
    for (const Json& found : task["conditions"])
      if (found["condition"] == condition) return found;
    throw std::runtime_error("no such condition");
  };
  // Ranks of 10, 20, 100, 200, 600 and a run that never grokked: the baseline has 3, 4 and 5. Of the 20 ways to choose
  // three ranks, 14 are as far from even.
  CHECK(row("grokalign")["mann_whitney_u"] == 6);
  CHECK_THAT(row("grokalign")["mann_whitney_p_two_sided"].get<double>(), WithinRel(0.7, 1e-14));
  CHECK(row("baseline")["mann_whitney_p_two_sided"].is_null());
  CHECK(row("a_last")["mann_whitney_p_two_sided"].is_null());  // one killed and one failed run
  // Where they ended says nothing.
  const Json before = row("grokalign");
  for (RunLog& log : logs)
    if (!log.grokked) log.metrics.back().epoch = 15;
  CHECK(row("grokalign")["mann_whitney_u"] == before["mann_whitney_u"]);
  // A condition of which no run groks has a test, and Welch's is undefined.
  for (int i = 0; i < 3; ++i) logs.push_back(run_without_grokking("never", RunStatus::finished));
  CHECK(row("never")["welch_p_two_sided"].is_null());
  CHECK(row("never")["mann_whitney_u"] == 0);
  CHECK_THAT(row("never")["mann_whitney_p_two_sided"].get<double>(), WithinRel(2.0 / 20, 1e-14));
  // Nothing tells conditions apart of which no run groks.
  for (RunLog& log : logs) {
    log.grokked = false;
    log.grokking_epoch.reset();
  }
  CHECK(row("never")["mann_whitney_p_two_sided"] == 1);
}

TEST_CASE("summary: every form has epochs, seconds, both ratios and both p") {
  const TableSet tables = grokking_of(grokked_logs());
  CHECK_THAT(split(as_text(tables), '\n').at(1), Contains("epochs: mean") && Contains("seconds: mean") &&
                                                     Contains("ratio: epochs  seconds") &&
                                                     Contains("p: Welch  Mann-Whitney"));
  for (const char* name : {"epochs_mean", "seconds_mean", "epochs_ratio", "seconds_ratio", "welch_p_two_sided",
                           "mann_whitney_p_two_sided"}) {
    CAPTURE(name);
    CHECK_THAT(as_csv(tables), Contains(name));
    CHECK(as_json(tables)["settings"][0]["conditions"][0].contains(name));
  }
  CHECK_THAT(as_latex(tables), Contains("{grokking epoch}") && Contains("{seconds}") &&
                                   Contains("epochs & seconds & Welch & Mann-Whitney & epoch"));
  CHECK_THAT(as_text(tables), Contains("a finished run that did not grok ranks last"));
}

TEST_CASE("summary: one run has a mean and a ratio, no spread and no test") {
  const Json row = tasks_in({grokked_run("baseline", 100, 1), grokked_run("slow", 400, 2)})[0]["conditions"][1];
  CHECK(row["epochs_mean"] == 400);
  CHECK(row["epochs_median"] == 400);
  CHECK(row["epochs_std"].is_null());
  CHECK(row["epochs_ratio"] == 0.25);
  CHECK(row["seconds_ratio"] == 0.5);
  CHECK(row["welch_t"].is_null());
}

TEST_CASE("summary: without a baseline, or one that groks, there is nothing to compare with") {
  const Json alone = tasks_in({grokked_run("a", 100, 1), grokked_run("a", 200, 1)});
  CHECK(alone[0]["conditions"][0]["epochs_mean"] == 150);
  CHECK(alone[0]["conditions"][0]["epochs_ratio"].is_null());
  CHECK(alone[0]["conditions"][0]["welch_t"].is_null());

  const Json never = tasks_in({run_without_grokking("baseline", RunStatus::finished), grokked_run("a", 100, 1)});
  CHECK(never[0]["conditions"][0]["condition"] == "baseline");
  CHECK(never[0]["conditions"][0]["epochs_ratio"].is_null());
  CHECK(never[0]["conditions"][1]["epochs_ratio"].is_null());
}

TEST_CASE("summary: an epoch or a time of zero gives no ratio") {
  const Json summary = tasks_in({grokked_run("baseline", 100, 1), grokked_run("a", 0, 0)});
  CHECK(summary[0]["conditions"][1]["epochs_mean"] == 0);
  CHECK(summary[0]["conditions"][1]["epochs_ratio"].is_null());
  CHECK(summary[0]["conditions"][1]["seconds_ratio"].is_null());
}

TEST_CASE("summary: a run without the row of its grokking epoch is left out of the seconds and named") {
  RunLog log = grokked_run("baseline", 100, 1);
  log.run_name = "sparse_log";
  log.metrics.pop_back();
  const Json summary = tasks_in({log, grokked_run("baseline", 300, 7)});
  CHECK(summary[0]["conditions"][0]["grokked"] == 2);
  CHECK(summary[0]["conditions"][0]["epochs_mean"] == 200);
  CHECK(summary[0]["conditions"][0]["seconds_mean"] == 7);
  CHECK(summary[0]["untimed"] == Json{"sparse_log"});
}

TEST_CASE("summary: settings by name, baseline before the others, whatever the order of the logs") {
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(grokked_run("zeta", 1, 1));
  logs.push_back(grokked_run("Alpha", 1, 1));
  logs.back().config["task"] = "another";
  const std::string csv = as_csv(grokking_of(logs));
  std::reverse(logs.begin(), logs.end());
  CHECK(as_csv(grokking_of(logs)) == csv);
  const Json summary = tasks_in(logs);
  REQUIRE(summary.size() == 2);
  CHECK(summary[0]["setting"] == "another");
  std::vector<std::string> order;
  for (const Json& row : summary[1]["conditions"]) order.push_back(row["condition"]);
  CHECK(order == std::vector<std::string>{"baseline", "a_last", "grokalign", "zeta"});
}

TEST_CASE("summary: text, with a dash where undefined") {
  const std::vector<std::string> lines = split(as_text(grokking_of(grokked_logs())), '\n');
  REQUIRE(lines.size() > 7);
  const auto words = [](const std::string& line) {
    std::istringstream in(line);
    return std::vector<std::string>{std::istream_iterator<std::string>(in), {}};
  };
  using Words = std::vector<std::string>;
  CHECK(lines[0] == "toy");
  CHECK(words(lines[2]) ==
        Words{"baseline", "3", "3/3", "300", "264.6", "200", "3", "2", "1.00", "1.00", "-", "-", "-", "-", "-"});
  CHECK(words(lines[3]) == Words{"a_last", "2", "0/2", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"});
  const Words grokalign = words(lines[4]);
  REQUIRE(grokalign.size() == 15);
  CHECK(Words(grokalign.begin(), grokalign.begin() + 10) ==
        Words{"grokalign", "3", "2/3", "15", "7.071", "15", "3", "3", "20.00", "1.00"});
  CHECK(Words(grokalign.begin() + 11, grokalign.end()) == Words{"0.7", "1000", "98", "51"});
  CHECK(lines[1].size() == lines[2].size());
  CHECK(lines[1].size() == lines[4].size());
}

TEST_CASE("summary: runs that did not grok show where they ended, and where all grokked the table is without that") {
  std::vector<RunLog> logs = {run_without_grokking("baseline", RunStatus::finished, "a"),
                              run_without_grokking("baseline", RunStatus::finished, "b")};
  logs[1].metrics.back() = {.epoch = 3000, .train_acc = 100, .test_acc = 60};
  logs.push_back(grokked_run("fast", 10, 1));
  const TableSet tables = grokking_of(logs);
  const Json conditions = as_json(tables)["settings"][0]["conditions"], json = conditions[0];
  CHECK(json["not_grokked_last_epoch"] == 2000);
  CHECK(json["not_grokked_train_acc"] == 99);
  CHECK(json["not_grokked_test_acc"] == 55.5);
  CHECK(conditions[1]["not_grokked_last_epoch"].is_null());
  const std::vector<std::string> lines = split(as_text(tables), '\n');
  CHECK_THAT(lines[1], Contains("not grokked: epoch  train %  test %"));
  CHECK_THAT(lines[2], Contains("2000       99    55.5"));
  CHECK_THAT(as_text(tables), Contains("not grokked: last epoch"));
  CHECK_THAT(as_latex(tables), Contains("\\multicolumn{3}{c}{not grokked}") && Contains("& 2000 & 99 & 55.5 "));

  const TableSet grokked = grokking_of({grokked_run("baseline", 10, 1)});
  CHECK_THAT(as_text(grokked), !Contains("not grokked"));
  CHECK_THAT(as_latex(grokked), !Contains("not grokked"));
}

TEST_CASE("summary: CSV and JSON tell the same, to the last digit, and as the text does") {
  const TableSet summary = grokking_of(grokked_logs());
  const std::vector<std::string> lines = split(as_csv(summary), '\n');
  const std::vector<std::string> names = split(lines.at(0), ',');
  const Json conditions = as_json(summary)["settings"][0]["conditions"];
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
  CHECK(conditions[0]["epochs_mean"] == 300);
  CHECK(conditions[2]["welch_p_two_sided"] ==
        welch_t_test(std::vector<double>{100, 200, 600}, std::vector<double>{10, 20})->p_two_sided);
  CHECK(conditions[1]["epochs_mean"].is_null());
  CHECK(as_json(summary)["settings"][0]["failed"] == Json{"nan_run"});
}

TEST_CASE("summary: CSV quotes what would break a field") {
  const std::string csv = as_csv(grokking_of({grokked_run("a, \"b\"", 1, 1)}));
  CHECK_THAT(csv, Contains("toy,\"a, \"\"b\"\"\",1,1,"));
}

TEST_CASE("summary: LaTeX escapes names and has as many cells in each row") {
  std::vector<RunLog> logs = grokked_logs();
  logs.push_back(grokked_run("50% & $x_1$ {#} ~^\\", 1, 1));
  const std::string latex = as_latex(grokking_of(logs));
  CHECK_THAT(latex, Contains("a\\_last & 2 & 0/2 & - & "));
  CHECK_THAT(latex,
             Contains("50\\% \\& \\$x\\_1\\$ \\{\\#\\} \\textasciitilde{}\\textasciicircum{}\\textbackslash{} & "));
  CHECK_THAT(latex, Contains("\\toprule") && Contains("\\midrule") && Contains("\\bottomrule"));
  CHECK_THAT(latex, Contains("1 run unfinished: killed\\_run"));
  for (const std::string& line : split(latex, '\n'))
    if (line.starts_with("baseline &") || line.starts_with("grokalign &") || line.starts_with("condition &"))
      CHECK(std::count(line.begin(), line.end(), '&') == 14);
}

TEST_CASE("summary: small p in LaTeX are powers of ten") {
  std::vector<RunLog> logs;
  for (Index i = 0; i < 9; ++i) {
    logs.push_back(grokked_run("baseline", 100000 + i, 1));
    logs.push_back(grokked_run("fast", 10 + i, 1));
  }
  const TableSet summary = grokking_of(logs);
  CHECK_THAT(as_text(summary), Contains("100004 "));
  CHECK_THAT(as_latex(summary), Contains("\\cdot10^{-"));
  CHECK_THAT(as_latex(summary), !Contains("e-"));
}

TEST_CASE("summary: of nothing there is a table without rows") {
  CHECK(as_json(grokking_of({}))["settings"].empty());
  CHECK(split(as_csv(grokking_of({})), '\n').size() == 2);
}

}  // namespace
}  // namespace normalign::tests

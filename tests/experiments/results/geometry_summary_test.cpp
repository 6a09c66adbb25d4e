#include "experiments/results/geometry_summary.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <sstream>

#include "experiments/figures/statistics.hpp"
#include "experiments/figures/table_json.hpp"
#include "experiments/runs/json_kind.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/subprocess.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

// A row whose metrics are distinct multiples of `unit`: metric i has (i + 1) unit at training and -(i + 1) unit at test
// points.
MetricRow geometry_row(Index epoch, double train_acc, double unit) {
  MetricRow result{.epoch = epoch, .train_acc = train_acc};
  for (std::size_t i = 0; i < geometry_metrics.size(); ++i) {
    const std::string name = geometry_metrics[i];
    result.extras.emplace_back(name, static_cast<double>(i + 1) * unit);
    result.extras.emplace_back("test_" + name, -static_cast<double>(i + 1) * unit);
  }
  result.extras.emplace_back("chance_alignment", 0.125);
  return result;
}

RunLog geometry_run(const std::string& condition, std::optional<Index> grokking_epoch,
                    const std::vector<MetricRow>& rows) {
  RunLog log{.run_name = "run_" + condition, .condition = condition};
  log.config = {{"task", "toy"}};
  log.status = RunStatus::finished;
  log.grokked = grokking_epoch.has_value();
  log.grokking_epoch = grokking_epoch;
  log.metrics = rows;
  return log;
}

std::vector<RunLog> geometry_logs() {
  return {
      geometry_run(
          "baseline", 100,
          {geometry_row(0, 50, 1), geometry_row(10, 99.5, 2), geometry_row(30, 100, 4), geometry_row(100, 100, 8)}),
      geometry_run(
          "baseline", 200,
          {geometry_row(0, 50, 1), geometry_row(20, 99, 16), geometry_row(25, 99.1, 32), geometry_row(200, 100, 64)}),
      geometry_run("grokalign", 20, {geometry_row(0, 50, 1), geometry_row(10, 100, 128), geometry_row(20, 100, 256)}),
      geometry_run("grokalign", 40, {geometry_row(0, 50, 1), geometry_row(20, 100, 512), geometry_row(40, 100, 1024)}),
      geometry_run("never", std::nullopt, {geometry_row(0, 50, 1), geometry_row(29, 98, 3), geometry_row(31, 98, 5)})};
}

TableSet geometry_of(const std::vector<RunLog>& logs) { return geometry_tables(by_task(logs)); }

// The table of the only task of some logs.
Json task_of_logs(const std::vector<RunLog>& logs) { return as_json(geometry_of(logs)).at("settings").at(0); }

Json find(const Json& task, const std::string& moment, const std::string& condition, bool is_test) {
  for (const Json& row : task.at("rows"))
    if (row.at("moment") == moment && row.at("condition") == condition &&
        row.at("points") == (is_test ? "test" : "train"))
      return row;
  throw std::runtime_error("no such row");
}

Json json_of(std::optional<double> value) { return value ? Json(*value) : Json(); }

// The mean of the units whose rows a row of the table is made of.
void check_row(const Json& task, const std::string& moment, const std::string& condition, Index runs,
               std::optional<double> epoch, std::optional<double> unit) {
  CAPTURE(moment, condition);
  for (const bool is_test : {false, true}) {
    const Json found = find(task, moment, condition, is_test);
    CHECK(found.at("runs") == runs);
    CHECK(found.at("epoch") == json_of(epoch));
    for (std::size_t i = 0; i < geometry_metrics.size(); ++i) {
      std::optional<double> expected;
      if (unit) expected = (is_test ? -1 : 1) * static_cast<double>(i + 1) * *unit;
      CHECK(found.at(geometry_metrics[i]) == json_of(expected));
    }
  }
}

TEST_CASE("geometry summary: three moments, worked by hand") {
  REQUIRE(as_json(geometry_of(geometry_logs())).at("settings").size() == 1);
  const Json toy = task_of_logs(geometry_logs());
  CHECK(toy.at("setting") == "toy");
  CHECK(toy.at("chance_alignment") == 0.125);
  CHECK(toy.at("equal_epoch") == 30);
  CHECK(toy.at("rows").size() == 18);
  // More than 99 per cent, not 99.
  check_row(toy, "memorisation", "baseline", 2, 17.5, 17);
  check_row(toy, "memorisation", "grokalign", 2, 15, 320);
  check_row(toy, "memorisation", "never", 0, std::nullopt, std::nullopt);
  check_row(toy, "grokking", "baseline", 2, 150, 36);
  check_row(toy, "grokking", "grokalign", 2, 30, 640);
  check_row(toy, "grokking", "never", 0, std::nullopt, std::nullopt);
  // At or before epoch 30: rows 30 and 25; 20, where the run ended, and 20; 29.
  check_row(toy, "equal_epochs", "baseline", 2, 27.5, 18);
  check_row(toy, "equal_epochs", "grokalign", 2, 20, 384);
  check_row(toy, "equal_epochs", "never", 1, 29, 3);
}

TEST_CASE("geometry summary: the equal epoch is grokalign's median, else the smallest median there is") {
  const auto equal_epoch = [](const std::vector<RunLog>& logs) { return task_of_logs(logs).at("equal_epoch"); };
  const auto run = [](const std::string& condition, std::optional<Index> epoch) {
    return geometry_run(condition, epoch, {});
  };
  // Though another condition was sooner.
  CHECK(equal_epoch({run("fast", 5), run("grokalign", 30), run("grokalign", 10), run("grokalign", 90)}) == 30);
  CHECK(equal_epoch({run("fast", 5), run("slow", 50), run("fast", 8), run("grokalign", std::nullopt)}) == 6.5);
  CHECK(equal_epoch({run("baseline", std::nullopt)}).is_null());
  // The tags of the paper's authors; joined ones are other conditions.
  CHECK(equal_epoch({run("GF", 5), run("GA0.01", 30), run("GA1", 50), run("OG-GA0.01", 7)}) == 40);
  CHECK(equal_epoch({run("GALA", 50), run("GA", 40), run("GF", 45)}) == 40);
  CHECK(equal_epoch({run("GALA", 50), run("GF", 45)}) == 45);
}

TEST_CASE("geometry summary: a variant of grokalign has rows of its own and no say in the equal epoch") {
  std::vector<RunLog> logs = geometry_logs();
  const Json before = task_of_logs(logs);
  logs.push_back(
      geometry_run("grokalign 0.1", 4, {geometry_row(0, 50, 1), geometry_row(3, 100, 3), geometry_row(4, 100, 7)}));
  const Json toy = task_of_logs(logs);
  CHECK(toy.at("equal_epoch") == before.at("equal_epoch"));
  check_row(toy, "memorisation", "grokalign 0.1", 1, 3, 3);
  check_row(toy, "grokking", "grokalign 0.1", 1, 4, 7);
  check_row(toy, "equal_epochs", "grokalign 0.1", 1, 4, 7);
  check_row(toy, "grokking", "grokalign", 2, 30, 640);
  // Without grokalign it counts as any other condition does.
  std::erase_if(logs, [](const RunLog& log) { return log.condition == "grokalign"; });
  CHECK(task_of_logs(logs).at("equal_epoch") == 4);
}

TEST_CASE("geometry summary: unfinished and failed runs are left out and named") {
  std::vector<RunLog> logs = geometry_logs();
  const std::string before = as_csv(geometry_of(logs));
  for (const RunStatus status : {RunStatus::running, RunStatus::failed}) {
    logs.push_back(geometry_run("grokalign", 1, {geometry_row(0, 100, 9999), geometry_row(1, 100, 9999)}));
    logs.back().status = status;
    logs.back().run_name = status == RunStatus::running ? "killed" : "broken";
  }
  const TableSet summary = geometry_of(logs);
  CHECK(as_csv(summary) == before);
  CHECK(task_of_logs(logs).at("unfinished") == Json{"killed"});
  CHECK(task_of_logs(logs).at("failed") == Json{"broken"});
  for (const std::string& table : {as_text(summary), as_latex(summary)}) {
    CHECK(contains(table, "1 run unfinished: killed"));
    CHECK(contains(table, "1 run failed: broken"));
  }
}

TEST_CASE("geometry summary: a metric missing in some rows or in all") {
  std::vector<RunLog> logs = geometry_logs();
  // The second row of the first run and of no other.
  std::erase_if(logs[0].metrics[1].extras, [](const auto& extra) { return extra.first == "effective_rank"; });
  Json toy = task_of_logs(logs);
  const char* const rank = geometry_metrics[4];
  REQUIRE(std::string(rank) == "effective_rank");
  CHECK(find(toy, "memorisation", "baseline", false).at(rank) == 5 * 32);
  CHECK(find(toy, "memorisation", "baseline", true).at(rank) == -5 * 17);
  CHECK(find(toy, "memorisation", "baseline", false).at("runs") == 2);

  for (RunLog& log : logs)
    for (MetricRow& of_log : log.metrics) of_log.extras.clear();
  toy = task_of_logs(logs);
  CHECK(toy.at("chance_alignment").is_null());
  CHECK(find(toy, "grokking", "baseline", true).at("runs") == 2);
  CHECK(find(toy, "grokking", "baseline", true).at(geometry_metrics[0]).is_null());
  CHECK(contains(as_text(geometry_of(logs)), "toy, alignment by chance -\n"));
}

TEST_CASE("geometry summary: a run without its grokking row, or without rows, counts where it can") {
  std::vector<RunLog> logs = geometry_logs();
  logs[0].metrics.pop_back();
  logs[3].metrics.clear();
  const Json toy = task_of_logs(logs);
  check_row(toy, "grokking", "baseline", 1, 200, 64);
  check_row(toy, "equal_epochs", "grokalign", 1, 20, 256);
}

TEST_CASE("geometry summary: CSV and JSON tell the same, to the last digit") {
  std::vector<RunLog> logs = geometry_logs();
  logs[0].metrics[1].extras[0].second = 0.1 + 0.2;
  const TableSet summary = geometry_of(logs);
  const Json task = as_json(summary)["settings"][0];
  CHECK(task["setting"] == "toy");
  CHECK(task["equal_epoch"] == 30);
  const std::vector<std::string> csv = lines(as_csv(summary));
  REQUIRE(csv.size() == 1 + task["rows"].size());
  const auto fields = [](const std::string& line) {
    std::vector<std::string> parts;
    std::istringstream in(line + ',');
    for (std::string part; std::getline(in, part, ',');) parts.push_back(part);
    return parts;
  };
  const std::vector<std::string> names = fields(csv[0]);
  CHECK(names.size() == 8 + geometry_metrics.size());
  for (std::size_t i = 0; i < task["rows"].size(); ++i) {
    const std::vector<std::string> line = fields(csv[i + 1]);
    REQUIRE(line.size() == names.size());
    for (std::size_t j = 0; j < names.size(); ++j) {
      CAPTURE(i, names[j]);
      const Json& json_row = task["rows"][i];
      const Json value = json_row.contains(names[j]) ? json_row[names[j]] : task.at(names[j]);
      CHECK(line[j] == (value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump()));
    }
  }
  CHECK(task["rows"][0]["centroid_alignment"] == *mean(std::vector{0.1 + 0.2, 32.0}));
}

TEST_CASE("geometry summary: text and LaTeX have a block for each moment and as many cells in each row") {
  std::vector<RunLog> logs = geometry_logs();
  logs.push_back(geometry_run("50% x_1", 5, {geometry_row(5, 100, 1e-7)}));
  const TableSet summary = geometry_of(logs);
  const std::string plain = as_text(summary);
  for (const char* part :
       {"toy, alignment by chance 0.125\n", "at memorisation\n", "at grokking\n", "at equal epochs: 30\n", "50% x_1"})
    CHECK(contains(plain, part));
  std::size_t rows = 0;
  for (const std::string& line : lines(plain)) {
    std::istringstream in(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(in), {}};
    if (words.empty() || (words[0] != "baseline" && words[0] != "condition")) continue;
    ++rows;
    CHECK(words.size() == 13);
  }
  CHECK(rows == 7);
  const std::string latex = as_latex(summary);
  CHECK(contains(latex, "50\\% x\\_1 & train & 1 & 5 & $1\\cdot10^{-7}$ & "));
  CHECK(contains(latex, "{toy, at equal epochs: 30 (alignment by chance 0.125)} \\\\"));
  for (const std::string& line : lines(latex))
    if (line.ends_with("\\\\") && contains(line, " & ") && !contains(line, "multicolumn"))
      CHECK(std::ranges::count(line, '&') - (contains(line, "\\&") ? 1 : 0) == 12);
}

TEST_CASE("geometry summary: of nothing there is a table without rows") {
  CHECK(as_json(geometry_of({}))["settings"].empty());
  CHECK(lines(as_csv(geometry_of({}))).size() == 1);
}

TEST_CASE("normalign summary --geometry: prints and writes that table in place of the other") {
  const char* program = std::getenv("NORMALIGN_PROGRAM");
  if (!program) return skip("summary --geometry: NORMALIGN_PROGRAM is not set (make test sets it)");
  const TemporaryFolder folder;
  const std::vector<RunLog> logs = geometry_logs();
  for (std::size_t i = 0; i < logs.size(); ++i) write_log(folder / (std::to_string(i) + ".json"), logs[i]);
  const TableSet summary = geometry_of(logs);
  const Finished finished =
      run({program, "summary", folder.path().string(), "--geometry", "--json", (folder / "table.json").string(),
           "--csv", (folder / "t.csv").string(), "--latex", (folder / "t.tex").string()});
  CHECK(finished.status == 0);
  CHECK(finished.err.empty());
  CHECK(finished.out == as_text(summary));
  CHECK(Json::parse(read_file(folder / "table.json")) == of_kind(kind::geometry_summary, as_json(summary)));
  CHECK(read_file(folder / "t.csv") == as_csv(summary));
  CHECK(read_file(folder / "t.tex") == as_latex(summary));
  // The JSON table in the folder of the logs does not disturb the next look at them.
  CHECK(run({program, "summary", folder.path().string(), "--geometry"}).out == finished.out);
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/results/setting_charts.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/gnuplot.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

// A finished run that grokked at `epoch`, after a second for each ten of it, with a |J| of 1000 / epoch there; 0: it
// did not grok.
RunLog run_with(const std::string& condition, const Json& settings, Index epoch, const std::string& task = "toy") {
  RunLog log{.run_name = "run", .condition = condition};
  log.config = {{"task", task}, {"condition", condition.substr(0, condition.find(' '))}, {"seed", epoch}};
  if (settings.is_object()) log.config.update(settings);
  log.status = RunStatus::finished;
  log.grokked = epoch > 0;
  if (epoch > 0) log.grokking_epoch = epoch;
  const auto e = static_cast<double>(epoch);
  log.metrics = {{.epoch = 0, .extras = {{"jacobian_norm", -1}}},
                 {.epoch = epoch > 0 ? epoch : 500,
                  .opt_time = e / 10,
                  .extras = {{"jacobian_norm", 1000 / (e + 1)}, {"test_jacobian_norm", 2000 / (e + 1)}}}};
  return log;
}

std::vector<RunLog> share_logs() {
  return {run_with("baseline", {}, 400),
          run_with("baseline", {}, 600),
          run_with("grokalign", {{"penalty_share", 1.0}}, 20),
          run_with("grokalign", {{"penalty_share", 1}}, 40),
          run_with("grokalign 0.5", {{"label", "grokalign 0.5"}, {"penalty_share", 0.5}}, 60),
          run_with("grokalign 0.5", {{"label", "grokalign 0.5"}, {"penalty_share", 0.5}}, 0),
          run_with("grokalign 0.05", {{"label", "grokalign 0.05"}, {"penalty_share", 0.05}}, 0)};
}

// The numbers of the block of that name in a data file, line by line.
std::vector<std::string> block_named(const std::string& data, const std::string& name) {
  std::vector<std::string> result;
  bool is_within = false;
  for (const std::string& line : lines(data)) {
    if (line.starts_with("# '")) is_within = line == "# '" + name + "'";
    if (!is_within || line.empty() || contains(line, "#")) continue;
    std::istringstream in(line);
    result.emplace_back();
    for (std::string word; in >> word;) result.back() += (result.back().empty() ? "" : " ") + word;
  }
  return result;
}

TEST_CASE("plot_against: a point for each value, of the runs that grokked, and the baseline as the level") {
  const Plot found = plot_against(share_logs(), "penalty_share", {"jacobian_norm"});
  REQUIRE(found.figures.size() == 1);
  CHECK(found.remarks.empty());
  const Figure& figure = found.figures[0];
  CHECK(figure.name == "toy_against_penalty_share");
  // Setting, runs, grokked, per cent, then mean, lowest and highest of epochs, seconds and both |J|.
  const std::vector<std::string> points = block_named(figure.data, "grokalign");
  REQUIRE(points.size() == 3);
  CHECK(points[0] == "0.05 1.0 0.0 0.0 NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN NaN");
  CHECK(points[1].starts_with("0.5 2.0 1.0 50.0 60.0 60.0 60.0 6.0 6.0 6.0 16.39"));
  CHECK(points[2].starts_with("1.0 2.0 2.0 100.0 30.0 20.0 40.0 3.0 2.0 4.0 36.0"));
  const std::vector<std::string> level = block_named(figure.data, "baseline");
  REQUIRE(level.size() == 2);
  const auto from_runs = [](const std::string& line) { return line.substr(line.find(' ')); };
  CHECK(from_runs(level[0]) == from_runs(level[1]));
  CHECK(from_runs(level[0]).starts_with(" 2.0 2.0 100.0 500.0 400.0 600.0 50.0 40.0 60.0 "));
  CHECK(std::stod(level[0]) < 0.05);
  CHECK(std::stod(level[1]) > 1);
  for (const char* part :
       {"set xtics (0.05, 0.5, 1.0)", "set logscale x 10", "set ylabel 'epochs to grok'", "set logscale y 10",
        "set ylabel 'seconds to grok'", "set ylabel 'jacobian norm'", "set ylabel 'runs that grokked (%)'",
        "linecolor rgb '#000000' title 'baseline'", "title 'train'"}) {
    CAPTURE(part, figure.script);
    CHECK(contains(figure.script, part));
  }
}

TEST_CASE("plot_against: where all grokked there is no panel of how many, and near values need no logarithm") {
  const std::vector<RunLog> logs = {run_with("grokalign", {{"lambda", 0}}, 20),
                                    run_with("grokalign", {{"lambda", 2}}, 40)};
  const Plot found = plot_against(logs, "lambda");
  REQUIRE(found.figures.size() == 1);
  const std::string& script = found.figures[0].script;
  for (const char* part : {"that grokked", "\nset logscale", "baseline", "title 'train'"})
    CHECK_FALSE(contains(script, part));
  CHECK(contains(script, "set xtics (0.0, 2.0)"));
}

TEST_CASE("plot_against: runs that differ in another setting are on a line of their own, named for it") {
  std::vector<RunLog> logs = share_logs();
  logs.push_back(
      run_with("grokalign J", {{"label", "grokalign J"}, {"penalty_share", 1}, {"penalise_offset", false}}, 70));
  logs.push_back(run_with("grokalign ce", {{"label", "x"}, {"penalty_share", 0.5}, {"loss", "squared_error"}}, 80));
  const std::string data = plot_against(logs, "penalty_share").figures.at(0).data;
  CHECK(block_named(data, "grokalign").size() == 3);
  CHECK(block_named(data, "grokalign, penalise_offset false").size() == 1);
  CHECK(block_named(data, "grokalign, loss squared_error").size() == 1);
}

TEST_CASE("plot_against: over a grid, one line with all its values, for each other point of the task's grid") {
  std::vector<RunLog> logs;
  for (const int width : {8, 16}) {
    const Json task = {{"task_grid", "hidden+learning_rate"}, {"hidden", {width}}};
    for (const double rate : {0.1, 0.2}) {
      Json settings = task;
      settings["learning_rate"] = rate;
      logs.push_back(run_with("baseline", settings, width * 10));
      settings.update({{"lambda", 0.5}, {"condition_grid", "lambda"}});
      logs.push_back(run_with("grokalign lambda 0.5", settings, width));
      settings["lambda"] = 2;
      logs.push_back(run_with("grokalign lambda 2", settings, width));
    }
  }
  const Plot rates = plot_against(logs, "learning_rate");
  REQUIRE(rates.figures.size() == 2);
  CHECK(rates.figures[0].name == "toy_hidden_8_against_learning_rate");
  for (const char* line : {"baseline", "grokalign", "grokalign, lambda 2"})
    CHECK(block_named(rates.figures[0].data, line).size() == 2);
  const Plot lambdas = plot_against(logs, "lambda");
  REQUIRE(lambdas.figures.size() == 4);
  CHECK(block_named(lambdas.figures[0].data, "grokalign").size() == 2);
  // The level is the baseline of the same point.
  CHECK(contains(block_named(lambdas.figures[0].data, "baseline").at(0), " 80.0 80.0 80.0 "));
  CHECK(contains(block_named(lambdas.figures[3].data, "baseline").at(0), " 160.0 160.0 160.0 "));
}

TEST_CASE("plot_against: a baseline that reads the setting is a line, and other conditions without it are named") {
  std::vector<RunLog> logs;
  for (const Index epoch : {100, 200})
    for (const char* condition : {"baseline", "grokalign"})
      logs.push_back(run_with(condition, {{"learning_rate", 1e-3 * static_cast<double>(epoch)}}, epoch));
  logs.push_back(run_with("odd", {}, 5));
  logs.push_back(run_with("baseline", {{"learning_rate", 7}}, 5));
  logs.back().status = RunStatus::failed;
  logs.push_back(run_with("baseline", {}, 9, "plain"));
  const Plot found = plot_against(logs, "learning_rate");
  REQUIRE(found.figures.size() == 1);
  for (const char* condition : {"baseline", "grokalign"}) {
    const std::vector<std::string> points = block_named(found.figures[0].data, condition);
    REQUIRE(points.size() == 2);
    CHECK(points[0].starts_with("0.1 1.0 1.0 100.0 100.0 "));
    CHECK(points[1].starts_with("0.2 1.0 1.0 100.0 200.0 "));
  }
  CHECK(found.remarks ==
        std::vector<std::string>{"plain: no picture without a finished run that reads learning_rate and grokked",
                                 "toy: 1 run failed: run", "toy: not drawn, as they do not read learning_rate: odd"});
}

TEST_CASE("plot_against: what cannot be drawn is told in one line") {
  const auto message = [](const std::vector<RunLog>& logs, const std::string& setting,
                          const std::vector<std::string>& metrics = {}) {
    const std::string told = message_of([&] { plot_against(logs, setting, metrics); });
    CHECK_FALSE(contains(told, "\n"));
    return told;
  };
  const std::string unknown = message(share_logs(), "penalty_shar");
  CHECK(unknown.starts_with("against: found 'penalty_shar', expected one of seed, "));
  CHECK(unknown.ends_with("; did you mean penalty_share?"));
  // Neither text nor a list is a number.
  CHECK(message(share_logs(), "loss").starts_with("against: found 'loss', expected one of "));
  CHECK_FALSE(contains(message(share_logs(), "hidden"), "hidden, "));
  CHECK(message(share_logs(), "level") ==
        "against: found none of the 7 finished runs that reads level, expected the condition hold_jacobian");
  CHECK(message({run_with("grokalign", {{"lambda", 1}}, 0)}, "lambda") ==
        "against: found none of the 1 runs that read lambda grokked, expected some");
  CHECK(message(share_logs(), "penalty_share", {"rank"}) ==
        "metric: found 'rank', expected one that these runs logged: acc, jacobian_norm, loss, opt_time");
  std::vector<RunLog> logs = share_logs();
  for (RunLog& log : logs) log.status = RunStatus::running;
  CHECK(message(logs, "penalty_share") == "found none of 7 runs finished, expected some");
}

TEST_CASE("normalign plot --against: gnuplot draws it without complaint, and --help says how") {
  if (without_program("plot --against")) return;
  const TemporaryFolder folder;
  std::vector<RunLog> logs = share_logs();
  for (std::size_t i = 0; i < logs.size(); ++i) write_log(folder / (std::to_string(i) + ".json"), logs[i]);
  const std::string at = folder.path().string();
  CHECK(contains(normalign({"plot", "--help"}).out, "--against SETTING"));
  const Finished unread = normalign({"plot", at, "--against", "momentum"});
  CHECK(unread.status == 2);
  CHECK(unread.err ==
        "normalign: against: found none of the 7 finished runs that reads momentum, expected the optimizer sgd\n");
  if (!has_gnuplot()) return skip("plot --against, drawing: no gnuplot in PATH");
  const Finished drawn = normalign({"plot", at, "--against", "penalty_share", "--metric", "jacobian_norm"});
  CHECK(drawn.status == 0);
  CHECK(drawn.err.empty());
  const std::string svg = read_file(folder / "toy_against_penalty_share.svg");
  for (const char* part : {"epochs to grok", "jacobian norm", "0.05", "baseline"}) CHECK(contains(svg, part));
}

}  // namespace
}  // namespace normalign::tests

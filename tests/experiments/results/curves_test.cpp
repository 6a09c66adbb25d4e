#include "experiments/results/curves.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/atomic_file.hpp"
#include "experiments/figures/gnuplot.hpp"
#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/file_size_limit.hpp"
#include "support/gnuplot.hpp"
#include "support/message_of.hpp"
#include "support/subprocess.hpp"
#include "support/well_formed.hpp"

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

namespace fs = std::filesystem;
using Table = std::vector<std::vector<std::string>>;

// The numbers and words of one block of a data file: the blocks stand two empty lines apart.
Table block(const std::string& data, std::size_t index) {
  std::vector<Table> blocks(1);
  int empty = 0;
  for (const std::string& line : lines(data)) {
    empty = line.empty() ? empty + 1 : 0;
    if (empty == 2) blocks.emplace_back();
    std::istringstream in(line);
    if (!line.empty() && line[0] != '#')
      blocks.back().push_back(std::vector<std::string>{std::istream_iterator<std::string>(in), {}});
  }
  return index < blocks.size() ? blocks[index] : Table{};
}

const Figure& figure(const Plot& pictures, const std::string& name) {
  const auto found = std::ranges::find(pictures.figures, name, &Figure::name);
  if (found == pictures.figures.end()) throw std::runtime_error("no figure named " + name);
  return *found;
}

// ---- data

TEST_CASE("plot: the data file has a block for each condition with the numbers of the bands") {
  std::vector<RunLog> logs = example_logs();
  logs.push_back(run_of("grokalign", {row(0, 1, 2, 0.0625), row(5, 3, 4)}));
  const Plot pictures = plot(logs);
  REQUIRE(pictures.figures.size() == 1);
  CHECK(pictures.remarks.empty());
  const std::string& data = figure(pictures, "toy").data;
  // epoch, runs that go on, then median, lowest and highest of train_acc, test_acc and the two alignments
  CHECK(block(data, 0) == Table{{"0", "3", "52.0", "50.0", "57.0", "42.0", "40.0", "44.0", "0.25", "0.25", "0.25",
                                 "0.125", "0.125", "0.125"},
                                {"10", "3", "60.0", "50.0", "70.0", "45.0", "41.0", "47.0", "0.375", "0.25", "0.5",
                                 "0.1875", "0.125", "0.25"},
                                {"20", "2", "60.0", "50.0", "80.0", "45.0", "43.0", "47.0", "0.625", "0.5", "0.75",
                                 "0.3125", "0.25", "0.375"},
                                {"30", "1", "80.0", "60.0", "100.0", "45.0", "43.0", "99.0", "0.5", "0.125", "0.75",
                                 "0.25", "0.0625", "0.375"}});
  CHECK(block(data, 1) == Table{{"0", "1", "1.0", "1.0", "1.0", "2.0", "2.0", "2.0", "0.0625", "0.0625", "0.0625",
                                 "0.03125", "0.03125", "0.03125"},
                                {"5", "1", "3.0", "3.0", "3.0", "4.0", "4.0", "4.0", "0.0625", "0.0625", "0.0625",
                                 "0.03125", "0.03125", "0.03125"}});
  for (const char* part : {"# 'toy'", "# 'baseline'", "# 'grokalign'", "train_acc_median", "test_acc_lowest",
                           "test_centroid_alignment_highest"})
    CHECK(contains(data, part));
}

TEST_CASE("plot: what no run has is NaN until one has it") {
  const Plot pictures = plot({run_of("a", {row(0, 1, 2), row(1, 3, 4, 0.5)})});
  const Table rows = block(pictures.figures[0].data, 0);
  CHECK(std::vector<std::string>(rows[0].begin() + 8, rows[0].end()) == std::vector<std::string>(6, "NaN"));
  CHECK(rows[1][8] == "0.5");
}

// ---- what is drawn

TEST_CASE("plot: an unfinished run is drawn thin by itself, no median counts it, and a failed one is left out") {
  std::vector<RunLog> logs = example_logs();
  for (const char* name : {"killed", "running"}) {
    logs.push_back(run_of("baseline", {row(0, 11, 12), row(7, 13, 14)}));
    logs.back().status = RunStatus::running;
    logs.back().run_name = name;
  }
  logs.push_back(run_of("baseline", {}));  // has logged nothing yet
  logs.back().status = RunStatus::running;
  logs.back().run_name = "begun";
  logs.push_back(run_of("other", {row(0, 1000, 1000)}, "second"));
  logs.back().status = RunStatus::failed;
  logs.back().run_name = "broken";
  const Plot pictures = plot(logs);
  REQUIRE(pictures.figures.size() == 1);
  const auto& [name, data, script] = pictures.figures[0];
  CHECK(block(data, 0) == block(plot(example_logs()).figures[0].data, 0));
  for (const std::size_t index : {1, 2}) {
    const Table rows = block(data, index);
    REQUIRE(rows.size() == 2);  // as far as it came
    CHECK(std::vector<std::string>(rows[1].begin(), rows[1].begin() + 4) ==
          std::vector<std::string>{"7", "1", "13.0", "13.0"});
  }
  CHECK(block(data, 3).empty());
  CHECK(contains(data, "# 'killed, unfinished'"));
  // The key tells of them once, in the colour of their condition, and there is no band.
  const auto count = [&](const std::string& words) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = script.find(words, at)) != script.npos; ++at) ++found;
    return found;
  };
  CHECK(count("linewidth 1 linecolor rgb '#000000' title 'baseline, unfinished'") == 1);
  CHECK(count("baseline, unfinished") == 1);
  CHECK(count("linewidth 1 ") == 4);  // two runs, training and test accuracy; neither logged an alignment
  CHECK(count("index 1 using") + count("index 2 using") == count("linewidth 1 "));
  CHECK(count("filledcurves") == 4);
  CHECK(pictures.remarks ==
        std::vector<std::string>{"second: 1 run failed: broken",
                                 "second: no picture without a finished or unfinished run that has logged an epoch",
                                 "toy: 3 runs unfinished, thin lines as far as they came: killed, running, begun"});
}

TEST_CASE("plot: unfinished runs alone make a picture") {
  RunLog log = run_of("baseline", {row(0, 11, 12), row(7, 13, 14)});
  log.status = RunStatus::running;
  const Plot pictures = plot({log});
  REQUIRE(pictures.figures.size() == 1);
  CHECK(contains(pictures.figures[0].script, "title 'baseline, unfinished'"));
}

TEST_CASE(
    "plot: without any run that has logged an epoch, or a metric that none logged, there is a mistake to report") {
  std::vector<RunLog> logs = example_logs();
  CHECK(message_of([&] { plot(logs, {.metrics = {"jacobian_norm"}}); }) ==
        "metric: found 'jacobian_norm', expected one that these runs logged: acc, centroid_alignment, loss, "
        "opt_time");
  CHECK(contains(message_of([&] { plot(logs, {.metrics = {"acc", ""}}); }), "metric: found ''"));
  for (RunLog& log : logs) log.status = RunStatus::failed;
  CHECK(contains(message_of([&] { plot(logs); }), "found no epoch logged in a finished or unfinished one of 3 runs"));
  CHECK(contains(message_of([&] { plot({run_of("a", {})}); }), "finished or unfinished one of 1 runs"));
}

TEST_CASE("plot: metrics make panels, with or without the prefix of the points") {
  std::vector<RunLog> logs = example_logs();
  const auto script = [&](const std::vector<std::string>& metrics) {
    return plot(logs, {.metrics = metrics}).figures[0].script;
  };
  CHECK(contains(script({}), "set ylabel 'centroid alignment'"));
  CHECK(script({"centroid_alignment"}) == script({}));
  CHECK(script({"test_centroid_alignment"}) == script({}));
  CHECK(script({"train_loss"}) == script({"loss"}));
  CHECK(contains(script({"loss", "opt_time"}), "set ylabel 'loss'"));
  CHECK(contains(script({"loss", "opt_time"}), "set ylabel 'opt time'"));
  // Where one task logged it and another did not.
  logs.push_back(run_of("baseline", {row(0, 1, 2)}, "plain"));
  const Plot pictures = plot(logs);
  CHECK(pictures.figures.size() == 2);
  CHECK(pictures.remarks == std::vector<std::string>{"plain: no run logged centroid_alignment"});
  CHECK_FALSE(contains(figure(pictures, "plain").script, "centroid"));
}

TEST_CASE("plot: the chance level is drawn in panels of an alignment alone, where it was logged") {
  std::vector<RunLog> logs = example_logs();
  CHECK_FALSE(contains(plot(logs).figures[0].script, "chance"));
  for (RunLog& log : logs) log.metrics[0].extras.emplace_back("chance_alignment", 0.15625);
  CHECK(contains(plot(logs).figures[0].script, "plot 0.15625 with lines"));
  CHECK_FALSE(contains(plot(logs, {.metrics = {"loss"}}).figures[0].script, "0.15625"));
}

TEST_CASE("plot: a condition has one colour in all pictures, and no two share one while there are enough") {
  std::vector<RunLog> logs;
  const std::vector<std::string> names = {"GF", "OG", "baseline", "grokalign", "grokfast", "orthograd", "z"};
  for (const std::string& name : names) logs.push_back(run_of(name, {row(0, 1, 2)}, "all"));
  for (const char* name : {"z", "grokfast"}) logs.push_back(run_of(name, {row(0, 1, 2)}, "two"));
  const Plot pictures = plot(logs);
  // The colour in which a condition's curve is drawn.
  const auto colour = [&](const std::string& picture, const std::string& condition) {
    const std::string& script = figure(pictures, picture).script;
    const std::size_t title = script.find("title '" + condition + "'");
    if (title == script.npos) return std::string("none");
    return script.substr(script.rfind('#', title), 7);
  };
  std::vector<std::string> found;
  for (const std::string& name : names) found.push_back(colour("all", name));
  CHECK(colour("all", "z") == colour("two", "z"));
  CHECK(colour("all", "grokfast") == colour("two", "grokfast"));
  CHECK(colour("all", "baseline") == "#000000");
  CHECK(std::ranges::none_of(found, [](const std::string& c) { return c == "none"; }));
  std::ranges::sort(found);
  CHECK(std::ranges::adjacent_find(found) == found.end());
}

TEST_CASE("curve_charts: the conditions of the paper's study have their colours whatever else is drawn") {
  const std::vector<std::string> names = {"baseline", "grokalign", "grokfast", "orthograd", "grokalign 0.1"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<RunLog> logs = {run_of(names[i], {row(0, 1, 2)})};
    for (const char* other : {"a", "grokalign 0.05", "zebra"}) logs.push_back(run_of(other, {row(0, 1, 2)}));
    const std::vector<TaskRuns> tasks = by_task(logs);
    const std::vector<CurveChart> charts = curve_charts(tasks, {});
    for (const ChartSeries& series : charts[0].chart.panels[0].series) {
      CAPTURE(names[i], series.name);
      CHECK((series.colour == figure_colours[i]) == (tasks[0].conditions[series.block].condition == names[i]));
    }
  }
}

TEST_CASE("plot: names of files are harmless and differ") {
  std::vector<RunLog> logs;
  for (const char* task : {"../up", "/etc/x", "", ".hidden", "-e", "a b", "a_b", "A_B", "caf\xc3\xa9"})
    logs.push_back(run_of("baseline", {row(0, 1, 2)}, task));
  std::vector<std::string> names;
  for (const Figure& drawn : plot(logs).figures) names.push_back(drawn.name);
  CHECK(names ==
        std::vector<std::string>{"_", "_-e", "_.._up", "_.hidden", "__etc_x", "A_B", "a_b_2", "a_b_3", "caf__"});
}

// ---- gnuplot

TEST_CASE("gnuplot_string: one line that stands for the words themselves") {
  CHECK(gnuplot_string("a_b {x}^2 \"q\" \\n `ls` $1 @m %d") == "'a_b {x}^2 \"q\" \\n `ls` $1 @m %d'");
  CHECK(gnuplot_string("it's") == "'it''s'");
  CHECK(gnuplot_string("a\nb\tc\x7f") == "'a b c '");
  CHECK(gnuplot_string("") == "''");
}

TEST_CASE("run_gnuplot: absent, failing and killed") {
  const TemporaryFolder folder;
  write_file(folder / "bad.gp", "this is no command\n");
  {
    const PathOf empty(folder.path().string());
    CHECK_FALSE(run_gnuplot(folder.path(), "bad.gp"));
  }
  // A program of that name that only says how it was called.
  write_file(folder / "gnuplot", "#!/bin/sh\nprintf '%s' \"$PWD|$*\" > called; exit 3\n");
  fs::permissions(folder / "gnuplot", fs::perms::owner_all);
  {
    const PathOf own(folder.path().string());
    const std::string message = message_of<RunError>([&] { run_gnuplot(folder.path(), "a b.gp"); });
    CHECK(message == (folder / "a b.gp").string() + ": gnuplot ended with status 3");
    CHECK(contains(read_file(folder / "called"), folder.path().filename().string() + "|-d a b.gp"));
    write_file(folder / "gnuplot", "#!/bin/sh\nkill -9 $$\n");
    CHECK(contains(message_of<RunError>([&] { run_gnuplot(folder.path(), "x.gp"); }), "signal 9"));
  }
}

TEST_CASE("write_figure: gnuplot draws SVG and PNG, whatever the names and numbers") {
  if (!has_gnuplot()) return skip("pictures: no gnuplot in PATH");
  const std::string odd = "it's \"x_1^{2}\" <b>&amp; @A `ls` $x \\n %d # \xc3\xa9\nnext";
  std::vector<RunLog> logs = example_logs();
  for (int i = 0; i < 12; ++i) logs.push_back(run_of(odd + std::to_string(i), {row(0, 1, 2), row(7, 3, 4)}));
  logs.push_back(run_of("", {row(0, 0, 0)}));
  logs.push_back(run_of("without", {}));
  logs.push_back(run_of("a", {row(0, 50, 50, 0)}, odd));
  logs.push_back(run_of("large", {row(3, 50, 50, -1e300), row(2000000000, 50, 50, 1e300)}, "extreme"));
  for (RunLog& log : logs)
    if (!log.metrics.empty()) log.metrics[0].extras.emplace_back("chance_alignment", 0.1);
  const TemporaryFolder folder;
  const Plot pictures = plot(logs);
  REQUIRE(pictures.figures.size() == 3);
  for (const Figure& drawn : pictures.figures) {
    CAPTURE(drawn.name);
    REQUIRE(write_figure(folder.path(), drawn));
    CHECK(read_file(folder / (drawn.name + ".dat")) == drawn.data);
    CHECK(read_file(folder / (drawn.name + ".gp")) == drawn.script);
    const std::string svg = read_file(folder / (drawn.name + ".svg"));
    CHECK(contains(svg, "<svg"));
    CHECK(is_well_formed(svg));
    CHECK(contains(svg, "accuracy (%)"));
    const std::string png = read_file(folder / (drawn.name + ".png"));
    CHECK(png.starts_with("\x89PNG\r\n\x1a\n"));
    CHECK(contains(png, "IEND"));
  }
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 3 * 4);  // nothing else is left there
  const std::string svg = read_file(folder / "toy.svg");
  for (const char* part : {"baseline", "x_1^{2}", "@A `ls` $x \\n %d #", "train", "chance"}) CHECK(contains(svg, part));
}

TEST_CASE("write_figure: without gnuplot data and script are written all the same; a folder that is none is named") {
  const TemporaryFolder folder;
  const Figure drawn = plot(example_logs()).figures[0];
  const PathOf empty("");
  CHECK_FALSE(write_figure(folder.path(), drawn));
  CHECK(read_file(folder / "toy.dat") == drawn.data);
  CHECK(read_file(folder / "toy.gp") == drawn.script);
  CHECK_FALSE(fs::exists(folder / "toy.svg"));
  CHECK(contains(message_of([&] { write_figure(folder / "absent", drawn); }), "toy.dat: cannot be written: No such"));
}

TEST_CASE("write_figure: while gnuplot draws, and where it fails, the former picture stays as it was") {
  const TemporaryFolder folder;
  const Figure drawn = plot(example_logs()).figures[0];
  write_file(folder / "toy.svg", "former");
  write_file(folder / "gnuplot", "#!/bin/sh\necho half > toy.svg; exit 3\n");
  fs::permissions(folder / "gnuplot", fs::perms::owner_all);
  const PathOf own(folder.path().string());
  CHECK(message_of<RunError>([&] { write_figure(folder.path(), drawn); }) ==
        (folder / "toy.gp").string() + ": gnuplot ended with status 3");
  CHECK(read_file(folder / "toy.svg") == "former");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 4);  // .dat, .gp, .svg and the program
}

TEST_CASE("write_figure: on a full disk the former pictures stay, and it is said") {
  if (!has_gnuplot()) return skip("full disk: no gnuplot in PATH");
  const TemporaryFolder folder;
  std::vector<RunLog> logs = example_logs();
  const Figure drawn = plot(logs).figures[0];
  REQUIRE(write_figure(folder.path(), drawn));
  const std::string svg = read_file(folder / "toy.svg"), png = read_file(folder / "toy.png");
  const std::size_t enough = std::max(drawn.data.size(), drawn.script.size());
  for (const std::size_t limit : {enough, svg.size() - 1, svg.size(), png.size() - 1, enough / 2}) {
    CAPTURE(limit);
    if (limit >= png.size()) continue;
    const FileSizeLimit full(limit);
    CHECK_THROWS_AS(write_figure(folder.path(), drawn), StorageError);
    CHECK(read_file(folder / "toy.svg") == svg);
    CHECK(read_file(folder / "toy.png") == png);
    CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 4);
  }
}

// ---- the command

TEST_CASE("normalign plot: files, messages and status") {
  const char* program = std::getenv("NORMALIGN_PROGRAM");
  if (!program) return skip("normalign plot: NORMALIGN_PROGRAM is not set (make test sets it)");
  const TemporaryFolder folder;
  const auto command = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {program, "plot", (folder / "runs").string()});
    return run(more);
  };
  fs::create_directories(folder / "runs");
  std::vector<RunLog> logs = example_logs();
  logs.push_back(run_of("baseline", {row(0, 1, 1)}));
  logs.back().status = RunStatus::running;
  for (std::size_t i = 0; i < logs.size(); ++i) write_log(folder / ("runs/" + std::to_string(i) + ".json"), logs[i]);

  const Finished unknown = command({"--metric", "rank"});
  CHECK(unknown.status == 2);
  CHECK(contains(unknown.err, "metric: found 'rank'"));
  const Finished blocked = command({"--out", (folder / "runs/0.json").string()});
  CHECK(blocked.status == 2);
  CHECK(contains(blocked.err, "0.json: "));
  {
    const PathOf none(folder.path().string());
    const Finished without = command({"--out", (folder / "new/out").string()});
    CHECK(without.status == 0);
    CHECK(without.err.empty());
    CHECK(contains(without.out, "no gnuplot in PATH"));
    CHECK(contains(without.out, "toy: 1 run unfinished, thin lines as far as they came: run\n"));
    CHECK(fs::exists(folder / "new/out/toy.gp"));
    CHECK(fs::exists(folder / "new/out/toy.dat"));
    // A gnuplot that fails says why, and so do we.
    write_file(folder / "gnuplot", "#!/bin/sh\necho \"no such terminal\" >&2; exit 1\n");
    fs::permissions(folder / "gnuplot", fs::perms::owner_all);
    const Finished failed = command({});
    CHECK(failed.status == 1);
    CHECK(contains(failed.err, "no such terminal"));
    CHECK(contains(failed.err, "toy.gp: gnuplot ended with status 1"));
  }
  if (!has_gnuplot()) return skip("normalign plot, drawing: no gnuplot in PATH");
  const Finished drawn = command({"--metric", "loss", "--metric", "centroid_alignment"});
  CHECK(drawn.status == 0);
  CHECK(drawn.err.empty());
  for (const char* suffix : {".dat", ".gp", ".svg", ".png"})
    CHECK(fs::exists(folder / ("runs/toy" + std::string(suffix))));
  // Neither the user's start file nor the environment has a say in them.
  const std::string svg = read_file(folder / "runs/toy.svg"), png = read_file(folder / "runs/toy.png");
  write_file(folder / ".gnuplot",
             "set title 'mine'; set xlabel 'mine'; set terminal svg size 100,100; exit status 9\n");
  const Finished elsewhere =
      run({"/usr/bin/env", "-i", std::string("PATH=") + std::getenv("PATH"), "HOME=" + folder.path().string(),
           "GNUTERM=qt", "DISPLAY=:77", "GNUPLOT_DEFAULT_GDFONT=none", "LC_ALL=de_DE.ISO-8859-1", "LC_NUMERIC=de_DE",
           program, "plot", (folder / "runs").string(), "--metric", "loss", "--metric", "centroid_alignment"});
  CHECK(elsewhere.status == 0);
  CHECK(elsewhere.err.empty());
  CHECK(read_file(folder / "runs/toy.svg") == svg);
  CHECK(read_file(folder / "runs/toy.png") == png);
  // Below the logs they are no obstacle to the next summary.
  CHECK(run({program, "summary", (folder / "runs").string()}).status == 0);
}

}  // namespace
}  // namespace normalign::tests

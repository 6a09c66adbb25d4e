#include "experiments/report/report.hpp"

#include <optional>

#include "experiments/tabular/log.hpp"
#include "experiments/training/run_log.hpp"
#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/damaged_json.hpp"
#include "support/file_size_limit.hpp"
#include "support/gnuplot.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"
#include "support/tabular_logs.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// Something of every kind, with hostile names.
void fill(const TemporaryFolder& folder) {
  fs::create_directories(folder / "below #1");
  int seed = 0;
  for (const char* condition : {"baseline", "grokalign", "</script><script>alert(1)</script>"})
    for (RunLog log : example_logs()) {
      log.condition = condition;
      log.run_name = "run_" + std::to_string(++seed);
      log.metrics.back().extras.emplace_back("effective_rank", 2);
      write_log(folder / ("below #1/" + log.run_name + ".json"), log);
    }
  RunLog failed = run_of("baseline", {}, "<other>");
  failed.status = RunStatus::failed;
  failed.failure = "epoch 1: the loss is <nan> & \"worse\"";
  write_log(folder / "failed.json", failed);
  RunLog running = run_of("baseline", {row(0, 1, 2)}, "<other>");
  running.status = RunStatus::running;
  write_log(folder / "running.json", running);
  for (const char* table : {"iris", "wine & cheese"})
    for (const double alpha : {0.0, 1.0})
      write_log(folder / (table + std::to_string(alpha) + ".json"), tabular_log(table, alpha, {90 - alpha, 80}));
  write_file(folder / "broken.json", "{<");
  write_file(folder / "inspection.json", R"({"classes": [{"class": "all", "accuracy": 61.5}], "chance_alignment": 0.1,
             "certificates": {"norm": "l2"}})");
  write_file(folder / "sparsity.json",
             R"({"chance_alignment": 0.1, "means": [{"n": 16, "model": "mlp", "acc": 77.25}]})");
  write_file(folder / "slice.json", R"({"plane": {}, "statistics": {"regions": 1722}})");
  write_file(folder / "slice.svg", "<svg><script>alert(2)</script></svg>");
  write_file(folder / "other.png", "png");
}

TEST_CASE("report: one well-formed page with everything, that runs and loads nothing") {
  const TemporaryFolder folder;
  fill(folder);
  const std::string page = report(folder.path(), {.page = folder / "report.html"});
  CHECK(is_well_formed(page.substr(page.find("<html"))));
  CHECK(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  for (const char* part : {"11 runs of networks: 9 finished, 1 running, 1 failed",
                           "Thin lines are unfinished runs, each by itself as far as it came.",
                           "4 runs on tables: 4 finished",
                           "1 inspected network",
                           "1 slice",
                           "2 pictures",
                           "1 file that cannot be read",
                           ">toy</h2>",
                           ">&lt;other&gt;</h2>",
                           "grokalign",
                           "the loss is &lt;nan&gt; &amp; &quot;worse&quot;",
                           "broken.json",
                           "not JSON",
                           "wine &amp; cheese",
                           "61.5",
                           "77.25",
                           "1722",
                           "data:image/svg+xml",
                           "data:image/png",
                           "href=\"below%20%231/run_1.json\"",
                           "@media print",
                           "prefers-color-scheme: dark",
                           "name=\"viewport\""}) {
    CAPTURE(part);
    CHECK(contains(page, part));
  }
  for (const char* part : {"<script", "http:", "https:", "src=\"/", "onload", "url(", "@import"}) {
    CAPTURE(part);
    CHECK_FALSE(contains(page, part));
  }
  CHECK(report(folder.path(), {.page = folder / "report.html"}) == page);
  const std::string without_links = report(folder.path(), {.title = "A <title>"});
  CHECK(contains(without_links, "<title>A &lt;title&gt;</title>"));
  CHECK_FALSE(contains(without_links, "href=\"below"));
}

TEST_CASE("report: of hundreds of runs a page of a few MB") {
  const TemporaryFolder folder;
  std::vector<MetricRow> rows;
  for (int i = 0; i < 300; ++i) {
    rows.push_back(row(i, i / 3.0, i / 4.0, i / 300.0));
    for (int k = 0; k < 16; ++k) rows.back().extras.emplace_back("metric_" + std::to_string(k), 0.123456789 * i);
  }
  for (int i = 0; i < 200; ++i) {
    RunLog log = run_of("baseline", rows);
    log.run_name = "toy_baseline_seed" + std::to_string(i);
    write_log(folder / (log.run_name + ".json"), log);
  }
  const std::string page = report(folder.path());
  CHECK(is_well_formed(page.substr(page.find("<html"))));
  CHECK(page.size() < 2'000'000);
  CHECK(contains(page, "toy_baseline_seed199"));
}

TEST_CASE("report: of nothing, or of tables that do not go together, there is a word") {
  const TemporaryFolder folder;
  CHECK(contains(message_of([&] { report(folder / "absent"); }), "no such folder"));
  CHECK(contains(message_of([&] { report(folder.path()); }), "found no log"));
  TabularLog log = tabular_log("iris", 1, {90});
  write_log(folder / "a.json", log);
  log.table.samples = 7;
  write_log(folder / "b.json", log);
  const std::string page = report(folder.path());
  CHECK(contains(page, "No table: "));
  CHECK(contains(page, "2 runs on tables"));
}

TEST_CASE("normalign report: the page is written as a whole, where it is asked for") {
  if (without_program("report")) return;
  const TemporaryFolder folder;
  fill(folder);
  const fs::path page = folder / "new/page.html";
  const Finished finished = normalign({"report", folder.path().string(), "-o", page.string(), "--metric", "loss"});
  CAPTURE(finished.err);
  CHECK(finished.status == 0);
  CHECK(contains(finished.out, page.string()));
  CHECK(contains(read_file(page), "href=\"../below%20%231/run_1.json\""));
  CHECK(std::distance(fs::directory_iterator(folder / "new"), {}) == 1);
  const Finished nothing = normalign({"report", (folder / "absent").string()});
  CHECK(nothing.status == 2);
  CHECK(contains(nothing.err, "no such folder"));
}

TEST_CASE("normalign report: the user's gnuplot settings have no say, and without gnuplot there are tables") {
  if (without_program("report, settings of gnuplot")) return;
  const TemporaryFolder folder, home;
  for (const RunLog& log : example_logs())
    write_log(folder / (std::to_string(log.metrics.back().epoch) + ".json"), log);
  const fs::path page = folder / "page.html";
  const std::vector<std::string> report = command({"report", folder.path().string(), "-o", page.string()});
  if (has_gnuplot()) {
    REQUIRE(run(report).status == 0);
    const std::string whole = read_file(page);
    CHECK(contains(whole, "<svg"));
    write_file(home / ".gnuplot", "set title 'mine'; set terminal svg size 100,100; exit status 9\n");
    std::vector<std::string> elsewhere = {"/usr/bin/env",
                                          "-i",
                                          std::string("PATH=") + std::getenv("PATH"),
                                          "HOME=" + home.path().string(),
                                          "GNUTERM=qt",
                                          "DISPLAY=:77",
                                          "GNUPLOT_LIB=/",
                                          "LC_ALL=de_DE.ISO-8859-1",
                                          "LC_NUMERIC=de_DE"};
    elsewhere.insert(elsewhere.end(), report.begin(), report.end());
    const Finished finished = run(elsewhere);
    CHECK(finished.status == 0);
    CHECK(finished.err.empty());
    CHECK(read_file(page) == whole);
  }
  const PathOf none(home.path().string());
  CHECK(run(report).status == 0);
  CHECK_FALSE(contains(read_file(page), "<svg"));
  CHECK(contains(read_file(page), "test acc median"));
}

TEST_CASE("normalign report: on a full disk the former page stays, and it is said") {
  if (without_program("report, full disk")) return;
  const TemporaryFolder folder;
  for (const RunLog& log : example_logs())
    write_log(folder / (std::to_string(log.metrics.back().epoch) + ".json"), log);
  const fs::path page = folder / "out/page.html";
  const Arguments report{"report", folder.path().string(), "-o", page.string()};
  REQUIRE(normalign(report).status == 0);
  const std::string whole = read_file(page);
  // Not enough for the page, for a picture, for gnuplot's script.
  for (const std::size_t limit : {whole.size() - 1, std::size_t{4000}, std::size_t{100}}) {
    CAPTURE(limit);
    const FileSizeLimit full(limit);
    const Finished finished = normalign(report);
    CHECK(finished.status == 1);
    CHECK(contains(finished.err, "cannot be written"));
    CHECK(read_file(page) == whole);
    CHECK(std::distance(fs::directory_iterator(folder / "out"), {}) == 1);
  }
}

TEST_CASE("report: no damaged file keeps the others from the page") {
  const TemporaryFolder folder;
  write_log(folder / "good.json", run_of("baseline", {row(0, 50, 40)}));
  write_log(folder / "run.json", run_of("baseline", {row(0, 50, 40), row(10, 60, 45, 0.5)}));
  write_log(folder / "table.json", tabular_log("iris", 0, {90}));
  write_file(folder / "sparsity.json",
             R"({"chance_alignment": 0.1, "means": [{"n": 16, "model": "mlp", "acc": 77.25}]})");
  write_file(folder / "inspection.json", R"({"classes": [{"class": "all", "accuracy": 61.5}], "chance_alignment": 0.1,
             "certificates": {"norm": "l2"}})");
  write_file(folder / "robustness.json", R"([{"model": "a", "rank_correlation": {"class_alignment": 1}}])");
  write_file(folder / "slice.json", R"({"plane": {}, "statistics": {"regions": 1722}})");
  for (const char* name :
       {"run.json", "table.json", "sparsity.json", "inspection.json", "robustness.json", "slice.json"}) {
    CAPTURE(name);
    const std::string whole = read_file(folder / name);
    int pages = 0;
    with_damage(whole, [&](const std::string& content) {
      if (++pages % 10 != 0) return;  // a page takes long
      std::optional<PathOf> without_gnuplot;
      if (pages % 100 != 0) without_gnuplot.emplace("");  // and its pictures longer
      write_file(folder / name, content);
      if (!contains(report(folder.path(), {}), "good")) FAIL(content);
    });
    write_file(folder / name, whole);
  }
  write_file(folder / "deep.json", std::string(100000, '[') + std::string(100000, ']'));
  CHECK(contains(report(folder.path(), {}), "found more than 64 nested levels"));
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/report/run_details.hpp"

#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"
#include "support/well_formed.hpp"

namespace normalign::tests {
namespace {

const AddressOf no_links = [](const std::filesystem::path&) { return std::string(); };

TEST_CASE("run_details: what runs share stands once, what is their own with each") {
  std::vector<Found<RunLog>> runs;
  for (const RunLog& log : example_logs()) {
    runs.push_back({"r.json", log});
    runs.back().content.config["shared_setting"] = "common value";
    runs.back().content.config["seed"] = 1000 + runs.size();
    runs.back().content.environment = {{"host_cpu", "one & the same"}};
  }
  runs[1].content.status = RunStatus::failed;
  runs[1].content.failure = "epoch 3: <nan>";
  runs[2].content.metrics.clear();
  runs[2].content.status = RunStatus::running;
  const std::vector<const Found<RunLog>*> all = {&runs[0], &runs[1], &runs[2]};
  const std::string page = run_details(all, no_links).text;
  CHECK(is_well_formed(page));
  for (const char* once : {"common value", "one &amp; the same", "1001", "1002", "1003", "epoch 3: &lt;nan&gt;",
                           "No epoch is logged yet", "status finished", "status running", "3 runs"}) {
    CAPTURE(once);
    CHECK(contains(page, once));
    CHECK(page.find(once) == page.rfind(once));
  }
  CHECK_FALSE(contains(page, "href"));
}

TEST_CASE("run_details: of a long run some rows, the first and the last among them") {
  std::vector<MetricRow> rows;
  for (int epoch = 0; epoch < 1000; ++epoch) rows.push_back(row(100000 + epoch, 1, 2));
  const Found<RunLog> run{"r.json", run_of("baseline", rows)};
  const std::vector<const Found<RunLog>*> all = {&run};
  const std::string page =
      run_details(all, [](const std::filesystem::path& path) { return "x/" + path.string(); }).text;
  CHECK(contains(page, "<td>100000</td>"));
  CHECK(contains(page, "<td>100999</td>"));
  CHECK(contains(page, "10 of 1000 logged epochs"));
  CHECK(contains(page, "href=\"x/r.json\""));
}

TEST_CASE("run_details: of runs on tables the folds") {
  std::vector<Found<TabularLog>> runs = {{"a.json", tabular_log("iris", 1, {91.5, 92.25})},
                                         {"b.json", tabular_log("iris", 0, {})}};
  runs[1].content.status = RunStatus::failed;
  runs[1].content.failure = "singular & so on";
  const std::string page = run_details(runs, no_links).text;
  CHECK(is_well_formed(page));
  for (const char* part :
       {"iris_rfm_published_seed0", "91.5", "92.25", "robust acc 1", "singular &amp; so on", "2 runs"})
    CHECK(contains(page, part));
}

}  // namespace
}  // namespace normalign::tests

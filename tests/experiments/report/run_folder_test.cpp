#include "experiments/report/run_folder.hpp"

#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("run_folder: files by kind, in the folder and below, and what is wrong with those that are broken") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "b/c");
  write_log(folder / "b/run.json", example_logs()[0]);
  write_log(folder / "table.json", tabular_log("iris", 1, {90}));
  write_file(folder / "inspection.json",
             R"({"classes": [{"class": "all"}], "chance_alignment": 0.1, "samples": [{"label": 0}]})");
  write_file(folder / "study.json", R"({"chance_alignment": 0.1, "means": [{"n": 16}], "rows": [{"n": 16}]})");
  write_file(folder / "b/slice.json",
             R"({"plane": {"u": [1]}, "statistics": {"regions": 2}, "regions": [[1, 2], [3]], "points": [{}]})");
  write_file(folder / "b/slice.svg", "<svg/>");
  write_file(folder / "b/c/robust.json", R"([{"model": "m", "rank_correlation": {"a": 1}}])");
  write_file(folder / "summary.json", R"({"settings": []})");
  write_file(folder / "metrics.json", R"({"metrics": [{"setting": "x"}]})");
  write_file(folder / "half.json", "{\"run_name\": ");
  write_file(folder / "odd.json", R"({"run_name": "x", "condition": "y", "metrics": 3})");
  write_file(folder / ".hidden.json", "{");
  write_file(folder / "notes.txt", "{");

  const RunFolder found = run_folder(folder.path());
  REQUIRE(found.runs.size() == 1);
  CHECK(found.runs[0].path == "b/run.json");
  CHECK(found.runs[0].content == example_logs()[0]);
  REQUIRE(found.tabular.size() == 1);
  CHECK(found.tabular[0].content.table.name == "iris");
  REQUIRE(found.inspections.size() == 1);
  CHECK(found.inspections[0].content.contains("classes"));
  CHECK_FALSE(found.inspections[0].content.contains("samples"));
  REQUIRE(found.studies.size() == 1);
  CHECK(found.studies[0].content["means"].size() == 1);
  CHECK_FALSE(found.studies[0].content.contains("rows"));
  REQUIRE(found.slices.size() == 1);
  CHECK(found.slices[0].content.dump() == R"({"plane":{"u":[1]},"statistics":{"regions":2}})");
  REQUIRE(found.robustness.size() == 1);
  CHECK(found.pictures == std::vector<std::filesystem::path>{"b/slice.svg"});
  REQUIRE(found.unreadable.size() == 2);
  CHECK(found.unreadable[0].path == "half.json");
  CHECK(found.unreadable[0].content.starts_with("not JSON"));
  CHECK(found.unreadable[1].content == "metrics: found 3; expected an array of rows");
  CHECK(contains(message_of([&] { run_folder(folder / "absent"); }), "no such folder"));
}

}  // namespace
}  // namespace normalign::tests

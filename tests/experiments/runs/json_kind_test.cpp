#include "experiments/runs/json_kind.hpp"

#include <nlohmann/json.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

TEST_CASE("a file says its kind first, and a list is its entries") {
  CHECK(of_kind(kind::machine, {{"cpu", "x"}}).dump() == R"({"kind":"machine","cpu":"x"})");
  const Json list = of_kind(kind::robustness, Json::array({1, 2}));
  CHECK(list.dump() == R"({"kind":"robustness","entries":[1,2]})");
  CHECK(entries_in(list) == Json::array({1, 2}));
  CHECK(entries_in(Json::array({3})) == Json::array({3}));
  CHECK(kind_of(list) == kind::robustness);
  const TemporaryFolder folder;
  write_json_file(folder / "a.json", kind::summary, {{"settings", Json::array()}});
  CHECK(read_file(folder / "a.json") == "{\n  \"kind\": \"summary\",\n  \"settings\": []\n}\n");
}

TEST_CASE("a file from before files said their kind is known by its keys") {
  const auto kind = [](const char* content) { return kind_of(Json::parse(content)); };
  CHECK(kind(R"({"run_name": "a", "metrics": []})") == kind::run_log);
  CHECK(kind(R"({"condition": "a", "metrics": []})") == kind::run_log);
  CHECK(kind(R"({"run_name": "a", "folds": []})") == kind::tabular_log);
  CHECK(kind(R"({"classes": [], "chance_alignment": 0.1})") == kind::inspection);
  CHECK(kind(R"({"means": [], "chance_alignment": 0.1})") == kind::sparsity);
  CHECK(kind(R"({"plane": {}, "statistics": {}})") == kind::slice);
  CHECK(kind(R"([{"model": "a", "rank_correlation": {}}])") == kind::robustness);
  for (const char* other :
       {"3", "[]", "{}", "[1]", R"({"metrics": []})", R"({"kind": 3, "metrics": []})", R"({"settings": []})"}) {
    CAPTURE(other);
    CHECK(kind(other).empty());
  }
  CHECK(kind(R"({"kind": "slice", "metrics": []})") == kind::slice);
}

}  // namespace
}  // namespace normalign::tests

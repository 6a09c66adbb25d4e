// The JSON that the program writes and reads is as the schemas in docs/schema say, and they say all of it.
#include <algorithm>
#include <set>

#include "support/catch.hpp"
#include "support/json_schema.hpp"
#include "support/program.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Errors = std::vector<std::string>;

Json schema(const std::string& name) { return read_json(fs::path("docs/schema") / (name + ".schema.json")); }

TEST_CASE("a schema's keywords refuse what they should") {
  const auto errors = [](const char* schema, const char* json) {
    return schema_errors(Json::parse(schema), Json::parse(json));
  };
  CHECK(errors(R"({"type": ["integer", "null"]})", "null").empty());
  CHECK(errors(R"({"type": "integer"})", "110.0").empty());
  CHECK(errors(R"({"type": "integer"})", "1.5") == Errors{R"(top level: found 1.5, expected type "integer")"});
  CHECK(errors(R"({"type": "number", "minimum": 0})", "-1") == Errors{"top level: found -1, expected at least 0"});
  CHECK(errors(R"({"maximum": 100})", "101") == Errors{"top level: found 101, expected at most 100"});
  CHECK(errors(R"({"enum": ["a", "b"]})", R"("c")") == Errors{R"(top level: found "c", expected one of ["a","b"])"});
  CHECK(errors(R"({"items": {"type": "string"}})", R"(["a", 1])") == Errors{R"(1: found 1, expected type "string")"});
  CHECK(errors(R"({"minItems": 2, "maxItems": 2})", "[1]") == Errors{"top level: found [1], expected at least 2"});
  CHECK(errors(R"({"required": ["a"]})", R"({"b": 1})") == Errors{R"(top level: found {"b":1}, expected the key "a")"});
  const char* closed =
      R"({"properties": {"a": {"type": "object", "properties": {"b": {}}, "additionalProperties": false}}})";
  CHECK(errors(closed, R"({"a": {"b": 1}, "c": 2})").empty());
  CHECK(errors(closed, R"({"a": {"x": 1}})") == Errors{"a/x: found 1, expected nothing here"});
  CHECK(errors(R"({"additionalProperties": {"type": "number"}})", R"({"x": "1"})") ==
        Errors{R"(x: found "1", expected type "number")"});
  CHECK_THROWS_AS(errors(R"({"pattern": "a"})", "1"), std::invalid_argument);
}

// Runs the program, which must succeed.
void must_run(const Arguments& arguments) {
  const Finished finished = normalign(arguments);
  CAPTURE(arguments, finished.err);
  REQUIRE(finished.status == 0);
}

TEST_CASE("the log and the reports of a network are as their schemas say") {
  if (without_program("schemas of a network's files")) return;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder / name).string(); };
  must_run({"train",        "rings",
            "--epochs",     "3",
            "--out",        file("runs"),
            "--name",       "run",
            "--save-model", "--quiet",
            "--set",        "hidden=[12,12]",
            "--set",        "geometry_samples=4",
            "--set",        "noise_levels=[0.1]",
            "--set",        "attack_radii=[0.1]",
            "--set",        "max_regions=1000"});
  const std::string model = file("runs/run.safetensors");
  const Json log = read_json(file("runs/run.json"));
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
  CHECK(log["metrics"].back().contains("test_class_alignment"));

  for (const Arguments& clamp : {Arguments{}, Arguments{"--clamp", "-9", "9"}}) {
    Arguments inspect{"inspect", model,      "--task", "rings",    "--samples", "8",      "--certificates",
                      "3",       "--attack", "0",      "--attack", "0.2",       "--json", file("inspect.json")};
    inspect.insert(inspect.end(), clamp.begin(), clamp.end());
    must_run(inspect);
    CHECK(schema_errors(schema("inspection"), read_json(file("inspect.json"))) == Errors{});
  }

  must_run({"inspect", model, "--task", "rings", "--samples", "8", "--certificates", "3", "--details", "--json",
            file("details.json")});
  const Json details = read_json(file("details.json"));
  CHECK(schema_errors(schema("inspection"), details) == Errors{});
  CHECK(details["samples"][0]["certificate"].contains("adversarial") ==
        !details["samples"][0]["certificate"]["upper"].is_null());
  CHECK(details["samples"][7]["jacobian"][0].size() == 2);

  must_run({"slice", model, "--details", "--out", file("details")});
  const Json detailed = read_json(file("details.json"));
  CHECK(schema_errors(schema("slice"), detailed) == Errors{});
  CHECK(detailed["outputs"].size() == detailed["vertices"].size());
  CHECK(detailed["regions"].back()["input_slope"][0].size() == 2);

  must_run({"slice", model, "--task", "rings", "--points", "5", "--centroids", "--out", file("slice")});
  const Json slice = read_json(file("slice.json"));
  CHECK(schema_errors(schema("slice"), slice) == Errors{});
  CHECK(slice["regions"].size() == slice["statistics"]["regions"]);
  for (const bool is_boxed : {false, true}) {
    Arguments arguments = {"regions", model, "--json", file("regions.json")};
    if (is_boxed) arguments.insert(arguments.end(), {"--box", "1"});
    must_run(arguments);
    const Json regions = read_json(file("regions.json"));
    CHECK(schema_errors(schema("regions"), regions) == Errors{});
    CHECK(regions["regions"].size() == regions["num_regions"]);
    CHECK(regions["statistics"]["volume"].is_null() != is_boxed);
    arguments.push_back("--statistics-only");
    must_run(arguments);
    CHECK(schema_errors(schema("regions"), read_json(file("regions.json"))) == Errors{});
  }
  must_run({"slice", model, "--output", "0", "--level", "0.1", "--statistics-only", "--out", file("level")});
  CHECK(schema_errors(schema("slice"), read_json(file("level.json"))) == Errors{});
}

TEST_CASE("the log of a table of numbers and the importances of its machine are as their schemas say") {
  if (without_program("schema of a machine")) return;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder / name).string(); };
  std::string csv = "x,town,price\n";
  for (int i = 0; i < 40; ++i) csv += text(i % 9, i % 2 ? ",Ulm," : ",Jena,", i % 9 * 3, '\n');
  std::ofstream(folder / "own.csv") << csv;
  must_run({"tabular", file("own.csv"), "--target", "price", "--bandwidths", "[5,10]", "--out", file("runs"),
            "--save-model", "--json", file("table.json")});
  const Json log = read_json(file("runs/own_rfam_nested_seed0.json"));
  CHECK(schema_errors(schema("tabular_log"), log) == Errors{});
  CHECK(log["folds"][0].contains("test_rmse"));
  CHECK(schema_errors(schema("tabular_summary"), read_json(file("table.json"))) == Errors{});
  must_run({"importances", file("runs/own_rfam_nested_seed0.safetensors"), "--json", file("importances.json")});
  CHECK(schema_errors(schema("importances"), read_json(file("importances.json"))) == Errors{});
}

TEST_CASE("the log of a smooth network's inspection is as its schema says") {
  if (without_program("schema of an inspection")) return;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder / name).string(); };
  must_run({"train", "rings", "--epochs", "1", "--out", file("runs"), "--name", "run", "--save-model", "--quiet",
            "--set", "hidden=[8]", "--set", "activation=tanh"});
  must_run({"inspect", file("runs/run.safetensors"), "--task", "rings", "--samples", "4", "--json", file("out.json"),
            "--details"});
  const Json found = read_json(file("out.json"));
  CHECK(schema_errors(schema("inspection"), found) == Errors{});
  CHECK_FALSE(found.contains("certificates"));
}

TEST_CASE("the log of a run on a table is as its schema says") {
  if (without_program("schema of a tabular log")) return;
  const TemporaryFolder folder;
  write_file(folder / "table.csv",
             "x,y,kind\n1,2,a\n2,1,b\n0,1,a\n3,3,b\n1,1,a\n2,2,b\n0,2,a\n3,1,b\n1,0,a\n2,3,b\n0,0,a\n3,2,b\n");
  must_run({"tabular", (folder / "table.csv").string(), "--label", "kind", "--out", (folder / "runs").string(),
            "--protocol", "published", "--protocol", "nested"});
  must_run({"tabular", (folder / "table.csv").string(), "--label", "kind", "--out", (folder / "runs/apgd").string(),
            "--attack", "apgd", "--set", "attack_clamp=[-9,9]", "--alpha", "1"});
  CHECK(schema_errors(schema("tabular_log"), read_json(folder / "runs/apgd/table_rfm_nested_seed0.json")) == Errors{});
  fs::remove_all(folder / "runs/apgd");
  std::size_t logs = 0;
  for (const auto& file : fs::directory_iterator(folder / "runs")) {
    if (file.path().extension() != ".json") continue;
    CAPTURE(file.path().string());
    CHECK(schema_errors(schema("tabular_log"), read_json(file.path())) == Errors{});
    ++logs;
  }
  CHECK(logs == 4);
  must_run({"summary", (folder / "runs").string(), "--json", (folder / "summary.json").string()});
  CHECK(schema_errors(schema("tabular_summary"), read_json(folder / "summary.json")) == Errors{});
}

TEST_CASE("the log of a network trained on a table is as its schema says, and the network reads the table alike") {
  if (without_program("schema of the log of a network on a table")) return;
  const TemporaryFolder folder;
  std::string content = "colour,x,kind\n";
  for (int i = 0; i < 40; ++i) content += text(i % 3 ? "red" : "blue", ',', i, ',', i < 20 ? "low" : "high", '\n');
  write_file(folder / "own.csv", content);
  const std::string table = (folder / "own.csv").string(), out = (folder / "runs").string();
  must_run({"train", "table", table, "--label", "kind", "--columns", "x", "--columns", "colour", "--out", out,
            "--epochs", "30", "--widths", "16,8", "--save-model", "--condition", "grokalign"});
  const Json log = read_json(folder / "runs/own_grokalign_seed0.json");
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
  CHECK(log.at("dataset").at("columns").at(0).at("levels") == Json({"blue", "red"}));
  CHECK(log.at("config").at("hidden") == Json({16, 8}));
  const std::string json = (folder / "out.json").string();
  must_run({"inspect", (folder / "runs/own_grokalign_seed0.safetensors").string(), "--data", table, "--json", json});
  const Json found = read_json(json);
  CHECK(schema_errors(schema("inspection"), found) == Errors{});
  // What the model says of the table is not said again.
  const Finished refused = normalign(
      {"inspect", (folder / "runs/own_grokalign_seed0.safetensors").string(), "--data", table, "--drop", "x"});
  CHECK(refused.status == 2);
  CHECK(contains(refused.err, "--drop: found nothing in these samples that reads it, expected a model that does not"));
}

TEST_CASE("a network that predicts numbers is logged, reported and looked at as the schemas say") {
  if (without_program("schemas of a regression")) return;
  const TemporaryFolder folder;
  std::string content = "x,y,sum,product\n";
  for (int i = 0; i < 60; ++i) {
    const int x = i * i % 17, y = i % 7;
    content += text(x, ',', y, ',', x + y, ',', x * y, '\n');
  }
  write_file(folder / "own.csv", content);
  const auto file = [&](const char* name) { return (folder / name).string(); };
  const std::string model = file("runs/own_baseline_seed0.safetensors");
  const Finished trained =
      normalign({"train", "table", file("own.csv"), "--target", "sum", "--target", "product", "--out", file("runs"),
                 "--epochs", "40", "--widths", "16", "--save-model", "--set", "geometry_samples=4"});
  REQUIRE(trained.status == 0);
  CHECK(contains(trained.out, "R² train "));
  CHECK(contains(trained.err, "own.csv: 60 rows, 2 features, targets 'sum', 'product'"));
  const Json log = read_json(file("runs/own_baseline_seed0.json"));
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
  CHECK(log.at("config").at("loss") == "mse");
  CHECK_FALSE(log.at("config").contains("label_column"));
  const Json &first = log.at("metrics").front(), &last = log.at("metrics").back();
  CHECK(last.at("test_acc").get<double>() > first.at("test_acc").get<double>());
  CHECK_FALSE(last.contains("train_cross_entropy"));
  CHECK_FALSE(last.contains("class_alignment"));
  CHECK(last.contains("jacobian_norm"));

  must_run({"inspect", model, "--data", file("own.csv"), "--json", file("inspection.json")});
  const Json inspection = read_json(file("inspection.json"));
  CHECK(schema_errors(schema("inspection"), inspection) == Errors{});
  CHECK_FALSE(inspection.contains("certificates"));
  CHECK(inspection.at("classes").size() == 1);
  CHECK(inspection.at("samples").size() == 60);
  const auto refusal = [](const std::vector<std::string>& arguments) {
    const Finished found = normalign(arguments);
    CHECK(found.status == 2);
    return found.err;
  };
  CHECK(contains(refusal({"inspect", model, "--data", file("own.csv"), "--certificates", "2"}),
                 "--certificates: found 2, expected 0, as numbers are predicted"));
  CHECK(contains(refusal({"inspect", model, "--data", file("own.csv"), "--attack", "0.1"}), "attacks are on classes"));
  CHECK(contains(refusal({"robustness", file("inspection.json")}), "found no certificates"));
  must_run({"slice", model, "--data", file("own.csv"), "--out", file("slice")});
  CHECK(schema_errors(schema("slice"), read_json(file("slice.json"))) == Errors{});
  must_run({"status", file("runs"), "--json", file("status.json")});
  CHECK(schema_errors(schema("status"), read_json(file("status.json"))) == Errors{});
  must_run({"summary", file("runs"), "--json", file("summary.json")});
  CHECK(schema_errors(schema("summary"), read_json(file("summary.json"))) == Errors{});
  must_run({"report", file("runs"), "--out", file("report.html")});
  CHECK(contains(read_file(file("report.html")), "R² (%)"));

  const std::string table = file("own.csv");
  CHECK(contains(refusal({"train", "table", table, "--label", "x", "--target", "y"}), "--target: found after --label"));
  CHECK(contains(refusal({"train", "table", table, "--target", "y", "--targets", table}), "--targets: found after"));
  CHECK(contains(refusal({"train", "table", table, "--target", "y", "--loss", "cross_entropy"}),
                 "loss: found \"cross_entropy\", expected \"mse\""));
  CHECK(contains(refusal({"train", "table", table, "--target", "y", "--classes"}), "--classes: found nothing"));
  CHECK(contains(refusal({"train", "table", table, "--target", "z", "--out", file("z")}), "--target: found no 'z'"));
}

TEST_CASE("logs of runs that failed are as their schemas say") {
  if (without_program("schema of a failed log")) return;
  const TemporaryFolder folder;
  const Finished finished = normalign({"train", "rings", "--out", folder.path().string(), "--name", "run", "--quiet",
                                       "--set", "optimizer=sgd", "--learning-rate", "1e6", "--epochs", "50"});
  CHECK(finished.status == 1);
  const Json log = read_json(folder / "run.json");
  CHECK(log["status"] == "failed");
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
}

TEST_CASE("the reports of runs are as their schemas say") {
  if (without_program("schemas of reports")) return;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder / name).string(); };
  for (const char* condition : {"baseline", "grokalign"})
    must_run({"train", "rings", "--epochs", "200", "--out", file("runs"), "--condition", condition, "--save-model",
              "--quiet", "--set", "hidden=[12,12]", "--set", "geometry_samples=4"});
  must_run({"summary", file("runs"), "--json", file("summary.json")});
  CHECK(schema_errors(schema("summary"), read_json(file("summary.json"))) == Errors{});
  must_run({"summary", file("runs"), "--geometry", "--json", file("geometry.json")});
  CHECK(schema_errors(schema("geometry_summary"), read_json(file("geometry.json"))) == Errors{});
  must_run({"summary", file("runs"), "--metric", "test_acc", "--json", file("metrics.json")});
  CHECK(schema_errors(schema("metric_summary"), read_json(file("metrics.json"))) == Errors{});

  const std::string model = file("runs/rings_baseline_seed0.safetensors");
  must_run(
      {"inspect", model, "--task", "rings", "--samples", "12", "--certificates", "12", "--json", file("one.json")});
  must_run({"robustness", file("one.json"), file("one.json"), "--json", file("table.json"), "--out", folder.path()});
  CHECK(schema_errors(schema("robustness"), read_json(file("table.json"))) == Errors{});
}

TEST_CASE("what is told about a machine is as its schema says") {
  if (without_program("schema of a machine")) return;
  const TemporaryFolder folder;
  must_run({"machine", "--json", (folder / "machine.json").string()});
  CHECK(schema_errors(schema("machine"), read_json(folder / "machine.json")) == Errors{});
}

TEST_CASE("the states of runs and the logs of a grid are as their schemas say") {
  if (without_program("schema of a status")) return;
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder / name).string(); };
  write_file(folder / "s.json", R"({"settings": {"rings": {"hidden": [[4], [4, 4]], "epochs": 3}}, "seeds": [0],
                                    "conditions": {"grokalign": {"lambda": [0.1, 1]}}})");
  CHECK(schema_errors(schema("sweep"), read_json(folder / "s.json")) == Errors{});
  must_run({"sweep", file("s.json"), "--out", file("runs")});
  fs::remove(folder / "runs/rings_grokalign_hidden4_lambda0.1_seed0.json");
  const fs::path stopped = folder / "runs/rings_grokalign_hidden4_lambda1_seed0.json";
  Json log = read_json(stopped);
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
  log["status"] = "running";
  log["epoch"] = 2;
  CHECK(schema_errors(schema("run_log"), log) == Errors{});
  write_file(stopped, log.dump());
  normalign({"train", "rings", "--out", file("runs"), "--name", "run", "--quiet", "--set", "optimizer=sgd",
             "--learning-rate", "1e6", "--epochs", "50"});
  must_run({"status", file("runs"), "--sweep", file("s.json"), "--json", file("status.json")});
  const Json status = read_json(folder / "status.json");
  CHECK(schema_errors(schema("status"), status) == Errors{});
  std::set<std::string> states;
  for (const Json& run : status["runs"]) states.insert(run["state"]);
  CHECK(states == std::set<std::string>{"failed", "finished", "stopped", "waiting"});
}

TEST_CASE("the committed results are as their schemas say") {
  const auto holds = [](const char* name, const fs::path& file) {
    CAPTURE(file.string());
    CHECK(schema_errors(schema(name), read_json(file)) == Errors{});
  };
  const fs::path results = "docs/results";
  for (const auto& folder : fs::directory_iterator(results)) {
    if (fs::exists(folder.path() / "epochs.json")) holds("summary", folder.path() / "epochs.json");
    if (fs::exists(folder.path() / "geometry.json")) holds("geometry_summary", folder.path() / "geometry.json");
  }
  holds("metric_summary", results / "lazy_regime/metrics.json");
  holds("tabular_summary", results / "tabular/summary.json");
  holds("robustness", results / "alignment_robustness/table.json");
  holds("sparsity", results / "sparsity/sparsity.json");
  holds("rfm_grokking", results / "rfm_grokking/rfm_grokking.json");
}

TEST_CASE("the files of sweeps are as their schema says") {
  for (const auto& file : fs::directory_iterator("configs")) {
    CAPTURE(file.path().string());
    CHECK(schema_errors(schema("sweep"), read_json(file.path())) == Errors{});
  }
}

TEST_CASE("every schema is one of those tested here") {
  std::vector<std::string> found;
  for (const auto& file : fs::directory_iterator("docs/schema")) found.push_back(file.path().filename().string());
  std::ranges::sort(found);
  CHECK(found == std::vector<std::string>{"geometry_summary.schema.json", "importances.schema.json",
                                          "inspection.schema.json", "machine.schema.json", "metric_summary.schema.json",
                                          "regions.schema.json", "rfm_grokking.schema.json", "robustness.schema.json",
                                          "run_log.schema.json", "slice.schema.json", "sparsity.schema.json",
                                          "status.schema.json", "summary.schema.json", "sweep.schema.json",
                                          "tabular_log.schema.json", "tabular_summary.schema.json"});
}

}  // namespace
}  // namespace normalign::tests

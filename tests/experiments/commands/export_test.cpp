// What a user may rely on in `normalign export`, and in the archives of inspect and slice.
#include <filesystem>

#include "experiments/tabular/log.hpp"
#include "support/catch.hpp"
#include "support/curve_logs.hpp"
#include "support/message_of.hpp"
#include "support/npz_arrays.hpp"
#include "support/program.hpp"
#include "support/python.hpp"
#include "support/tabular_logs.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

// Runs that must succeed.
Finished succeeded(const Arguments& arguments) {
  Finished finished = normalign(arguments);
  CAPTURE(joined(arguments, " "), finished.err);
  CHECK(finished.status == 0);
  return finished;
}

// What a command that must be refused says.
std::string refusal(const Arguments& arguments) {
  const Finished finished = normalign(arguments);
  CAPTURE(joined(arguments, " "));
  CHECK(finished.status == 2);
  CHECK(finished.out.empty());
  return finished.err;
}

TEST_CASE(
    "export: the epochs of all runs in files and folders, unfinished ones too, and what cannot be read is named") {
  if (without_program("export of logs")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  fs::create_directories(folder / "runs/below");
  write_log(folder / "runs/one.json", run_of("baseline", {row(0, 50, 40), row(10, 60, 45, 0.5)}));
  RunLog running = run_of("grokalign", {row(0, 52, 44)});
  running.run_name = "two";
  running.status = RunStatus::running;
  write_log(folder / "runs/below/two.json", running);
  write_log(folder / "third.json", run_of("grokalign", {row(0, 53, 44)}));
  write_file(folder / "runs/table.json", R"({"kind": "summary", "settings": []})");
  write_file(folder / "runs/damaged.json", R"({"kind": "run_log", "run_name": "x")");

  const Finished finished = succeeded({"export", path("runs"), path("third.json"), path("runs/one.json"), "--csv",
                                       path("out.csv"), "--npz", path("out.npz")});
  CHECK(contains(finished.err, "1 run is unfinished, exported as far as written: two\n"));
  CHECK(contains(finished.err, path("runs/damaged.json") + ": not JSON"));
  CHECK(contains(finished.err, path("out.csv") + ": 4 rows\n"));
  CHECK(contains(finished.err, path("out.npz") + ": 15 arrays\n"));
  CHECK(contains(finished.err, "1 file left out, unreadable: " + path("runs/damaged.json")));
  const std::vector<std::string> csv = lines(read_file(folder / "out.csv"));
  REQUIRE(csv.size() == 5);
  CHECK(csv[0] ==
        "file,run,task,condition,seed,status,grokking_epoch,epoch,train_acc,test_acc,train_loss,test_loss,opt_time,"
        "centroid_alignment,test_centroid_alignment");
  CHECK(csv[1] == path("runs/below/two.json") + ",two,toy,grokalign,,running,,0,52.0,44.0,0.48,0.0,0.0,,");
  CHECK(csv[3] == path("runs/one.json") + ",run,toy,baseline,,finished,,10,60.0,45.0,0.4,0.0,0.0,0.5,0.25");
  const auto arrays = npz_arrays(folder / "out.npz");
  CHECK(arrays.at("status").texts == std::vector<std::string>{"running", "finished", "finished", "finished"});
  CHECK(arrays.at("epoch").numbers == Matrix<double>{{0}, {0}, {10}, {0}});
  CHECK(arrays.at("test_acc").numbers == Matrix<double>{{44}, {40}, {45}, {44}});

  if (without_numpy()) return;
  CHECK(numpy_says(R"(
runs = np.load(sys.argv[1])
rows = runs["condition"] == "baseline"
print(runs["epoch"].dtype, runs["epoch"][rows], runs["test_acc"][rows])
)",
                   {path("out.npz")}) == "int64 [ 0 10] [40. 45.]\n");
}

TEST_CASE("export: one kind at a time, something to export and somewhere to") {
  if (without_program("refusals of export")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  write_log(folder / "run.json", run_of("baseline", {row(0, 50, 40)}));
  write_log(folder / "iris.json", tabular_log("iris", 1, {80, 90}));
  write_file(folder / "table.json", R"({"kind": "summary", "settings": []})");
  write_file(folder / "other.json", "[1]");
  write_file(folder / "damaged.json", "{");
  fs::create_directories(folder / "empty");
  write_file(folder / "empty/table.json", R"({"kind": "summary", "settings": []})");
  const std::string csv = path("out.csv");

  CHECK(refusal({"export", path("run.json")}) ==
        "normalign: export: found neither --csv nor --npz, expected one or both\n");
  CHECK(refusal({"export", path("run.json"), path("iris.json"), "--csv", csv}) ==
        "normalign: " + path("iris.json") + ": found a file of kind tabular_log, expected run_log, as " +
            path("run.json") + " is\n");
  CHECK(contains(refusal({"export", folder.path().string(), "--csv", csv}),
                 "found a file of kind run_log, expected tabular_log"));
  CHECK(refusal({"export", path("table.json"), "--csv", csv}) ==
        "normalign: " + path("table.json") +
            ": found a file of kind summary, expected one of run_log, tabular_log, inspection, slice, regions, "
            "robustness\n");
  CHECK(contains(refusal({"export", path("other.json"), "--csv", csv}), "found JSON of no kind, expected one of"));
  CHECK(contains(refusal({"export", path("damaged.json"), "--csv", csv}), path("damaged.json") + ": not JSON"));
  CHECK(refusal({"export", path("run.json"), path("none.json"), "--csv", csv}) ==
        "normalign: " + path("none.json") + ": found no such file or folder, expected logs of runs\n");
  CHECK(refusal({"export", path("empty"), "--csv", csv}) ==
        "normalign: " + path("empty") + ": found no row of a log, expected some\n");
  CHECK(contains(refusal({"export", path("run.json"), "--npz", path("out.npz"), "--table", "x"}),
                 "--table: found without --csv"));
  CHECK(contains(refusal({"export", path("run.json"), "--csv", csv, "--table", "x"}),
                 "--table: found 'x', expected none, as " + path("run.json") + " is exported as one table"));
  CHECK(contains(refusal({"export", path("run.json"), "--npz", folder.path().string()}),
                 "found a folder, a pipe or a device, expected a regular file"));
  CHECK_FALSE(fs::exists(csv));

  CHECK(succeeded({"export", path("iris.json"), "--csv", csv}).err == csv + ": 2 rows\n");
  // A CSV that goes to standard output has that for itself.
  CHECK(succeeded({"export", path("iris.json"), "--csv", "/dev/stdout"}).out == read_file(csv));
  CHECK(lines(read_file(csv)).front().starts_with("file,run,table,condition,protocol,seed,status,fold,"));
}

TEST_CASE("export: what is in the files of a model's geometry, and the same from memory") {
  if (without_program("export of geometry")) return;
  const TemporaryFolder folder;
  const auto path = [&](const std::string& name) { return (folder / name).string(); };
  succeeded({"train", "rings", "--epochs", "1", "--out", path("runs"), "--name", "run", "--save-model", "--quiet",
             "--set", "hidden=[8]"});
  const std::string model = path("runs/run.safetensors"), csv = path("out.csv"), npz = path("out.npz");
  const auto check_same = [&](const std::string& file) {
    const auto from_memory = npz_arrays(file), from_json = npz_arrays(npz);
    CHECK(from_memory.size() == from_json.size());
    for (const auto& [name, array] : from_memory)
      CHECK((from_json.contains(name) && are_same(array, from_json.at(name))));
  };

  succeeded({"inspect", model, "--task", "rings", "--samples", "9", "--certificates", "4", "--details", "--json",
             path("i.json"), "--npz", path("i.npz")});
  CHECK(succeeded({"export", path("i.json"), "--csv", csv, "--npz", npz}).err ==
        csv + ": 9 rows\n" + npz + ": 28 arrays\n");
  check_same(path("i.npz"));
  CHECK(contains(lines(read_file(csv)).front(), ",jacobian_0_0,jacobian_0_1,"));

  succeeded({"slice", model, "--task", "rings", "--details", "--out", path("s"), "--npz", path("s.npz")});
  succeeded({"export", path("s.json"), "--npz", npz});
  check_same(path("s.npz"));
  succeeded({"export", path("s.json"), "--csv", csv, "--table", "corners"});
  CHECK(lines(read_file(csv)).front() == "region,vertex,t_0,t_1");
  CHECK(contains(refusal({"export", path("s.json"), "--csv", csv, "--table", "corner"}),
                 "--table: found 'corner', expected one of regions, corners, vertices, edges, boundary, points; did "
                 "you mean corners?"));
  CHECK(contains(refusal({"export", path("s.json"), path("i.json"), "--csv", csv}), "expected slice, as "));
  fs::copy(path("s.json"), path("t.json"));
  CHECK(contains(refusal({"export", path("s.json"), path("t.json"), "--csv", csv}),
                 path("t.json") + ": found a second file of kind slice, expected one at a time, or logs of runs"));

  // What the JSON leaves out the archive has.
  succeeded({"slice", model, "--statistics-only", "--out", path("s"), "--npz", path("small.npz")});
  CHECK(npz_arrays(path("small.npz")).contains("regions/input_slope"));
  CHECK(contains(refusal({"export", path("s.json"), "--csv", csv}), "--table: found 'regions', expected one of "));

  succeeded({"regions", model, "--box", "2", "--json", path("r.json")});
  succeeded({"export", path("r.json"), "--csv", csv, "--npz", npz});
  const auto regions = npz_arrays(npz);
  CHECK(regions.at("regions/code").rows() == static_cast<Index>(lines(read_file(csv)).size()) - 1);
  CHECK(regions.at("units").numbers == Matrix<double>{{8}});

  succeeded({"robustness", path("i.json"), "--json", path("robustness.json"), "--out", path("pictures")});
  succeeded({"export", path("robustness.json"), "--csv", csv});
  CHECK(contains(lines(read_file(csv)).front(), "rank_correlation_class_alignment"));
}

TEST_CASE("inspect and slice: details belong to a file that has room for them") {
  if (without_program("--details")) return;
  CHECK(contains(refusal({"inspect", "m.safetensors", "--details"}), "--details: found without --json"));
  CHECK(contains(refusal({"slice", "m.safetensors", "--details", "--statistics-only"}),
                 "--details: found with --statistics-only"));
}

}  // namespace
}  // namespace normalign::tests

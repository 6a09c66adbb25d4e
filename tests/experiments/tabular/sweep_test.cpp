#include "experiments/tabular/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "linalg/random.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/program.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A data set of two classes that lie apart, in the layout of the collection; each class has half of the rows.
void write_uci(const fs::path& collection, const std::string& name, int rows) {
  const fs::path folder = collection / name;
  fs::create_directories(folder);
  const auto count = [](int n) { return std::to_string(n); };
  write_file(folder / (name + ".txt"), "n_entradas= 2\nn_clases= 2\nn_arquivos= 1\nfich1= d.dat\nn_patrons1= " +
                                           count(rows) + "\nn_patrons_entrena= " + count(rows / 2) +
                                           "\nn_patrons_valida= " + count(rows - rows / 2) + "\nn_conxuntos= 1\n");
  std::string data = "\tf1\tf2\tclase\n", even, odd, folds;
  for (int i = 0; i < rows; ++i) {
    const bool second = i % 4 >= 2;
    data += count(i + 1) + '\t' + count((second ? 3 : -3) + i % 3) + '\t' + count(i % 7) + '\t' + (second ? "1" : "0") +
            '\n';
    (i % 2 == 0 ? even : odd) += count(i) + ' ';
  }
  write_file(folder / "d.dat", data);
  write_file(folder / "conxuntos.dat", even + '\n' + odd + '\n');
  for (int i = 0; i < 4; ++i) folds += i % 2 == 0 ? even + '\n' + odd + '\n' : odd + '\n' + even + '\n';
  write_file(folder / "conxuntos_kfold.dat", folds);
}

Arguments tabular_command(const std::string& data, const fs::path& out, const Arguments& more = {}) {
  Arguments result{"tabular", "--out", out.string(), "--set", "attack_steps=2", "--set", "updates=1"};
  if (!data.empty()) result.insert(result.begin() + 1, data);
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> result;
  for (const auto& file : fs::directory_iterator(folder)) result.insert(file.path().filename().string());
  return result;
}

Json without_times(const fs::path& file) {
  Json json = Json::parse(read_file(file));
  json.erase("environment");
  for (const char* key : {"selection_seconds", "refit_seconds", "attack_seconds", "geometry_seconds"})
    json["cost"].erase(key);
  return json;
}

TEST_CASE("tabular runs: every combination, the costliest first; tables that are too large are left out") {
  const TemporaryFolder folder;
  write_uci(folder.path(), "small", 8);
  write_uci(folder.path(), "large", 40);
  write_uci(folder.path(), "huge", 8);
  std::string description = read_file(folder / "huge" / "huge.txt");
  description.replace(description.find("n_patrons1= 8"), 13, "n_patrons1= 100001");
  write_file(folder / "huge" / "huge.txt", description);
  std::ostringstream out;
  const auto runs = tabular_runs({.source = {.path = folder.path()}, .seeds = {0, 1}}, out);
  REQUIRE(runs.size() == 8);
  CHECK(run_name(runs[0].config) == "large_rfm_published_seed0");
  CHECK(run_name(runs[3].config) == "large_rfam_published_seed1");
  CHECK(run_name(runs[7].config) == "small_rfam_published_seed1");
  CHECK(out.str() == "tabular: huge has 100001 rows, more than 100000: left out\n");
  const auto message = [&](const TabularRequest& request) { return message_of([&] { tabular_runs(request, out); }); };
  CHECK(contains(message({.source = {.path = folder.path()}, .datasets = {"iris"}}), "--dataset: found 'iris'"));
  CHECK(contains(message({.source = {.path = folder.path()}, .alphas = {2}}), "alpha: found 2"));
  CHECK(contains(message({.source = {.path = folder.path()}, .seeds = {3, 3}}), "found two named"));
  CHECK(contains(message({.source = {.path = folder / "none"}}), "found nothing, expected a folder of data sets"));
  CHECK(contains(message({.source = {.path = folder / "small" / "d.dat"}}), "found neither --label nor --target"));
  CHECK(contains(message({.source = {.table = {.label = "y"}}}), "--label: found 'y' without a CSV file"));
}

TEST_CASE("tabular: all sets of a folder, a broken one told and tabled as failed, the others done") {
  if (without_program("tabular")) return;
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "broken"}) write_uci(folder / "uci", name, 16);
  write_file(folder / "uci" / "broken" / "d.dat", "");
  const fs::path out = folder / "runs";
  const Finished first = normalign(tabular_command((folder / "uci").string(), out, {"--jobs", "2"}));
  CAPTURE(first.out, first.err);
  CHECK(first.status == 1);
  CHECK(contains(first.err, "normalign: broken_rfm_published_seed0: "));
  CHECK(contains(first.err, "4 done, 0 running, 0 left, 2 failed\n"));
  CHECK(contains(first.out, "2 runs failed: broken_"));
  CHECK(files_in(out).size() == 6);
  CHECK(read_tabular_log(out / "broken_rfm_published_seed0.json").status == RunStatus::failed);
  const TabularLog log = read_tabular_log(out / "a_rfam_published_seed0.json");
  CHECK(log.status == RunStatus::finished);
  CHECK(log.condition == "RFAM");
  CHECK(log.result.folds.size() == 4);
  CHECK(log.table.samples == 16);
  CHECK(*means(log).test_acc > 90);
  const Finished other =
      normalign(tabular_command((folder / "uci").string(), out, {"--dataset", "a", "--bandwidth", "3"}));
  CHECK(other.status == 2);
  CHECK(contains(other.err, "config.bandwidth: found 10.0, expected 3.0"));

  const Finished table = normalign({"summary", out.string(), "--tsv", (folder / "rows.tsv").string()});
  CAPTURE(table.err);
  CHECK(table.status == 0);
  CHECK(table.out == first.out);
  CHECK(lines(read_file(folder / "rows.tsv")).size() == 3);
  const Finished against = normalign({"summary", out.string(), "--against", (folder / "rows.tsv").string()});
  CHECK(contains(against.out, "against published"));
}

TEST_CASE("tabular: the synthetic table, both protocols, in shards") {
  if (without_program("tabular shards")) return;
  const TemporaryFolder folder;
  const Arguments both = {"--protocol", "published", "--protocol", "nested", "--set", "regularisations=[1]"};
  for (const char* shard : {"2/2", "1/2"}) {
    Arguments more = both;
    more.insert(more.end(), {"--shard", shard});
    const Finished part = normalign(tabular_command("", folder / "runs", more));
    CAPTURE(part.out, part.err);
    CHECK(part.status == 0);
    CHECK(files_in(folder / "runs").size() == (shard[0] == '2' ? 2 : 4));
  }
  const Finished table = normalign({"summary", (folder / "runs").string()});
  CHECK(contains(lines(table.out).front(), "published RFM"));
  CHECK(contains(lines(table.out).front(), "nested RFAM"));
}

TEST_CASE("tabular: a table of one's own, scaled unless asked not to") {
  if (without_program("tabular csv")) return;
  const TemporaryFolder folder;
  std::string csv = "x,kind,y\n";
  for (int i = 0; i < 40; ++i)
    csv += std::to_string(i % 5 + (i % 2) * 1000) + (i % 2 ? ",cat," : ",dog,") + std::to_string(i % 3) + "\n";
  write_file(folder / "pets.csv", csv);
  const Finished finished =
      normalign(tabular_command((folder / "pets.csv").string(), folder / "runs", {"--label", "kind"}));
  CAPTURE(finished.out, finished.err);
  CHECK(finished.status == 0);
  const TabularLog log = read_tabular_log(folder / "runs" / "pets_rfm_nested_seed0.json");
  CHECK(log.table.standardised);
  CHECK(log.table.classes == 2);
  CHECK(log.table.features == 2);
  CHECK(*means(log).test_acc == 100);
  CHECK(lines(finished.out).front() == "pets                   nested RFM  nested RFAM");
  CHECK_FALSE(contains(finished.out, "p two-sided"));
  const Finished plain = normalign(
      tabular_command((folder / "pets.csv").string(), folder / "plain", {"--label", "kind", "--no-standardise"}));
  CHECK_FALSE(read_tabular_log(folder / "plain" / "pets_rfm_nested_seed0.json").table.standardised);
}

TEST_CASE("tabular: another label, another file of the same name and other settings are other runs") {
  if (without_program("tabular identity")) return;
  const TemporaryFolder folder;
  // y1 can be told from x, y2 can not.
  const auto write = [&](const fs::path& file, int shift) {
    std::string csv = "x,z,y1,y2\n";
    for (int i = 0; i < 40; ++i)
      csv += std::to_string(i % 2 * 9 + shift) + "," + std::to_string(i % 7) + (i % 2 ? ",1," : ",0,") +
             (i / 2 % 2 ? "1" : "0") + "\n";
    fs::create_directories(file.parent_path());
    write_file(file, csv);
  };
  write(folder / "here" / "two.csv", 0);
  write(folder / "there" / "two.csv", 1);
  write(folder / "copy" / "two.csv", 0);
  const auto tabular = [&](const char* place, const char* label, const char* out, const Arguments& more = {}) {
    Arguments arguments = {"--label", label};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return normalign(tabular_command((folder / place / "two.csv").string(), folder / out, arguments));
  };
  REQUIRE(tabular("here", "y1", "runs").status == 0);
  CHECK(contains(tabular("copy", "y1", "runs").err, "2 runs are there already"));
  const auto check_refused = [&](const Finished& finished, const std::string& difference) {
    CAPTURE(finished.err, difference);
    CHECK(finished.status == 2);
    CHECK(finished.out.empty());
    CHECK(contains(finished.err, "another run of that name is there: " + difference));
  };
  check_refused(tabular("here", "y2", "runs"), "dataset.label: found \"y1\", expected \"y2\"");
  check_refused(tabular("there", "y1", "runs"), "dataset.file_hash: found \"");
  check_refused(tabular("here", "y1", "runs", {"--bandwidth", "3"}), "config.bandwidth: found 10.0, expected 3.0");
  CHECK(tabular("here", "y2", "others").status == 0);
  CHECK(*means(read_tabular_log(folder / "runs" / "two_rfm_nested_seed0.json")).test_acc == 100);
  CHECK(*means(read_tabular_log(folder / "others" / "two_rfm_nested_seed0.json")).test_acc < 80);
}

TEST_CASE("tabular: a set of the collection whose files change is another table") {
  if (without_program("tabular collection identity")) return;
  const TemporaryFolder folder;
  write_uci(folder / "uci", "a", 40);
  const fs::path data = folder / "uci" / "a" / "d.dat";
  const auto tabular = [&] { return normalign(tabular_command((folder / "uci").string(), folder / "runs")); };
  REQUIRE(tabular().status == 0);
  write_file(folder / "uci" / "a" / "notes.txt", "of no consequence");
  CHECK(contains(tabular().err, "2 runs are there already"));
  std::string content = read_file(data);
  content[content.find("-3") + 1] = '4';
  write_file(data, content);
  const Finished changed = tabular();
  CHECK(changed.status == 2);
  CHECK(contains(changed.err, "dataset.file_hash: found \""));
}

TEST_CASE("tabular: a run that failed is done anew when its data are mended; a finished one stays when they break") {
  if (without_program("tabular mended data")) return;
  const TemporaryFolder folder;
  write_uci(folder / "uci", "a", 40);
  const fs::path data = folder / "uci" / "a" / "d.dat", description = folder / "uci" / "a" / "a.txt";
  const std::string whole = read_file(data), described = read_file(description);
  const auto tabular = [&] { return normalign(tabular_command((folder / "uci").string(), folder / "runs")); };
  const auto log = [&] { return read_tabular_log(folder / "runs" / "a_rfm_published_seed0.json"); };
  write_file(data, whole.substr(0, whole.size() / 2));
  CHECK(tabular().status == 1);
  CHECK(log().status == RunStatus::failed);
  write_file(data, whole);
  CHECK(tabular().status == 0);
  CHECK(log().status == RunStatus::finished);
  write_file(description, "x");
  const Finished broken = tabular();
  CHECK(broken.status == 1);
  CHECK(contains(broken.err, "a.txt: line 1: found 'x'"));
  CHECK(log().status == RunStatus::finished);
  write_file(description, described);
  CHECK(contains(tabular().err, "2 runs are there already"));
}

TEST_CASE("tabular: a setting that the runs do not read is refused, and is not in their logs") {
  if (without_program("tabular settings")) return;
  const TemporaryFolder folder;
  const auto tabular = [&](const Arguments& more) { return normalign(tabular_command("", folder / "runs", more)); };
  const Finished finished = tabular({"--exponent", "0.7"});
  CHECK(finished.status == 2);
  CHECK(finished.err ==
        "normalign: --exponent: found nothing in these runs that reads exponent, expected the kernel "
        "generalised_laplace\n");
  CHECK(contains(tabular({"--set", "attack_radii=[]"}).err, "--set attack_steps: found nothing"));
  CHECK(contains(tabular({"--attack", "apgd", "--set", "attack_step=0.2"}).err,
                 "--set attack_step: found nothing in these runs that reads attack_step, expected the attack pgd"));
  CHECK(contains(tabular({"--set", "attack_restarts=2"}).err, "expected the attack apgd"));
  CHECK(contains(tabular({"--attack", "fgsm"}).err, "attack: found 'fgsm', expected one of pgd, apgd"));
  TabularConfig config;
  CHECK_FALSE(to_json(config).contains("attack_restarts"));
  config.attack = "apgd";
  CHECK(to_json(config).contains("attack_restarts"));
  CHECK_FALSE(to_json(config).contains("attack_step"));
  config.attack_radii = {};
  for (const char* setting : {"attack", "attack_steps", "attack_restarts", "attack_clamp"})
    CHECK_FALSE(to_json(config).contains(setting));
  CHECK_FALSE(to_json(config).contains("exponent"));
  config.kernel = "generalised_laplace";
  CHECK(to_json(config).contains("exponent"));
  CHECK(message_of([&] { require_read("--exponent", "exponent", config); }) == "nothing was thrown");
  config.updates = 0;
  CHECK(contains(message_of([&] { require_read("--set agop_samples", "agop_samples", config); }),
                 "expected updates above 0"));
}

TEST_CASE("tabular: a run under another attack is another run, and takes its settings along") {
  if (without_program("tabular attack")) return;
  const TemporaryFolder folder;
  const auto tabular = [&](const char* out, const Arguments& more) {
    return normalign(tabular_command("", folder / out, more));
  };
  const Arguments strong{"--alpha",           "1",     "--attack",           "apgd", "--set",
                         "attack_restarts=2", "--set", "attack_clamp=[-9,9]"};
  const Finished first = tabular("strong", strong);
  CAPTURE(first.err);
  REQUIRE(first.status == 0);
  const fs::path file = fs::directory_iterator(folder / "strong")->path();
  const TabularLog log = read_tabular_log(file);
  CHECK(log.config.attack == "apgd");
  CHECK(log.config.attack_restarts == 2);
  CHECK(log.config.attack_clamp == std::vector<double>{-9, 9});
  for (const TabularFold& fold : log.result.folds) {
    CHECK(fold.robust_acc[0] <= fold.test_acc);
    CHECK(fold.robust_acc[2] <= fold.robust_acc[1]);
  }
  CHECK(contains(tabular("strong", strong).err, "there already"));
  const Finished other = tabular("strong", {"--alpha", "1"});
  CHECK(other.status == 2);
  CHECK(contains(other.err, "config.attack: found \"apgd\", expected \"pgd\""));
  // Tables of both attacks are not made.
  REQUIRE(tabular("strong/pgd", {"--alpha", "1"}).status == 0);
  const Finished both = normalign({"summary", (folder / "strong").string()});
  CHECK(both.status != 0);
  CHECK(contains(both.err, "found the attacks pgd, 2 steps of 0.1 radii, and apgd, 2 steps, 2 starts for each loss"));
  CHECK(contains(first.out, "Attacks: apgd, 2 steps, 2 starts for each loss, features from -9 to 9."));
}

TEST_CASE("tabular: numbers of several columns are predicted, and the machine of all rows is kept") {
  if (without_program("tabular regression")) return;
  const TemporaryFolder folder;
  std::string csv = "x,town,price,rent\n";
  for (int i = 0; i < 60; ++i)
    csv += text(i % 15, i % 2 ? ",Ulm," : ",Jena,", 1000 * (i % 15) + 500 * (i % 2), ',', 20 - i % 15, '\n');
  write_file(folder / "houses.csv", csv);
  const std::string file = (folder / "houses.csv").string();
  const auto run = [&](const char* out, const Arguments& more) {
    Arguments all{"tabular", file, "--out", (folder / out).string(), "--set", "updates=1"};
    all.insert(all.end(), more.begin(), more.end());
    return normalign(all);
  };
  const Arguments asked{"--target", "price", "--target", "rent", "--save-model"};
  const Finished finished = run("runs", asked);
  CAPTURE(finished.out, finished.err);
  REQUIRE(finished.status == 0);
  CHECK(contains(finished.out, "test 100 R2"));
  CHECK_FALSE(contains(finished.out, "test_acc"));
  CHECK_FALSE(contains(finished.out, "robust"));
  CHECK(contains(finished.err,
                 "houses.csv: 60 rows, 3 features of 2 columns (categories: town in 2), targets 'price', "
                 "'rent'; header yes\n"));
  const TabularLog log = read_tabular_log(folder / "runs" / "houses_rfm_nested_seed0.json");
  CHECK(log.table.targets == std::vector<std::string>{"price", "rent"});
  CHECK(log.table.classes == 0);
  CHECK(*means(log).test_acc > 95);
  CHECK(*means(log).test_rmse < 1000);
  CHECK(files_in(folder / "runs").size() == 4);

  // The same command goes on where a model is missing, and makes the same one.
  const fs::path model = folder / "runs" / "houses_rfam_nested_seed0.safetensors";
  const std::string before = read_file(model);
  fs::remove(model);
  CHECK(contains(run("runs", asked).err, "1 run is there already, 1 run to do"));
  CHECK(read_file(model) == before);
  fs::remove(model);
  Arguments apart = asked;
  apart.insert(apart.end(), {"--jobs", "2"});
  CHECK(contains(run("runs", apart).err, "1 runs are there already, 1 to do"));
  CHECK(read_file(model) == before);

  const std::pair<Arguments, const char*> mistakes[] = {
      {{"--target", "town"}, "column 2 (town): found texts, such as 'Jena', expected numbers to predict"},
      {{"--target", "price", "--label", "town"}, "--label: found 'town' beside a target, expected one of them"},
      {{"--target", "price", "--targets", file}, "--target: found 'price' beside the file "},
      {{"--label", "town", "--labels", file}, "--label: found 'town' beside a file of labels"},
      {{"--target", "price", "--attack", "pgd"}, "--attack: found nothing in these runs that reads attack"},
      {{"--target", "price", "--set", "attack_radii=[1]"}, "attack_radii: found some for a table of targets"}};
  for (const auto& [wrong, message] : mistakes) {
    const Finished refused = run("other", wrong);
    CAPTURE(wrong, refused.err);
    CHECK(refused.status != 0);
    CHECK(refused.out.empty());
    CHECK(contains(refused.err, message));
  }

  // The model of another table under the same name goes with its log.
  write_file(folder / "houses.csv", csv + "3,Ulm,99000,1\n");
  fs::remove(folder / "runs" / "houses_rfam_nested_seed0.json");
  REQUIRE(run("runs", {"--target", "price", "--target", "rent", "--alpha", "0"}).status == 0);
  CHECK_FALSE(fs::exists(model));
  CHECK(contains(normalign(tabular_command("", folder / "other", {"--save-model"})).err,
                 "--save-model: found it without"));
}

TEST_CASE("tabular: what was taken for what in a file is told once, and its options reach every run") {
  if (without_program("tabular csv options")) return;
  const TemporaryFolder folder;
  std::string csv = "\"\",\"x\",\"y\",\"k\"\n";
  for (int i = 0; i < 40; ++i) csv += text('"', i + 1, "\",", i % 7, ',', i % 5, ',', i % 2 ? "0.5" : "1.5", '\n');
  write_file(folder / "pets.csv", csv);
  const auto run = [&](const Arguments& more) {
    Arguments all{"--label", "k"};
    all.insert(all.end(), more.begin(), more.end());
    return normalign(tabular_command((folder / "pets.csv").string(), folder / "runs", all));
  };
  for (const Arguments& wrong : {Arguments{"--classes"}, Arguments{"--index-column", "drop"},
                                 Arguments{"--index-column", "no", "--classes"}, Arguments{"--header", "1"}}) {
    const Finished finished = run(wrong);
    CAPTURE(wrong, finished.err);
    CHECK(finished.status == 2);
    CHECK(lines(finished.err).size() == 1);
  }
  const Finished finished = run({"--index-column", "drop", "--classes", "--header", "yes"});
  CAPTURE(finished.err);
  CHECK(finished.status == 0);
  const std::string told =
      "pets.csv: 40 rows, 2 features, label 'k' (2 classes); header yes, index column '' dropped\n";
  CHECK(finished.err.find(told) == finished.err.rfind(told));
  CHECK(finished.err.starts_with(told));
  CHECK(read_tabular_log(folder / "runs" / "pets_rfam_nested_seed0.json").table.features == 2);
}

TEST_CASE("tabular: killed again and again it ends with the logs of one that is left alone") {
  if (without_program("killed tabular")) return;
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) write_uci(folder / "uci", name, 120);
  const std::string data = (folder / "uci").string();
  const fs::path out = folder / "runs", quiet = folder / "quiet";
  REQUIRE(normalign(tabular_command(data, quiet)).status == 0);
  RandomIntegers random(20260508, Stream::gradcheck, 9);
  for (int i = 0; i < 8; ++i) {
    const double u = static_cast<double>(random.below(1000)) / 1000;
    Child sweep(command(tabular_command(data, out)));
    std::this_thread::sleep_for(std::chrono::duration<double>(0.5 * u * u));
    sweep.kill();
    sweep.wait();
  }
  const Finished last = normalign(tabular_command(data, out, {"--threads", "2"}));
  CAPTURE(last.err);
  CHECK(last.status == 0);
  CHECK(files_in(out) == files_in(quiet));
  for (const std::string& name : files_in(quiet)) CHECK(without_times(out / name) == without_times(quiet / name));
}

TEST_CASE("tabular: a damaged log fails its own run alone, is named, and the others have their table") {
  if (without_program("damaged logs of tables")) return;
  const TemporaryFolder folder;
  write_uci(folder / "data", "small", 24);
  const Arguments tabular =
      tabular_command((folder / "data").string(), folder / "runs", {"--set", "regularisations=[1]"});
  fs::create_directories(folder / "runs");
  const fs::path damaged = folder / "runs/small_rfm_published_seed0.json";
  write_file(damaged, "{");
  const Finished finished = normalign(tabular);
  CAPTURE(finished.err);
  CHECK(finished.status == 1);
  CHECK(contains(finished.err, damaged.string() + ": not JSON"));
  CHECK(contains(finished.err, "tabular: 1 done, 0 running, 0 left, 1 failed\n"));
  CHECK(contains(finished.out, "RFAM"));
  fs::remove(damaged);
  CHECK(normalign(tabular).status == 0);
}

}  // namespace
}  // namespace normalign::tests

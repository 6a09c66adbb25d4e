#include "experiments/tabular/log.hpp"

#include <limits>

#include "support/catch.hpp"
#include "support/damaged_json.hpp"
#include "support/message_of.hpp"
#include "support/tabular_logs.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;

std::string refusal(const Json& json) {
  return message_of([&] { json.get<TabularLog>(); });
}

TEST_CASE("tabular log: what is written is read again, one line for each fold") {
  const TemporaryFolder folder;
  TabularLog log = tabular_log("iris", 0.1, {90.5, 100.0 / 3});
  log.result.folds[1].effective_rank.reset();
  log.table.standardised = true;
  write_log(folder / "a.json", log);
  const TabularLog read = read_tabular_log(folder / "a.json");
  CHECK(Json(read) == Json(log));
  CHECK(read.config.attack_radii == std::vector<double>{1, 2});
  CHECK(read.result.folds[1].test_acc == 100.0 / 3);
  CHECK_FALSE(read.result.folds[1].effective_rank);
  CHECK(contains(read_file(folder / "a.json"), "\n    {\"regularisation\":0.1,\"updates\":3,"));

  log.status = RunStatus::failed;
  log.failure = "singular";
  log.result = {};
  write_log(folder / "a.json", log);
  CHECK(read_tabular_log(folder / "a.json").failure == "singular");
}

TEST_CASE("tabular log: runs are named by data set, method, protocol and seed") {
  TabularConfig config{.dataset = "iris"};
  CHECK(run_name(config) == "iris_rfm_published_seed0");
  config.alpha = 0;
  config.protocol = "nested";
  CHECK(run_name(config) == "iris_rfam_nested_seed0");
  config.alpha = 0.1;
  config.seed = 7;
  CHECK(run_name(config) == "iris_alpha0.1_nested_seed7");
  CHECK(method_name(1) == "RFM");
  CHECK(method_name(0) == "RFAM");
  CHECK(method_name(0.1) == "alpha 0.1");
}

TEST_CASE("tabular log: means are over the folds that have the figure, attack success is of the means") {
  TabularLog log = tabular_log("iris", 1, {80, 60});
  log.result.folds[0].effective_rank.reset();
  log.result.folds[1].effective_rank = 3;
  log.result.folds[1].robust_acc = {0, 15};
  const TabularMeans m = means(log);
  CHECK(m.test_acc == 70);
  CHECK(m.effective_rank == 3);
  CHECK(m.robust_acc == std::vector<std::optional<double>>{20, 17.5});
  CHECK_THAT(*m.attack_success[0], WithinRel(100 * 50.0 / 70, 1e-14));
  CHECK_THAT(*m.attack_success[1], WithinRel(75.0, 1e-14));
  const TabularMeans none = means(tabular_log("iris", 1, {0}));
  CHECK(none.test_acc == 0);
  CHECK_FALSE(none.attack_success[0]);
}

TEST_CASE("tabular log: what is wrong is refused with field, found and expected") {
  const Json good = tabular_log("iris", 1, {90});
  CHECK(refusal(good) == "nothing was thrown");
  struct Row {
    const char *pointer, *value, *message;
  };
  const Row rows[] = {
      {"/run_name", "3", "run_name: found 3; expected a string"},
      {"/dataset", "[]", "dataset: found an array; expected an object"},
      {"/dataset/n", "-1", "dataset.n: found -1; expected an integer of at least 0"},
      {"/dataset/standardised", "1", "dataset.standardised: found 1; expected true or false"},
      {"/config", "[]", "config: found an array; expected an object"},
      {"/config/alpha", "2", "config.alpha: found 2, expected a number from 0 to 1"},
      {"/config/alpha", "\"x\"", "config.alpha: found \"x\", expected a number"},
      {"/config/colour", "1", "config.colour: unknown field, expected one of dataset, alpha"},
      {"/status", "\"done\"", "status: found \"done\"; expected"},
      {"/folds", "null", "folds: found null; expected an array of folds"},
      {"/folds", "[]", "folds: found an array; expected at least one fold"},
      {"/folds/0", "3", "folds[0]: found 3; expected an object"},
      {"/folds/0/test_acc", "null", "folds[0].test_acc: found null; expected a number"},
      {"/folds/0/updates", "0.5", "folds[0].updates: found 0.5; expected an integer of at least 0"},
      {"/folds/0/effective_rank", "\"2\"", "folds[0].effective_rank: found \"2\"; expected a number or null"},
      {"/folds/0/robust_acc", "[1]", "folds[0].robust_acc: found an array; expected an array of 2 numbers"},
      {"/folds/0/robust_acc", "[1, null]", "folds[0].robust_acc: found null; expected numbers"},
      {"/cost/fits", "-1", "cost.fits: found -1; expected an integer"},
  };
  for (const Row& row : rows) {
    Json json = good;
    json[Json::json_pointer(row.pointer)] = Json::parse(row.value);
    CAPTURE(row.pointer, row.value, refusal(json));
    CHECK(refusal(json).starts_with(row.message));
  }
  TabularLog log = tabular_log("iris", 1, {90});
  log.result.folds[0].effective_rank = std::numeric_limits<double>::quiet_NaN();
  CHECK(message_of<RunError>([&] { Json json = log; }).starts_with("folds[0].effective_rank is nan"));
}

TEST_CASE("tabular log: a log is this run's only when its settings are") {
  const TemporaryFolder folder;
  const TabularLog log = tabular_log("iris", 1, {90});
  CHECK_FALSE(log_of(log.config, {.standardised = false}, folder.path()));
  const auto file = folder / (log.run_name + ".json");
  write_log(file, log);
  CHECK(log_of(log.config, {.standardised = false}, folder.path()));
  TabularConfig other = log.config;
  other.bandwidth = 3;
  CHECK(message_of([&] { log_of(other, {.standardised = false}, folder.path()); })
            .starts_with(file.string() +
                         ": another run of that name is there: config.bandwidth: found 10.0, expected 3.0"));
  CHECK(message_of([&] { log_of(log.config, {.standardised = true}, folder.path()); })
            .starts_with(file.string() +
                         ": another run of that name is there: dataset.standardised: found false, expected true"));
  TableFacts facts = log.table;
  CHECK(log_of(log.config, facts, folder.path()));
  ++facts.classes;
  CHECK(contains(message_of([&] { log_of(log.config, facts, folder.path()); }), ": dataset.classes: found "));
  facts = log.table;
  facts.label = "y2";
  CHECK(contains(message_of([&] { log_of(log.config, facts, folder.path()); }),
                 ": dataset.label: found \"\", expected \"y2\""));
  facts = log.table;
  facts.file_hash = "0123";
  CHECK(contains(message_of([&] { log_of(log.config, facts, folder.path()); }),
                 ": dataset.file_hash: found \"\", expected \"0123\""));
  facts.samples = 0;  // not known
  CHECK(log_of(log.config, facts, folder.path()));
  write_file(file, "{}");
  CHECK(message_of([&] {
          log_of(log.config, {.standardised = false}, folder.path());
        }).starts_with(file.string() + ": run_name: "));
}

TEST_CASE("tabular log: damaged files are read all the same, or left out and told of by name") {
  const TemporaryFolder folder;
  write_log(folder / "a.json", tabular_log("iris", 0, {90, 80}));
  write_log(folder / "b.json", tabular_log("iris", 1, {90, 80}));
  with_damage(read_file(folder / "b.json"), [&](const std::string& content) {
    write_file(folder / "b.json", content);
    Unreadable unreadable;
    const std::vector<TabularLog> logs = read_tabular_logs(folder.path(), unreadable);
    if (logs.empty() || logs[0].condition != "RFAM" || logs.size() + unreadable.size() > 2) FAIL(content);
    for (const auto& [path, reason] : unreadable)
      if (path != folder / "b.json" || !reason.starts_with(path.string() + ": ")) FAIL(reason);
  });
}

}  // namespace
}  // namespace normalign::tests

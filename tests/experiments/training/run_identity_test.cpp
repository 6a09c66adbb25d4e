#include "experiments/training/run_identity.hpp"

#include "experiments/runs/settings.hpp"
#include "experiments/training/task.hpp"
#include "linalg/safetensors.hpp"
#include "nn/mlp_file.hpp"
#include "support/catch.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

namespace fs = std::filesystem;

TEST_CASE("run identity: it is the settings that are read and what files hold, wherever they lie") {
  const TemporaryFolder folder;
  for (const char* name : {"a", "b", "c"}) write_digits(folder / name, 4, 2, name[0] == 'c' ? 5 : 7);
  RunConfig config = defaults_for(task("mnist_ce"), "baseline");
  const auto log_with = [&](const fs::path& data) {
    config.data = data.string();
    return new_log(config, 2);
  };
  const RunLog log = log_with(folder / "a");
  CHECK(log.run_name == "mnist_ce_baseline_seed0");
  CHECK(log.status == RunStatus::running);
  CHECK(log.file_hashes.size() == 1);
  CHECK_FALSE(run_difference(log, log));
  CHECK_FALSE(run_difference(log, log_with(folder / "b")));
  CHECK(run_difference(log, log_with(folder / "c")).value_or("").starts_with("file_hashes.data: found \""));
  // Read back from its file it is the same run, as every digit was written.
  config.learning_rate = 0.1 + 0.2;
  const RunLog written = log_with(folder / "a");
  write_log(folder / "log.json", written);
  CHECK(read_log(folder / "log.json") == written);
  CHECK_FALSE(run_difference(read_log(folder / "log.json"), written));
  CHECK(run_difference(log, written) == "config.learning_rate: found 0.001, expected 0.30000000000000004");
  // A log of the time when hashes were not noted may be of other data.
  RunLog older = written;
  older.file_hashes = nlohmann::ordered_json::object();
  CHECK(run_difference(older, written).value_or("").starts_with("file_hashes.data: found nothing, expected \""));
  CHECK(contains(message_of([&] { log_with(folder / "none"); }), "data: found '"));
}

TEST_CASE("run identity: a setting that the run does not read does not count, an initial model's contents do") {
  const TemporaryFolder folder;
  RunConfig config = defaults_for(task("rings"), "baseline");
  RunLog older = new_log(config, 1);
  CHECK(older.file_hashes.empty());
  older.config = settings::as_json(config);  // with all settings, read or not
  older.config["lambda"] = 0.75;
  CHECK_FALSE(run_difference(older, new_log(config, 1)));

  const fs::path model = folder / "start.safetensors";
  config.initial_model = model.string();
  const auto log_from = [&](std::uint64_t seed) {
    write_safetensors(model, tensor_file(Mlp<double>({.widths = {2, 128, 128, 2}, .seed = seed})));
    return new_log(config, 1);
  };
  const RunLog log = log_from(1);
  CHECK(log.file_hashes.contains("initial_model"));
  CHECK_FALSE(run_difference(log, log_from(1)));
  CHECK(run_difference(log, log_from(2)).value_or("").starts_with("file_hashes.initial_model: found \""));
}

}  // namespace
}  // namespace normalign::tests

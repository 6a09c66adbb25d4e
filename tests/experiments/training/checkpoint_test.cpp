#include "experiments/training/checkpoint.hpp"

#include <fstream>
#include <optional>

#include "base/atomic_file.hpp"
#include "experiments/training/config.hpp"
#include "experiments/training/grokking.hpp"
#include "linalg/safetensors.hpp"
#include "support/catch.hpp"
#include "support/file_size_limit.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"
#include "support/tiny_run.hpp"

namespace normalign::tests {
namespace {

using Json = nlohmann::ordered_json;
using Views = std::vector<MatrixView<double>>;

TEST_CASE("a checkpoint comes back as it was written, state and all") {
  const TemporaryFolder folder;
  const auto path = folder / "run.checkpoint";
  const Matrix<double> a = random_matrix({3, 4}, 1), b = random_matrix({1, 5}, 2);
  Matrix<double> first = a, second = b;
  const Checkpoint written{.log = {.run_name = "r",
                                   .condition = "c \"odd\" \xc3\xa9",
                                   .config = {{"lambda", 0.1}, {"data", "here"}},
                                   .metrics = {{.epoch = 3, .train_acc = 1.0 / 3, .extras = {{"x", 0.1 + 0.2}}}}},
                           .epoch = 7,
                           .steps = 4000000000u,
                           .opt_time = 1.0 / 7};
  CHECK_FALSE(read_checkpoint<double>(path, written.log, Views{first, second}));
  write_checkpoint<double>(path, written, Views{first, second});
  first = Matrix<double>(3, 4);
  second = Matrix<double>(1, 5);
  const auto read =
      read_checkpoint<double>(path, {.config = {{"lambda", 0.1}, {"data", "there"}}}, Views{first, second});
  REQUIRE(read);
  CHECK(read->log == written.log);
  CHECK(read->epoch == 7);
  CHECK(read->steps == 4000000000u);
  CHECK(read->opt_time == 1.0 / 7);
  CHECK(same_bits(first, a));
  CHECK(same_bits(second, b));
}

TEST_CASE("a checkpoint of another run, a damaged one and other shapes are refused by name, the state untouched") {
  const TemporaryFolder folder;
  const auto path = folder / "run.checkpoint";
  Matrix<double> state = random_matrix({3, 4}, 1);
  const Matrix<double> before = state;
  const Json config = {{"lambda", 0.1}};
  write_checkpoint<double>(path, {.log = {.config = config}}, Views{state});
  const auto refusal = [&](const Json& expected, Views views) {
    return message_of([&] { read_checkpoint<double>(path, {.config = expected}, views); });
  };
  CHECK(
      contains(refusal({{"lambda", 0.2}}, {state}), "belongs to another run: config.lambda: found 0.1, expected 0.2"));
  Matrix<double> other(4, 3);
  CHECK(contains(refusal(config, {other}), "state.0 is missing or not 4x3"));
  CHECK(contains(refusal(config, {state, other}), "found 1 tensors, expected 2"));
  Matrix<float> narrow(3, 4);
  const std::vector<MatrixView<float>> floats{narrow};
  CHECK(contains(message_of([&] { read_checkpoint<float>(path, {.config = config}, floats); }),
                 "of the run's precision"));
  write_safetensors(path, {.tensors = {{"state.0", {.values = state}}}, .metadata = {}});
  CHECK(contains(refusal(config, {state}), "run.checkpoint: found no checkpoint of a run"));
  std::ofstream(path) << "not a checkpoint";
  CHECK(contains(refusal(config, {state}), "run.checkpoint"));
  CHECK(same_bits(state, before));
}

TEST_CASE("a checkpoint with any bit flipped, cut short or without its checksum is refused, the state untouched") {
  const TemporaryFolder folder;
  const auto path = folder / "run.checkpoint";
  Matrix<double> first = random_matrix({3, 4}, 1), second = random_matrix({1, 5}, 2);
  const Json config = {{"lambda", 0.1}};
  write_checkpoint<double>(path, {.log = {.run_name = "r", .config = config, .metrics = {{.epoch = 1}}}, .epoch = 2},
                           Views{first, second});
  const std::string whole = read_file(path);
  first = Matrix<double>(3, 4), second = Matrix<double>(1, 5);
  const auto refusal = [&](const std::string& content) {
    write_file(path, content);
    return message_of([&] { read_checkpoint<double>(path, {.config = config}, Views{first, second}); });
  };
  const std::string remedy = "; without this file, or with --overwrite of train, the run begins anew";
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1 << i % 8);
    const std::string message = refusal(damaged);
    CAPTURE(i, message);
    CHECK(message.starts_with(path.string() + ": "));
    CHECK(message.ends_with(remedy));
    if (i % 16 == 0) CHECK(refusal(whole.substr(0, i)).ends_with(remedy));
  }
  std::string two = whole;  // in the values
  two[two.size() - 1] ^= 1, two[two.size() - 90] ^= 4;
  CHECK(contains(refusal(two), "the file is damaged: found the checksum "));
  TensorFile without = (write_file(path, whole), read_safetensors(path));
  CHECK(without.metadata.erase("crc32") == 1);
  write_safetensors(path, without);
  CHECK(contains(refusal(read_file(path)), "found no checksum"));
  CHECK(all_zero(first));
  CHECK(all_zero(second));
  CHECK(refusal(whole) == "nothing was thrown");
  CHECK(same_bits(first, random_matrix({3, 4}, 1)));
}

// ---- a run that is interrupted --------------------------------------------------------------------------------------

RunConfig run_config(const std::string& condition, Index batch_size) {
  return {.task = "tiny",
          .condition = condition,
          .seed = 3,
          .hidden = {16, 12},
          .epochs = 9,
          .batch_size = batch_size,
          .learning_rate = 1e-2,
          .weight_decay = 0.1,
          .test_criterion = 100,
          .lambda = 0.1,
          .geometry_samples = 5,
          .noise_levels = {0.1}};
}

struct Killed {};

TEST_CASE("a run that cannot write for want of space keeps its log and state, and goes on when there is space") {
  const TemporaryFolder folder;
  RunConfig config = run_config("baseline", 0);
  const RunLog whole = grokking_run<float>(config, tiny_data(), 1, {});
  RunObserver observer{
      .log_file = folder / "log.json", .checkpoint_file = folder / "checkpoint", .checkpoint_seconds = 0};
  std::optional<FileSizeLimit> full;
  observer.progress = [&](const RunLog&, Index epoch) {
    if (epoch == 4) full.emplace(100);
  };
  CHECK_THROWS_AS(grokking_run<float>(config, tiny_data(), 1, observer), StorageError);
  full.reset();
  CHECK(read_log(observer.log_file).status == RunStatus::running);
  REQUIRE(std::filesystem::exists(observer.checkpoint_file));
  Index first = -1;
  observer.progress = [&](const RunLog&, Index epoch) {
    if (first < 0) first = epoch;
  };
  CHECK(without_timings(grokking_run<float>(config, tiny_data(), 1, observer)).metrics ==
        without_timings(whole).metrics);
  CHECK(first == 4);
  CHECK(read_log(observer.log_file).status == RunStatus::finished);
}

TEST_CASE("a run that is interrupted at any epoch goes on to the log and model of one that was not") {
  using Run = std::pair<const char*, double>;
  for (const auto& [condition, share] :
       {Run{"baseline", 1}, Run{"grokfast", 1}, Run{"grokalign", 1}, Run{"grokalign", 0.6},
        Run{"grokfast+orthograd+grokalign", 1}, Run{"adversarial_noise", 1}, Run{"hold_jacobian", 1},
        Run{"hold_jacobian", 0.6}})
    for (Index batch_size : {0, 7})
      for (const char* optimizer : {"adamw", "sgd"}) {
        const TemporaryFolder folder;
        RunConfig config = run_config(condition, batch_size);
        config.optimizer = optimizer;
        config.momentum = 0.5;
        config.penalty_share = share;
        CAPTURE(condition, share, batch_size, optimizer);
        const RunLog whole = grokking_run<float>(config, tiny_data(), 1, {.model_file = folder / "whole"});
        RunObserver observer{.log_file = folder / "log.json",
                             .checkpoint_file = folder / "checkpoint",
                             .checkpoint_seconds = 0,
                             .model_file = folder / "pieces"};
        // Every process sees a few epochs more than the one before.
        for (Index end : {1, 2, 5, 8}) {
          observer.progress = [&](const RunLog&, Index epoch) {
            if (epoch == end) throw Killed{};
          };
          CHECK_THROWS_AS(grokking_run<float>(config, tiny_data(), 1, observer), Killed);
          CHECK(std::filesystem::exists(observer.checkpoint_file));
        }
        Index first = -1;
        observer.progress = [&](const RunLog&, Index epoch) {
          if (first < 0) first = epoch;
        };
        const RunLog pieces = grokking_run<float>(config, tiny_data(), 2, observer);
        CHECK(first == 8);  // not from the start
        CHECK(without_timings(pieces).metrics == without_timings(whole).metrics);
        CHECK(pieces.status == RunStatus::finished);
        CHECK(read_log(observer.log_file) == pieces);
        CHECK(std::ranges::is_sorted(pieces.metrics, {}, &MetricRow::opt_time));
        CHECK_FALSE(std::filesystem::exists(observer.checkpoint_file));
        const TensorFile a = read_safetensors(folder / "whole"), b = read_safetensors(folder / "pieces");
        for (const auto& [name, tensor] : a.tensors)
          CHECK(same_bits(values_as<float>(tensor), values_as<float>(b.tensors.at(name))));
      }
}

}  // namespace
}  // namespace normalign::tests

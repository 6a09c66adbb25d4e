#include "experiments/training/epoch_loop.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "base/clock.hpp"
#include "base/stop.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// A protocol that counts; even epochs are evaluated, each pass is three steps and moves the first weight by one.
struct Counting {
  TrainingParts<double> parts = training_parts<double>({.hidden = {2}}, 2, 2);
  std::vector<Index> measured = {}, passed = {};
  std::vector<std::uint32_t> steps = {};

  EpochProtocol protocol(Index epochs) {
    return {.epochs = epochs,
            .is_logged = [](Index epoch) { return epoch % 2 == 0; },
            .measure =
                [&](MetricRow& row, const StopPoll&) {
                  measured.push_back(row.epoch);
                  row.test_acc = static_cast<double>(row.epoch);
                },
            .pass =
                [&](Index epoch, std::uint32_t& step, const StopPoll&) {
                  passed.push_back(epoch);
                  steps.push_back(step);
                  step += 3;
                  parts.network.parameters().front()(0, 0) += 1;
                }};
  }
};

TEST_CASE("epoch loop: each epoch is evaluated before its pass, the last one has none") {
  Counting counting;
  const RunLog log = epoch_loop({.run_name = "run"}, counting.parts, counting.protocol(4), {});
  CHECK(log.run_name == "run");
  CHECK(log.status == RunStatus::finished);
  CHECK_FALSE(log.grokked);
  CHECK(counting.measured == std::vector<Index>{0, 2, 4});
  CHECK(counting.passed == std::vector<Index>{0, 1, 2, 3});
  CHECK(counting.steps == std::vector<std::uint32_t>{0, 3, 6, 9});
  CHECK(log.metrics.back().epoch == 4);
}

TEST_CASE("epoch loop: the first logged epoch that meets the criterion is told, and ends the run where it should") {
  for (const bool ends : {false, true}) {
    Counting counting;
    EpochProtocol protocol = counting.protocol(6);
    protocol.meets_criterion = [](MetricRow& row) { return row.test_acc >= 1; };
    protocol.ends_when_grokked = ends;
    const RunLog log = epoch_loop({}, counting.parts, protocol, {});
    CHECK(log.status == RunStatus::finished);
    CHECK(log.grokking_epoch == Index{2});
    CHECK(log.metrics.back().epoch == (ends ? 2 : 6));
  }
}

TEST_CASE("epoch loop: a loss that is not finite ends the run as failed, with the epoch") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  Counting counting;
  EpochProtocol protocol = counting.protocol(4);
  protocol.measure = [](MetricRow& row, const StopPoll&) { row.test_loss = row.epoch == 2 ? nan : 1; };
  RunLog log = epoch_loop({}, counting.parts, protocol, {});
  CHECK(log.status == RunStatus::failed);
  CHECK(log.failure.starts_with("epoch 2: the loss is 0 on the training and "));
  CHECK(log.metrics.size() == 1);
  protocol = counting.protocol(4);
  protocol.pass = [](Index epoch, std::uint32_t&, const StopPoll&) {
    require_finite_step(epoch, epoch == 3 ? nan : 0);
  };
  log = epoch_loop({}, counting.parts, protocol, {});
  CHECK(log.failure.starts_with("epoch 3: the training loss is "));
}

TEST_CASE("epoch loop: a run that was stopped goes on from its state, and its files follow") {
  const TemporaryFolder folder;
  RunObserver observer{.log_file = folder / "run.json",
                       .checkpoint_file = folder / ".run.checkpoint",
                       .model_file = folder / "run.safetensors"};
  Counting whole, first, second;
  epoch_loop({.run_name = "run"}, whole.parts, whole.protocol(5), {});
  observer.stop = [&] { return first.passed.size() == 2; };
  CHECK(epoch_loop({.run_name = "run"}, first.parts, first.protocol(5), observer).status == RunStatus::running);
  CHECK(std::filesystem::exists(observer.checkpoint_file));
  CHECK_FALSE(std::filesystem::exists(observer.model_file));
  const RunLog stopped = read_log(observer.log_file);
  CHECK(stopped.status == RunStatus::running);
  CHECK(stopped.epoch == 2);
  const auto seconds = [](const RunLog& log) { return log.environment.at("seconds").get<double>(); };
  CHECK(seconds(stopped) >= 0);
  CHECK(seconds(stopped) < 1000);

  // As if it had taken longer: the process that goes on counts from there.
  TensorFile state = read_safetensors(observer.checkpoint_file);
  auto head = nlohmann::ordered_json::parse(state.metadata.at("checkpoint"));
  head["log"]["environment"]["seconds"] = 5000;
  state.metadata["checkpoint"] = head.dump();
  const std::string message = [&] {
    write_safetensors(observer.checkpoint_file, state);
    return message_of([&] { epoch_loop({.run_name = "run"}, second.parts, second.protocol(5), observer); });
  }();
  // The message has the checksum that the file should have.
  const std::string sum = message.substr(message.find("checksum ") + 9, 8);
  state.metadata["crc32"] = sum;
  write_safetensors(observer.checkpoint_file, state);
  observer.stop = [] { return false; };
  const RunLog log = epoch_loop({.run_name = "run"}, second.parts, second.protocol(5), observer);
  CHECK(second.passed == std::vector<Index>{2, 3, 4});
  CHECK(second.steps == std::vector<std::uint32_t>{6, 9, 12});
  CHECK(second.measured == std::vector<Index>{4});  // epochs 0 and 2 are in the state
  CHECK(log.metrics.size() == 3);
  CHECK(second.parts.network.parameters().front()(0, 0) == whole.parts.network.parameters().front()(0, 0));
  CHECK_FALSE(std::filesystem::exists(observer.checkpoint_file));
  CHECK(std::filesystem::exists(observer.model_file));
  const RunLog finished = read_log(observer.log_file);
  CHECK(finished.status == RunStatus::finished);
  CHECK(finished.epoch == 0);
  CHECK(seconds(finished) >= 5000);
  CHECK(seconds(finished) < 6000);
}

// A stop that says true once it is armed, and is polled until then.
struct ArmedStop {
  bool is_armed = false;
  void poll(const StopPoll& stop) {
    is_armed = true;
    const Clock::time_point start = Clock::now();
    while (seconds_since(start) < 10) stop.check();
  }
};

TEST_CASE("epoch loop: a run that is stopped in a long pass or measurement goes on from before that pass") {
  Counting whole;
  const RunLog expected = epoch_loop({.run_name = "run"}, whole.parts, whole.protocol(5), {});
  for (const bool in_pass : {false, true})
    for (const Index at : {0, 2, 4}) {
      CAPTURE(in_pass, at);
      const TemporaryFolder folder;
      Counting first, second;
      ArmedStop armed;
      RunObserver observer{.log_file = folder / "run.json",
                           .checkpoint_file = folder / ".run.checkpoint",
                           .model_file = folder / "run.safetensors"};
      observer.stop = [&] { return armed.is_armed; };
      EpochProtocol protocol = first.protocol(5);
      const auto take_long = [] { std::this_thread::sleep_for(std::chrono::milliseconds(250)); };
      protocol.pass = [&, pass = protocol.pass](Index epoch, std::uint32_t& step, const StopPoll& stop) {
        take_long();
        pass(epoch, step, stop);  // which leaves the network behind its state
        if (in_pass && epoch == at) armed.poll(stop);
      };
      protocol.measure = [&](MetricRow& row, const StopPoll& stop) {
        if (!in_pass && row.epoch == at) armed.poll(stop);
      };
      CHECK(epoch_loop({.run_name = "run"}, first.parts, protocol, observer).status == RunStatus::running);
      CHECK(read_log(observer.log_file).status == RunStatus::running);
      CHECK_FALSE(std::filesystem::exists(observer.model_file));
      CHECK(std::filesystem::exists(observer.checkpoint_file) == (in_pass || at > 0));
      observer.stop = [] { return false; };
      const RunLog log = epoch_loop({.run_name = "run"}, second.parts, second.protocol(5), observer);
      CHECK(log.status == RunStatus::finished);
      CHECK(log.metrics.size() == expected.metrics.size());
      CHECK(second.passed.front() == std::max<Index>(in_pass ? at : at - 1, 0));
      CHECK(second.parts.network.parameters().front()(0, 0) == whole.parts.network.parameters().front()(0, 0));
      CHECK(second.steps.back() == whole.steps.back());
    }
}

TEST_CASE("epoch loop: a stop that comes in a short pass is heeded after it, with nothing lost") {
  const TemporaryFolder folder;
  Counting first;
  bool is_armed = false;
  const RunObserver observer{
      .stop = [&] { return is_armed; }, .log_file = folder / "run.json", .checkpoint_file = folder / ".run.checkpoint"};
  EpochProtocol protocol = first.protocol(9);
  protocol.pass = [&, pass = protocol.pass](Index epoch, std::uint32_t& step, const StopPoll& stop) {
    pass(epoch, step, stop);
    if (epoch != 6) return;
    is_armed = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
    stop.check();
  };
  CHECK(epoch_loop({}, first.parts, protocol, observer).epoch == 7);
  CHECK(first.passed.back() == 6);
}

}  // namespace
}  // namespace normalign::tests

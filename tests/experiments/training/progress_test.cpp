#include "experiments/training/progress.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <thread>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

RunLog example_log() {
  RunLog log{.run_name = "task_baseline_seed0"};
  log.metrics = {
      {.epoch = 10, .train_acc = 99.5, .test_acc = 50.25, .train_loss = 0.125, .extras = {{"jacobian_norm", 3.5}}}};
  return log;
}

// For a scope, lines have room.
struct WideTerminal {
  WideTerminal() { ::setenv("COLUMNS", "200", 1); }
  ~WideTerminal() { ::unsetenv("COLUMNS"); }
};

TEST_CASE("on a terminal one line is written over, at most ten times a second, and wiped at the end") {
  const WideTerminal wide;
  std::ostringstream out;
  Progress progress(out, true, 2000);
  progress(example_log(), 17);
  const std::string first = out.str();
  CAPTURE(first);
  CHECK(first.starts_with("\rtask_baseline_seed0  epoch 17 of at most 2000  train 99.5 %  test 50.2"));
  CHECK(contains(first, "loss 0.1250"));
  CHECK_FALSE(contains(first, "jacobian_norm"));  // the log has them all, a line has no room
  CHECK_FALSE(contains(first, "left"));           // one epoch tells no speed
  CHECK_FALSE(contains(first, "\n"));
  progress(example_log(), 18);
  CHECK(out.str() == first);

  // A shorter line covers all of the longer one.
  std::this_thread::sleep_for(std::chrono::milliseconds(120));
  RunLog brief{.run_name = "t"};
  progress(brief, 0);
  const std::string second = out.str().substr(first.size());
  CHECK(second.starts_with("\rt  epoch 0 of at most 2000"));
  CHECK(second.size() >= first.size());
  const std::string before = out.str();
  progress.finish();
  const std::string wiped = out.str().substr(before.size());
  CHECK(wiped.front() == '\r');
  CHECK(wiped.back() == '\r');
  CHECK(std::ranges::all_of(wiped, [](char c) { return c == '\r' || c == ' '; }));
}

TEST_CASE("the speed of a resumed run counts the epochs since it was taken up") {
  const WideTerminal wide;
  std::ostringstream out;
  Progress progress(out, true, 100000);
  progress(example_log(), 90000);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  out.str("");
  progress(example_log(), 90002);  // at most 10 a second, so more than 999 seconds left
  const std::string line = out.str();
  CAPTURE(line);
  const std::size_t at = line.find("at most ", line.find("epochs/s"));
  REQUIRE(at != std::string::npos);
  const std::string left = line.substr(at + 8, line.find(" left") - at - 8);
  CHECK(std::stoi(left) >= 16);
}

TEST_CASE("in a log file nothing is printed early, and nothing is wiped") {
  std::ostringstream out;
  Progress progress(out, false, 2000);
  for (Index epoch = 0; epoch < 100; ++epoch) progress(example_log(), epoch);
  progress.finish();
  CHECK(out.str().empty());
}

TEST_CASE("a terminal that showed nothing is left alone at the end") {
  std::ostringstream out;
  Progress progress(out, true, 10);
  progress.finish();
  CHECK(out.str().empty());
}

}  // namespace
}  // namespace normalign::tests

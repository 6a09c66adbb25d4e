#include "base/stop.hpp"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "base/clock.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using namespace std::chrono_literals;

TEST_CASE("StopPoll: a million polls ask at once, then about five times a second") {
  std::vector<Clock::time_point> asked;
  const StopPoll poll("test", [&] {
    asked.push_back(Clock::now());
    return false;
  });
  const Clock::time_point start = Clock::now();
  poll.check();
  CHECK(asked.size() == 1);
  for (int i = 0; i < 1'000'000 || asked.size() < 3; ++i) poll.check();
  CHECK(static_cast<double>(asked.size()) <= 1 + seconds_since(start) / 0.2);
  for (std::size_t i = 1; i < asked.size(); ++i) CHECK(asked[i] - asked[i - 1] >= 200ms);
}

TEST_CASE("StopPoll: no callback never ends anything") {
  for (const StopPoll& poll : {StopPoll(), StopPoll("test", {})}) {
    poll.check();
    CHECK_FALSE(poll.has_ended());
    CHECK_FALSE(poll.inner());
  }
}

TEST_CASE("StopPoll: once true it stays true, for copies and inner polls too, and is not asked again") {
  int asked = 0;
  const StopPoll poll("outer", [&] { return ++asked == 2; });
  const StopPoll copy = poll, inner("inner", poll.inner());
  CHECK_FALSE(poll.has_ended());
  CHECK_FALSE(inner.has_ended());
  CHECK(asked == 1);
  std::this_thread::sleep_for(250ms);
  CHECK(message_of<Stopped>([&] { inner.check(); }) == "outer: stopped");
  std::this_thread::sleep_for(250ms);
  for (int i = 0; i < 3; ++i)
    for (const StopPoll* same : {&poll, &copy, &inner}) {
      CHECK(same->has_ended());
      CHECK(message_of<Stopped>([&] { same->check(); }) == "outer: stopped");
    }
  CHECK(asked == 2);
}

TEST_CASE("StopPoll: what the callback throws ends the computation in all of its threads") {
  struct Own : std::runtime_error {
    using std::runtime_error::runtime_error;
  };
  const StopPoll poll("outer", []() -> bool { throw Own("of the caller"); });
  const StopPoll inner("inner", poll.inner());
  std::atomic<int> caught = 0;
#pragma omp parallel for num_threads(4)
  for (int i = 0; i < 100; ++i) {
    // An exception must not leave the loop's body.
    try {
      inner.check();
    } catch (const Own&) {
      ++caught;
    } catch (...) {
    }
  }
  // A thread that came by while another one was asking has gone on.
  CHECK(caught >= 1);
  CHECK(message_of<Own>([&] { inner.check(); }) == "of the caller");
  CHECK(message_of<Own>([&] { poll.check(); }) == "of the caller");
}

TEST_CASE("StopPoll: several threads are never inside the callback at once, and do not wait for it") {
  std::atomic<int> inside = 0, most = 0, asked = 0;
  std::atomic<bool> is_done = false;
  const StopPoll poll("test", [&] {
    most = std::max(most.load(), ++inside);
    std::this_thread::sleep_for(20ms);
    --inside;
    return ++asked == 4;
  });
  std::atomic<int> polls = 0;
#pragma omp parallel num_threads(4)
  while (!is_done) {
    ++polls;
    if (poll.has_ended()) is_done = true;
  }
  CHECK(most == 1);
  CHECK(asked == 4);
  CHECK(polls > 1000);
}

}  // namespace
}  // namespace normalign::tests

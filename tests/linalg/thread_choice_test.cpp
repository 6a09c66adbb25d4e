#include "linalg/thread_choice.hpp"

#include <functional>
#include <map>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// Seconds of the work on so many threads, the i-th time that it is done.
using Cost = std::function<double(int threads, int i)>;

struct Use {
  std::map<int, int> times;  // of each number of threads
  double seconds = 0;
  int last = 0;
};

Use use_of(ThreadChoice& choice, int times, const Cost& cost) {
  Use use;
  for (int i = 0; i < times; ++i) {
    use.last = choice.threads();
    const double seconds = cost(use.last, i);
    ++use.times[use.last];
    use.seconds += seconds;
    choice.took(seconds);
  }
  return use;
}

Use use_of(int most, int times, const Cost& cost) {
  ThreadChoice choice(most, most);
  return use_of(choice, times, cost);
}

}  // namespace

TEST_CASE("a choice of threads begins where it is told, and one thread is no choice", "[linalg]") {
  CHECK(ThreadChoice(5, 5).threads() == 5);
  CHECK(ThreadChoice(5, 2).threads() == 2);
  CHECK(ThreadChoice(5, 8).threads() == 5);
  CHECK(use_of(1, 100, [](int, int) { return 1.0; }).times == std::map<int, int>{{1, 100}});
  CHECK(message_of([] { ThreadChoice(0, 1); }) == "ThreadChoice: threads is 0; it must be at least 1");
  CHECK(message_of([] { ThreadChoice(1, 0); }) == "ThreadChoice: threads is 0; it must be at least 1");
}

TEST_CASE("threads that pay are used, and those that do not are not, at the price of a few tries", "[linalg]") {
  for (const int most : {2, 4, 6, 16})
    for (const int best : {1, 2, 3, 4, 8, 16}) {
      if (best > most || (most == 6 && best != 3 && best != 1) || (most != 6 && best == 3)) continue;
      CAPTURE(most, best);
      // Twice as slow for every halving or doubling away from the best.
      const auto cost = [&](int threads, int) {
        return std::max(threads, best) / static_cast<double>(std::min(threads, best));
      };
      const Use use = use_of(most, 20000, cost);
      CHECK(use.times.at(best) > 19000);
      CHECK(use.seconds < 20000 * 1.05);
    }
}

TEST_CASE("of threads that are about as fast the fewer are taken", "[linalg]") {
  CHECK(use_of(2, 1000, [](int, int) { return 1.0; }).times.at(1) > 900);
  CHECK(use_of(2, 1000, [](int threads, int) { return threads == 1 ? 1.01 : 1.0; }).times.at(1) > 900);
  CHECK(use_of(2, 1000, [](int threads, int) { return threads == 1 ? 1.1 : 1.0; }).times.at(2) > 900);
}

TEST_CASE("a choice follows a machine that gets busy and idle again", "[linalg]") {
  ThreadChoice choice(2, 2);
  const auto idle = [](int threads, int) { return 2.0 / threads; };
  const auto busy = [](int threads, int) { return threads == 2 ? 5.0 : 2.0; };
  CHECK(use_of(choice, 2000, idle).last == 2);
  const Use meanwhile = use_of(choice, 5000, busy);
  CHECK(meanwhile.times.at(1) > 4000);
  CHECK(use_of(choice, 5000, idle).times.at(2) > 3500);
}

TEST_CASE("threads that are far too slow are not tried for long, and more than at first are found where they pay",
          "[linalg]") {
  // As on two cores.
  const auto cost = [](int threads, int) { return threads > 2 ? 1.0 * threads * threads : 2.0 / threads; };
  const Use use = use_of(16, 1000, cost);
  CHECK(use.times.at(16) == 5 + 2);
  CHECK(use.times.at(8) == 2 + 2);
  ThreadChoice choice(16, 2);
  const Use from_two = use_of(choice, 20000, cost);
  CHECK(from_two.times.at(4) < 30);
  CHECK(from_two.seconds < 20000 * 1.1);
  ThreadChoice more(16, 2);
  CHECK(use_of(more, 20000, [](int threads, int) { return 16.0 / threads; }).last == 16);
}

TEST_CASE("a single slow time does not change a choice", "[linalg]") {
  // Every tenth time takes ten times as long, on whatever it is done.
  const auto cost = [](int threads, int i) { return (i % 10 == 3 ? 10 : 1) * 2.0 / threads; };
  CHECK(use_of(2, 5000, cost).times.at(2) > 4700);
}

}  // namespace normalign::tests

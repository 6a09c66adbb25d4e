#include "base/clock.hpp"

#include <thread>

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("seconds pass since a time") {
  const auto start = Clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(seconds_since(start) >= 0.02);
  CHECK(seconds_since(start - std::chrono::hours(1)) > 3600);
}

}  // namespace normalign::tests

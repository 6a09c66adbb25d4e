// A computation that takes long, ended by its caller.
#pragma once

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>

#include "base/stop.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

/// A caller's own exception, which a library that catches its own ones must let through.
class CallersError : public RunError {
  using RunError::RunError;
};

/// Checks that compute(stop) ends at the second asking of `stop`, which comes a fifth of a second after the first: by
/// Stopped, "NAME: stopped", where that is true, and by what it throws where it throws; and that no asking follows or
/// comes while another one is there.
template <class Compute>
void check_stops(const std::string& name, const Compute& compute) {
  std::atomic<int> asked = 0, inside = 0;
  std::atomic<bool> overlaps = false;
  const auto at_second = [&](const std::function<bool()>& end) {
    asked = 0;
    return std::function<bool()>([&, end] {
      if (++inside > 1) overlaps = true;
      const bool is_second = ++asked >= 2;
      --inside;
      return is_second && end();
    });
  };
  CHECK(message_of<Stopped>([&] { compute(at_second([] { return true; })); }) == name + ": stopped");
  CHECK(asked == 2);
  CHECK(message_of<CallersError>([&] { compute(at_second([]() -> bool { throw CallersError("the caller's"); })); }) ==
        "the caller's");
  CHECK(asked == 2);
  CHECK_FALSE(overlaps);
}

/// A callback that ends nothing.
inline const std::function<bool()> goes_on = [] { return false; };

}  // namespace normalign::tests

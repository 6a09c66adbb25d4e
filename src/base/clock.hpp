// Seconds that pass.
#pragma once

#include <chrono>

namespace normalign {

/// The clock that runs are timed by.
using Clock = std::chrono::steady_clock;

/// The seconds of wall time since then.
inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace normalign

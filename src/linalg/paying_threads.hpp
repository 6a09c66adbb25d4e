// How many threads a piece of work pays for.
#pragma once

#include <algorithm>

namespace normalign {

/// The least work of a thread, in floating-point operations: about a tenth of a millisecond. On a busy machine threads
/// wait for each other for milliseconds.
inline constexpr double flops_per_thread = 4e6;

/// As many of `threads` as have that much of `flops` each to do, and one at least.
inline int paying_threads(int threads, double flops) {
  return std::min(threads, 1 + static_cast<int>(std::min(flops / flops_per_thread, 1e6)));
}

}  // namespace normalign

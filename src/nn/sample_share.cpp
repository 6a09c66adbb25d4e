#include "nn/sample_share.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "linalg/random.hpp"

namespace normalign {
namespace {

// Row of Stream::share that draws moments; row 0 draws a batch's rows.
constexpr std::uint32_t window_row = 1;

// How many of the moments, one in each window of 1 / share steps, lie in the step.
int times_drawn(double share, std::uint64_t seed, std::uint32_t step) {
  const double window = step * share;
  int times = 0;
  // Those that the step overlaps, and one more on either side, where rounding has put the bounds elsewhere.
  for (double w = std::max(0.0, std::floor(window) - 1); w <= window + 2; ++w) {
    // Windows are no more than steps, so their number fits; two words, as a window may have more than 2^32 steps.
    RandomIntegers random(seed, Stream::share, static_cast<std::uint32_t>(w), window_row);
    const double high = random.word(), low = random.word();
    const double moment = (w + std::ldexp(high + std::ldexp(low, -32), -32)) / share;
    times += moment >= step && moment < step + 1.0;
  }
  return times;
}

}  // namespace

void check_share(const char* caller, double share) {
  if (!(share > 0 && share <= 1))
    throw InputError(text(caller, ": share is ", share, "; it must be above 0 and at most 1"));
}

void draw_share(double share, Index n, std::uint64_t seed, std::uint32_t step, SampleShare& drawn) {
  drawn.weight = 1;
  drawn.is_whole = true;
  drawn.count = n;
  if (share == 1) return;
  const double rows = share * static_cast<double>(n);
  if (rows < static_cast<double>(least_rows_drawn)) {
    const int times = times_drawn(share, seed, step);
    drawn.weight = times / share;
    if (times == 0) drawn.count = 0;
    return;
  }
  drawn.is_whole = false;
  drawn.count = static_cast<Index>(std::lround(rows));
  drawn.rows.resize(static_cast<std::size_t>(n));
  std::iota(drawn.rows.begin(), drawn.rows.end(), Index{0});
  // The first places of a Fisher-Yates shuffle from the front.
  RandomIntegers random(seed, Stream::share, step);
  const auto count = static_cast<std::size_t>(drawn.count);
  for (std::size_t i = 0; i < count; ++i) std::swap(drawn.rows[i], drawn.rows[i + random.below(drawn.rows.size() - i)]);
  std::sort(drawn.rows.begin(), drawn.rows.begin() + drawn.count);
}

}  // namespace normalign

#include "nn/sample_share.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "linalg/random.hpp"

namespace normalign {

void check_share(const char* caller, double share) {
  if (!(share > 0 && share <= 1))
    throw InputError(text(caller, ": share is ", share, "; it must be above 0 and at most 1"));
}

void draw_share(double share, Index n, std::uint64_t seed, std::uint32_t step, SampleShare& drawn) {
  drawn.weight = 1;
  drawn.is_whole = true;
  drawn.count = n;
  if (share == 1) return;
  RandomIntegers random(seed, Stream::share, step);
  const double rows = share * static_cast<double>(n);
  if (rows < static_cast<double>(least_rows_drawn)) {
    // Two words, as a share may be smaller than 2^-32.
    const double high = random.word(), low = random.word();
    const bool is_drawn = std::ldexp(high + std::ldexp(low, -32), -32) < share;
    drawn.weight = is_drawn ? 1 / share : 0;
    if (!is_drawn) drawn.count = 0;
    return;
  }
  drawn.is_whole = false;
  drawn.count = static_cast<Index>(std::lround(rows));
  drawn.rows.resize(static_cast<std::size_t>(n));
  std::iota(drawn.rows.begin(), drawn.rows.end(), Index{0});
  // The first places of a Fisher-Yates shuffle from the front.
  const auto count = static_cast<std::size_t>(drawn.count);
  for (std::size_t i = 0; i < count; ++i) std::swap(drawn.rows[i], drawn.rows[i + random.below(drawn.rows.size() - i)]);
  std::sort(drawn.rows.begin(), drawn.rows.begin() + drawn.count);
}

}  // namespace normalign

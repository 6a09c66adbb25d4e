#include "experiments/figures/colour_bar.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "base/number_text.hpp"

namespace normalign {

double LogScale::share(double value) const { return high > low ? std::log(value / low) / std::log(high / low) : 0.5; }

Colour LogScale::colour(double value) const { return value > 0 ? gradient(share(value)) : Colour{0.75, 0.75, 0.75}; }

LogScale log_scale(std::span<const double> values) {
  double low = infinity, high = 0;
  for (const double value : values) {
    if (value > 0) low = std::min(low, value);
    high = std::max(high, value);
  }
  return high > 0 ? LogScale{std::max(low, high * 1e-6), high} : LogScale{};
}

void draw_colour_bar(Canvas& canvas, Point corner, double height, const LogScale& scale, const char* heading) {
  constexpr int steps = 64;
  constexpr double width = 14;
  for (int i = 0; i < steps; ++i) {
    const double top = corner.y + height * (steps - 1 - i) / steps, bottom = top + height / steps;
    canvas.fill({{{corner.x, top}, {corner.x + width, top}, {corner.x + width, bottom}, {corner.x, bottom}}},
                gradient((i + 0.5) / steps));
  }
  for (const double at : {0.0, 0.25, 0.5, 0.75, 1.0})
    canvas.write({corner.x + width + 4, corner.y + height * (1 - at) + 3},
                 formatted("%.3g", scale.low * std::pow(scale.high / scale.low, at)), 9);
  canvas.write({corner.x + width, corner.y - 10}, heading, 9, Anchor::middle);
}

}  // namespace normalign

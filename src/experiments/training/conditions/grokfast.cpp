#include "nn/grokfast.hpp"

#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::conditions {

template <class T>
static void add_grokfast(const RunConfig& config, TrainingParts<T>& parts) {
  parts.filters.push_back(
      std::make_unique<GrokFast<T>>(GrokFastOptions{.alpha = config.grokfast_alpha, .lambda = config.grokfast_lambda}));
}

// Adds to the gradient a multiple of its moving average.
Condition grokfast() {
  return {.name = "grokfast",
          .settings = {"grokfast_alpha", "grokfast_lambda"},
          .values_kept = 1,
          .add = {add_grokfast<float>, add_grokfast<double>}};
}

}  // namespace normalign::conditions

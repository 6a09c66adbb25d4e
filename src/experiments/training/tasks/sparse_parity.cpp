#include "data/sparse_parity.hpp"

#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task sparse_parity() {
  return {.name = "sparse_parity",
          .summary = "parity of 3 of 43 bits: 1000 training rows, 43-200-200-2 ReLU, AdamW, cross entropy, float32",
          .defaults = {.hidden = {200, 200},
                       .epochs = 20000,
                       .learning_rate = 1e-2,
                       .weight_decay = 0.1,
                       .test_criterion = 90,
                       .lambda = 0.1},
          .data = [](const RunConfig& config) {
            const auto seed = static_cast<std::uint64_t>(config.seed);
            return in_precision(config, [&]<class T>(T) { return normalign::sparse_parity<T>({.seed = seed}); });
          }};
}

}  // namespace normalign::tasks

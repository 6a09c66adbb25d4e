#include "data/modular.hpp"
#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task mod_add() {
  return {.name = "mod_add",
          .summary =
              "(x + y) mod 61 from 30 % of the pairs: 122-256-61 quadratic without bias, AdamW, batch 32, "
              "cross entropy, float64",
          .defaults = {.hidden = {256},
                       .activation = "quadratic",
                       .bias = false,
                       .precision = "float64",
                       .epochs = 1000,
                       .batch_size = 32,
                       .weight_decay = 1,
                       .test_criterion = 99,
                       .lambda = 0.01},
          .data_settings = {"operation", "modulus"},
          .data = [](const RunConfig& config) {
            const ModularOptions options{.modulus = config.modulus,
                                         .operation = modular_operation(config.operation),
                                         .seed = static_cast<std::uint64_t>(config.seed)};
            return in_precision(config, [&]<class T>(T) { return modular<T>(options); });
          }};
}

}  // namespace normalign::tasks

#include "data/rings.hpp"

#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task rings() {
  return {.name = "rings",
          .summary =
              "three rings in the plane, or in more dimensions: 120 training points, 2-128-128-2 ReLU, large start, "
              "AdamW, cross entropy, float64; to look at",
          .defaults = {.hidden = {128, 128},
                       .init_scale = 8,
                       .precision = "float64",
                       .train_samples = 120,
                       .test_samples = 1000,
                       .epochs = 10000,
                       .learning_rate = 1e-3,
                       .weight_decay = 1,
                       .test_criterion = 95,
                       .lambda = 1e-3},
          .data_settings = {"train_samples", "test_samples", "dimensions"},
          .data = [](const RunConfig& config) {
            const RingsOptions options{.dimensions = config.dimensions,
                                       .train_samples = config.train_samples,
                                       .test_samples = config.test_samples,
                                       .seed = static_cast<std::uint64_t>(config.seed)};
            return in_precision(config, [&]<class T>(T) { return normalign::rings<T>(options); });
          }};
}

}  // namespace normalign::tasks

#include "data/rings.hpp"

#include "experiments/task.hpp"

namespace normalign::tasks {

Task rings() {
  return {
      .name = "rings",
      .summary =
          "three rings in the plane: 200 training points, 2-32-32-2 ReLU, large start, AdamW, cross entropy, float64",
      .defaults = {.hidden = {32, 32},
                   .init_scale = 4,
                   .precision = "float64",
                   .train_samples = 200,
                   .test_samples = 1000,
                   .epochs = 20000,
                   .learning_rate = 1e-3,
                   .weight_decay = 0.1,
                   .test_criterion = 95,
                   .lambda = 0.01},
      .data = [](const RunConfig& config) {
        const RingsOptions options{.train_samples = config.train_samples,
                                   .test_samples = config.test_samples,
                                   .seed = static_cast<std::uint64_t>(config.seed)};
        return in_precision(config, [&]<class T>(T) { return normalign::rings<T>(options); });
      }};
}

}  // namespace normalign::tasks

#include "data/xor_cluster.hpp"

#include "experiments/training/condition.hpp"
#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task xor_cluster() {
  return {.name = "xor",
          .summary =
              "product of 2 of 40000 features, the others small noise: 400 training rows, 40000-2048-1 ReLU without "
              "bias, SGD, squared error, float32",
          .defaults = {.hidden = {2048},
                       .bias = false,
                       .single_output = true,
                       .train_samples = 400,
                       .test_samples = 400,
                       .features = 40000,
                       .loss = "mse",
                       .epochs = 1000,
                       .optimizer = "sgd",
                       .learning_rate = 0.1,
                       .weight_decay = 0.1,
                       .momentum = 0.2,
                       .test_criterion = 95,
                       .noise_criterion = 95,
                       .noise_criterion_level = 0.2,
                       .lambda = 1,
                       .noise_first_column = 2},
          .adapt =
              [](RunConfig& defaults) {
                if (has_condition(defaults, "orthograd")) defaults.momentum = 0.8;
              },
          .data_settings = {"features", "feature_scale", "train_samples", "test_samples"},
          .data =
              [](const RunConfig& config) {
                const XorClusterOptions options{.features = config.features,
                                                .feature_scale = config.feature_scale,
                                                .train_samples = config.train_samples,
                                                .test_samples = config.test_samples,
                                                .seed = static_cast<std::uint64_t>(config.seed)};
                return in_precision(config, [&]<class T>(T) { return normalign::xor_cluster<T>(options); });
              }};
}

}  // namespace normalign::tasks

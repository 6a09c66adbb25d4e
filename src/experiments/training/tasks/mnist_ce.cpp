#include "data/mnist.hpp"
#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task mnist_ce() {
  return {
      .name = "mnist_ce",
      .summary = "1024 MNIST digits: 784-200-200-200-10 ReLU, large start, AdamW, batch 196, cross entropy, float64",
      .defaults = {.hidden = {200, 200, 200},
                   .init_scale = 8,
                   .precision = "float64",
                   .data = "data/mnist",
                   .train_samples = 1024,
                   .test_samples = 1024,
                   .epochs = 20000,
                   .batch_size = 196,
                   .weight_decay = 0.01,
                   .test_criterion = 80,
                   .lambda = 0.01},
      .data_settings = {"data", "train_samples", "test_samples"},
      .data =
          [](const RunConfig& config) {
            const MnistOptions options{
                .folder = config.data, .train_samples = config.train_samples, .test_samples = config.test_samples};
            return in_precision(config, [&]<class T>(T) { return mnist<T>(options); });
          },
      .data_files = [](const RunConfig& config) { return mnist_files(config.data); }};
}

}  // namespace normalign::tasks

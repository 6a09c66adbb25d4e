#include "experiments/training/lazy_regime.hpp"

#include "data/mnist.hpp"
#include "experiments/training/task.hpp"

namespace normalign::tasks {

Task lazy_regime() {
  return {.name = "lazy_regime",
          .summary =
              "feature learning against the lazy regime: MNIST's 0 and 1, 784-64-64-1 ReLU without bias, SGD on the "
              "binary cross entropy of s f, float64",
          .defaults = {.hidden = {64, 64},
                       .bias = false,
                       .single_output = true,
                       .precision = "float64",
                       .data = "data/mnist",
                       .train_samples = 512,
                       .loss = "bce",
                       .epochs = 4000,
                       .optimizer = "sgd",
                       .learning_rate = 1e-2},
          .data_settings = {"data", "train_samples", "test_samples"},
          .data =
              [](const RunConfig& config) {
                return in_precision(config, [&]<class T>(T) {
                  const Split<T> digits = mnist<T>({.folder = config.data});
                  return Split<T>{first_of_classes(digits.train, 2, config.train_samples),
                                  first_of_classes(digits.test, 2, config.test_samples)};
                });
              },
          .data_files = [](const RunConfig& config) { return mnist_files(config.data); },
          .train =
              [](const RunConfig& config, const TaskData& data, int threads, const RunObserver& observer) {
                return std::visit([&](const auto& split) { return lazy_regime_run(config, split, threads, observer); },
                                  data);
              },
          .train_settings = {"hidden", "activation", "bias", "init_scale", "precision", "initial_model", "epochs",
                             "eval_every", "learning_rate", "weight_decay", "momentum", "output_scale"}};
}

}  // namespace normalign::tasks

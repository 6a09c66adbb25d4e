#include <algorithm>

#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::conditions {

template <class T>
static void add_adversarial_noise(const RunConfig& config, TrainingParts<T>& parts) {
  parts.input_noise = [most = config.training_noise, least = config.least_training_noise](double accuracy) {
    // R² may be below 0 without end.
    return std::max(most * (1 - std::clamp(accuracy / 100, 0.0, 1.0)), least);
  };
}

// Gaussian noise on the training inputs, anew for each epoch, the smaller the better they are fitted.
Condition adversarial_noise() {
  return {.name = "adversarial_noise",
          .settings = {"training_noise", "least_training_noise"},
          .stays_in_span = false,
          .add = {add_adversarial_noise<float>, add_adversarial_noise<double>}};
}

}  // namespace normalign::conditions

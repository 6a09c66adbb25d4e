#include "nn/orthograd.hpp"

#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::conditions {

// Takes off the gradient what points along the parameters. Its file follows grokfast's, and so do filters.
Condition orthograd() {
  return {.name = "orthograd", .add = []<class T>(const RunConfig&, TrainingParts<T>& parts) {
            parts.filters.push_back(std::make_unique<OrthoGrad<T>>());
          }};
}

}  // namespace normalign::conditions

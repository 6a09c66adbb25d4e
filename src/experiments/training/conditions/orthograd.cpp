#include "nn/orthograd.hpp"

#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::conditions {

template <class T>
static void add_orthograd(const RunConfig&, TrainingParts<T>& parts) {
  parts.filters.push_back(std::make_unique<OrthoGrad<T>>());
}

// Takes off the gradient what points along the parameters. Its file follows grokfast's, and so do filters.
Condition orthograd() { return {.name = "orthograd", .add = {add_orthograd<float>, add_orthograd<double>}}; }

}  // namespace normalign::conditions

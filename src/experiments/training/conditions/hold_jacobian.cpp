#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"
#include "nn/grokalign.hpp"

namespace normalign::conditions {

template <class T>
static void add_hold_jacobian(const RunConfig& config, TrainingParts<T>& parts) {
  GrokAlignOptions options = jacobian_options(config);
  options.lambda = config.hold_weight;
  options.offset = false;
  options.level = config.level;
  parts.penalties.push_back(std::make_unique<GrokAlign<T>>(options));
}

// Holds the Jacobian at a level: hold_weight * |level - mean |J|_F| is added to the loss.
Condition hold_jacobian() {
  return {.name = "hold_jacobian",
          .settings = {"level", "hold_weight", "jacobian_norm", "projections", "penalty_share"},
          .check =
              [](const RunConfig& config) {
                if (has_condition(config, "grokalign"))
                  throw InputError(
                      text("condition: found '", config.condition,
                           "', expected not both of grokalign, which shrinks the Jacobian, and hold_jacobian"));
              },
          .add = {add_hold_jacobian<float>, add_hold_jacobian<double>}};
}

}  // namespace normalign::conditions

#include "nn/grokalign.hpp"

#include "experiments/training/condition.hpp"
#include "experiments/training/parts.hpp"

namespace normalign::conditions {

template <class T>
static void add_grokalign(const RunConfig& config, TrainingParts<T>& parts) {
  GrokAlignOptions options = jacobian_options(config);
  options.lambda = config.lambda * config.lambda_scale;
  options.jacobian = config.penalise_jacobian;
  options.offset = config.penalise_offset;
  parts.penalties.push_back(std::make_unique<GrokAlign<T>>(options));
}

// Shrinks the Jacobian and the offset: lambda * (mean |J|_F + mean |b|^2) is added to the loss.
Condition grokalign() {
  return {.name = "grokalign",
          .settings = {"lambda", "lambda_scale", "jacobian_norm", "projections", "penalise_jacobian", "penalise_offset",
                       "penalty_share"},
          .check =
              [](const RunConfig& config) {
                if (!config.penalise_jacobian && !config.penalise_offset)
                  throw InputError(
                      "penalise_offset: found false, as penalise_jacobian is, expected one of them under grokalign");
              },
          .add = {add_grokalign<float>, add_grokalign<double>}};
}

}  // namespace normalign::conditions

#include "python/bindings/models/training_options.hpp"

#include "python/bindings/bindings.hpp"
#include "python/bindings/support/option_class.hpp"

namespace pybind11::detail {

/// By its name.
template <>
struct type_caster<normalign::JacobianNorm> {
  PYBIND11_TYPE_CASTER(normalign::JacobianNorm, const_name("str"));
  bool load(handle source, bool) {
    if (!isinstance<str>(source)) return false;
    const auto norm = source.cast<std::string>();
    if (norm != "projection" && norm != "exact")
      throw normalign::InputError(normalign::text("norm: found '", norm, "', expected 'projection' or 'exact'"));
    value = norm == "exact" ? normalign::JacobianNorm::exact : normalign::JacobianNorm::projection;
    return true;
  }
  static handle cast(normalign::JacobianNorm norm, return_value_policy, handle) {
    return str(norm == normalign::JacobianNorm::exact ? "exact" : "projection").release();
  }
};

}  // namespace pybind11::detail

namespace normalign::python {

template <class T>
std::unique_ptr<Optimizer<T>> optimizer_of(const OptimizerOptions& options) {
  if (const auto* sgd = std::get_if<SgdOptions>(&options)) return std::make_unique<Sgd<T>>(*sgd);
  return std::make_unique<AdamW<T>>(std::get<AdamWOptions>(options));
}

template <class T>
std::unique_ptr<GradientFilter<T>> filter_of(const FilterOptions& options) {
  if (const auto* grokfast = std::get_if<GrokFastOptions>(&options)) return std::make_unique<GrokFast<T>>(*grokfast);
  return std::make_unique<OrthoGrad<T>>();
}

template std::unique_ptr<Optimizer<float>> optimizer_of(const OptimizerOptions&);
template std::unique_ptr<Optimizer<double>> optimizer_of(const OptimizerOptions&);
template std::unique_ptr<GradientFilter<float>> filter_of(const FilterOptions&);
template std::unique_ptr<GradientFilter<double>> filter_of(const FilterOptions&);

void bind_training_options(py::module_& module) {
  bind_options<AdamWOptions>(
      module, "AdamW", "Adam with decoupled weight decay, as in PyTorch.", R"(
learning_rate: of a step. beta1, beta2: decay rates of the first and second moment, in [0, 1). epsilon: added to the
root of the second moment. weight_decay: each step multiplies parameters by 1 - learning_rate * weight_decay first.)",
      [](const AdamWOptions& options) { AdamW<float>{options}; }, field("learning_rate", &AdamWOptions::learning_rate),
      field("beta1", &AdamWOptions::beta1), field("beta2", &AdamWOptions::beta2),
      field("epsilon", &AdamWOptions::epsilon), field("weight_decay", &AdamWOptions::weight_decay));
  bind_options<SgdOptions>(
      module, "SGD", "Stochastic gradient descent with momentum and coupled weight decay, as in PyTorch.", R"(
learning_rate: of a step. momentum: share of the velocity that is kept from step to step. weight_decay: this times the
parameter is added to the gradient.)",
      [](const SgdOptions& options) { Sgd<float>{options}; }, field("learning_rate", &SgdOptions::learning_rate),
      field("momentum", &SgdOptions::momentum), field("weight_decay", &SgdOptions::weight_decay));
  bind_options<GrokAlignOptions>(
      module, "GrokAlign", R"(
The penalty weight * (mean |J_i|_F + mean |b_i|^2) over samples, J_i the Jacobian and b_i = f(x_i) - J_i x_i.

It aligns the rows of the Jacobians with the inputs, which makes networks generalise sooner and more robust.)",
      R"(
weight: of the penalty in the loss. norm: 'projection' estimates |J_i|_F from `projections` random directions a sample,
'exact' finds it from all rows. jacobian, offset: whether that term is there. level: if set, the Jacobian term is
|level - mean |J_i|_F|. share: in (0, 1], of the samples that a step estimates the penalty on, which makes steps
faster.)",
      [](const GrokAlignOptions& options) { check(options); }, required_field("weight", &GrokAlignOptions::lambda),
      field("norm", &GrokAlignOptions::norm), field("projections", &GrokAlignOptions::projections),
      field("jacobian", &GrokAlignOptions::jacobian), field("offset", &GrokAlignOptions::offset),
      field("level", &GrokAlignOptions::level), field("share", &GrokAlignOptions::share));
  bind_options<GrokFastOptions>(
      module, "GrokFast", "The filter g + weight * m of a gradient g with its moving average m.", R"(
alpha: share of the average that is kept at each step. weight: of the average.)",
      [](const GrokFastOptions& options) { GrokFast<float>{options}; }, field("alpha", &GrokFastOptions::alpha),
      field("weight", &GrokFastOptions::lambda));
  bind_options<OrthoGradOptions>(module, "OrthoGrad",
                                 "The filter that takes out of a gradient its part along the weights, layer by layer.",
                                 "It has no options.", [](const OrthoGradOptions&) {});
}

}  // namespace normalign::python

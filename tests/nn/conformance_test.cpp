// Every value and derivative of the training core against PyTorch in float64.
#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "nn/adamw.hpp"
#include "nn/grokalign.hpp"
#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

// |found - expected| <= 1e-10 max|expected| per tensor; 1e-12 absolutely where the expected tensor is zero:
// exactly, or up to PyTorch's own rounding (at most 4.4e-16, the offset's gradient in W0 of piecewise-affine
// networks; the smallest other tensor is above 1e-6).
void check_tensor(const std::string& what, ConstView<double> found, const M& expected) {
  INFO(what);
  REQUIRE(found.shape() == expected.shape());
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < expected.span().size(); ++i) {
    const double difference = std::abs(found.span()[i] - expected.span()[i]);
    error = std::isnan(difference) ? INFINITY : std::max(error, difference);
    scale = std::max(scale, std::abs(expected.span()[i]));
  }
  CAPTURE(scale);
  CHECK(error <= (scale > 1e-14 ? 1e-10 * scale : 1e-12));
}

void check_tensors(const std::string& what, const std::vector<M>& found, const std::vector<M>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t p = 0; p < found.size(); ++p) check_tensor(text(what, ", parameter ", p), found[p], expected[p]);
}

std::vector<M> values(const std::vector<V>& vars) {
  std::vector<M> result;
  for (const V& var : vars) result.emplace_back(var.value());
  return result;
}

// The Vars of jacobian(), n x d each, as rows of k times d values.
M joined(const std::vector<V>& jacobian) {
  const Index n = jacobian.front().rows(), d = jacobian.front().cols();
  M result(n, d * static_cast<Index>(jacobian.size()));
  for (std::size_t j = 0; j < jacobian.size(); ++j)
    for (Index i = 0; i < n; ++i)
      for (Index c = 0; c < d; ++c) result(i, static_cast<Index>(j) * d + c) = jacobian[j].value()(i, c);
  return result;
}

// a + weight * b, tensor by tensor.
std::vector<M> plus(std::vector<M> a, double weight, const std::vector<M>& b) {
  for (std::size_t p = 0; p < a.size(); ++p)
    for (std::size_t i = 0; i < a[p].span().size(); ++i) a[p].span()[i] += weight * b[p].span()[i];
  return a;
}

void check_on_tape(ReferenceMlp& reference) {
  const auto& expect = reference.expect;
  const Index n = reference.x.rows(), k = reference.projection.cols();
  Tape<double> tape;
  MlpOnTape<double> net = reference.mlp.on(tape);
  const std::vector<V> parameters(net.parameters().begin(), net.parameters().end());
  const V x = tape.variable(reference.x);
  const V f = net(x);
  const V loss = task_loss(
      reference.loss, f,
      reference.loss == Loss::cross_entropy ? tape.labels(reference.labels) : tape.constant(reference.targets));
  const V projection = tape.constant(reference.projection);

  check_tensor("output", f.value(), matrix_of(expect.at("output")));
  check_tensor("loss", loss.value(), matrix_of(expect.at("loss")));
  check_tensors("grad_loss", values(grad(loss, parameters)), parameters_of(expect.at("grad_loss")));
  check_tensor("vector_jacobian", grad(f, x, {.seed = projection}).value(), matrix_of(expect.at("vector_jacobian")));
  check_tensor("jacobian", joined(jacobian(f, x)), matrix_of(expect.at("jacobian")));
  check_tensor("jacobian_vector_x", jvp(f, x, x).value(), matrix_of(expect.at("jacobian_vector_x")));
  check_tensor("centroid", grad(f, x, {.seed = tape.full({n, k}, 1)}).value(), matrix_of(expect.at("centroid")));

  const V offset = net.offset(x, f), pushed = offset_by_pushforward(x, f);
  check_tensor("offset", offset.value(), matrix_of(expect.at("offset")));
  check_tensor("offset by pushforward", pushed.value(), matrix_of(expect.at("offset")));

  std::vector<V> units;
  for (Index j = 0; j < k; ++j) {
    M unit(n, k);
    for (Index i = 0; i < n; ++i) unit(i, j) = 1;
    units.push_back(tape.constant(unit));
  }
  const V hutchinson = mean(jacobian_norms(x, f, std::span<const V>(&projection, 1)));
  const V frobenius = mean(jacobian_norms(x, f, std::span<const V>(units)));
  const V offset_norm = mean(row_sum(square(offset))), pushed_norm = mean(row_sum(square(pushed)));
  const V total = loss + reference.lambda * (hutchinson + offset_norm);
  const auto check_scalar = [&](const std::string& name, const V& found) {
    check_tensor(name, found.value(), matrix_of(expect.at(name)));
    check_tensors("gradient of " + name, values(grad(found, parameters)),
                  parameters_of(expect.at(name == "total" ? "grad_total" : "grad_" + name)));
  };
  check_scalar("penalty_hutchinson", hutchinson);
  check_scalar("penalty_frobenius", frobenius);
  check_scalar("penalty_offset", offset_norm);
  check_scalar("penalty_offset", pushed_norm);
  check_scalar("total", total);

  std::vector<V> direction;
  for (const M& tensor : reference.direction) direction.push_back(tape.constant(tensor));
  check_tensors("hessian_vector_loss", values(hvp(loss, parameters, direction)),
                parameters_of(expect.at("hessian_vector_loss")));
}

// One step that changes nothing, on row blocks: the exact norm is found in every file; a random projection is
// the reference's up to its sign where there is one output.
void check_train_step(ReferenceMlp& reference) {
  const auto& expect = reference.expect;
  std::vector<Index> samples(static_cast<std::size_t>(reference.x.rows()));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<Index>(i);
  const Batch<double> batch{
      .inputs = reference.x, .labels = reference.labels, .targets = reference.targets, .samples = samples};
  const auto number = [&](const char* name) { return expect.at(name).get<double>(); };
  const auto run_step = [&](const std::string& what, Optimizer<double>& optimizer, JacobianNorm norm, double penalty,
                            const std::vector<M>& gradient) {
    INFO(what);
    const GrokAlign<double> grokalign({.lambda = reference.lambda, .norm = norm});
    TrainStep<double> step(reference.mlp, optimizer, {.loss = reference.loss, .penalties = {&grokalign}});
    step.keep_gradients();
    const StepResult found = step(batch, 0);
    check_tensor("task loss", M{{found.task_loss}}, M{{number("loss")}});
    check_tensor("Jacobian norm", M{{found.terms[0]}}, M{{penalty}});
    check_tensor("offset norm", M{{found.terms[1]}}, M{{number("penalty_offset")}});
    check_tensor("total", M{{found.total}},
                 M{{number("loss") + reference.lambda * (penalty + number("penalty_offset"))}});
    check_tensors("gradient", {step.gradients().begin(), step.gradients().end()}, gradient);
  };
  const auto tensors = [&](const char* name) { return parameters_of(expect.at(name)); };
  Sgd<double> sgd({.learning_rate = 0});
  AdamW<double> adamw({.learning_rate = 0, .weight_decay = 0.1});
  run_step("exact", sgd, JacobianNorm::exact, number("penalty_frobenius"),
           plus(plus(tensors("grad_loss"), reference.lambda, tensors("grad_penalty_frobenius")), reference.lambda,
                tensors("grad_penalty_offset")));
  if (reference.projection.cols() == 1)
    run_step("projection", adamw, JacobianNorm::projection, number("penalty_hutchinson"), tensors("grad_total"));
}

void check_trajectory(const nlohmann::json& trajectory) {
  std::vector<M> parameters;
  for (const auto& tensor : trajectory.at("start")) parameters.push_back(matrix_of(tensor));
  const std::vector<MatrixView<double>> views(parameters.begin(), parameters.end());

  const std::string name = trajectory.at("optimizer"), filter_name = trajectory.at("gradient_filter");
  std::unique_ptr<Optimizer<double>> optimizer;
  if (name == "adamw")
    optimizer = std::make_unique<AdamW<double>>(
        AdamWOptions{.learning_rate = 1e-2, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-25, .weight_decay = 0.1});
  else if (name == "adam")
    optimizer = std::make_unique<AdamW<double>>(AdamWOptions{.learning_rate = 1e-3, .beta2 = 0.999, .epsilon = 1e-8});
  else if (name == "sgd" || name == "sgd_momentum")
    optimizer = std::make_unique<Sgd<double>>(
        SgdOptions{.learning_rate = 0.1, .momentum = name == "sgd" ? 0 : 0.8, .weight_decay = 0.1});
  std::unique_ptr<GradientFilter<double>> filter;
  if (filter_name == "orthograd") filter = std::make_unique<OrthoGrad<double>>();
  if (filter_name == "grokfast_ema")
    filter = std::make_unique<GrokFast<double>>(GrokFastOptions{.alpha = 0.8, .lambda = 0.1});
  INFO(name << ", " << filter_name);
  REQUIRE(optimizer);
  REQUIRE((filter || filter_name == "none"));

  optimizer->start(views);
  if (filter) filter->start(views);
  const auto& gradients = trajectory.at("gradients");
  REQUIRE(gradients.size() == trajectory.at("expect").size());
  for (std::size_t step = 0; step < gradients.size(); ++step) {
    CAPTURE(step);
    optimizer->begin_step();
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      M gradient = matrix_of(gradients[step][p]);
      if (filter) filter->apply(p, parameters[p], gradient);
      optimizer->update(p, 0, parameters[p].span(), std::as_const(gradient).span());
      check_tensor(text("parameter ", p), parameters[p], matrix_of(trajectory.at("expect")[step][p]));
    }
  }
}

TEST_CASE("networks, losses, derivatives, penalties and optimizers agree with PyTorch to 1e-10") {
  const auto folder = reference_folder();
  if (!folder)
    return skip("conformance with PyTorch: ../shared/data/reference is not there and NORMALIGN_REFERENCE is not set");
  const auto files = reference_files(*folder / "autodiff");
  INFO("folder " << (*folder / "autodiff").string());
  REQUIRE_FALSE(files.empty());
  for (const auto& file : files) {
    const std::string name = file.filename().string();
    INFO(name);
    if (name == "optimizers.json") {
      const auto trajectories = read_json(file);
      REQUIRE_FALSE(trajectories.empty());
      for (const auto& trajectory : trajectories) check_trajectory(trajectory);
    } else {
      REQUIRE(name.starts_with("mlp_"));  // what other files hold, this test does not know
      ReferenceMlp reference = read_reference_mlp(file);
      check_on_tape(reference);
      check_train_step(reference);
    }
  }
}

}  // namespace
}  // namespace normalign::tests

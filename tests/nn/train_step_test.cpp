#include "nn/train_step.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "nn/adamw.hpp"
#include "nn/grokalign.hpp"
#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "nn/sgd.hpp"
#include "support/catch.hpp"
#include "support/malloc_counter.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

// Samples whose numbers are not their rows.
template <class T>
struct Data {
  Matrix<T> inputs, targets;
  std::vector<std::int32_t> labels;
  std::vector<Index> samples;

  Data(Index n, Index d, Index k, std::uint64_t seed = 1)
      : inputs(random_matrix<T>({n, d}, seed)), targets(random_matrix<T>({n, k}, seed + 1000, 0, 1)) {
    for (Index i = 0; i < n; ++i) {
      labels.push_back(static_cast<std::int32_t>((i * i + i / 3) % k));
      samples.push_back(n + 5 - 2 * i + (2 * i > n + 5 ? 4 * n : 0));
    }
  }
  // Inputs with a one in two columns of each row and zeros elsewhere, as in modular arithmetic.
  Data& two_hot() {
    std::ranges::fill(inputs.span(), T{0});
    const Index half = inputs.cols() / 2;
    for (Index i = 0; i < inputs.rows(); ++i) inputs(i, i % half) = inputs(i, half + (7 * i + i / 5) % half) = 1;
    return *this;
  }
  Batch<T> batch() const { return {.inputs = inputs, .labels = labels, .targets = targets, .samples = samples}; }
};

// What a step found, by name; 0 for a term that is off.
struct Found {
  double task_loss = 0, jacobian_norm = 0, offset_norm = 0, total = 0;
};

template <class T>
Found found_by(TrainStep<T>& step, const Batch<T>& batch, std::uint32_t number) {
  const StepResult result = step(batch, number);
  Found found{.task_loss = result.task_loss, .total = result.total};
  REQUIRE(result.terms.size() == step.term_names().size());
  for (std::size_t i = 0; i < result.terms.size(); ++i)
    (step.term_names()[i] == "jacobian_norm" ? found.jacobian_norm : found.offset_norm) = result.terms[i];
  return found;
}

// ---- what a step minimises ----

// A step under GrokAlign.
struct Options {
  Loss loss = Loss::cross_entropy;
  GrokAlignOptions grokalign{};
  std::uint64_t seed = 0;
  int threads = 1;
};

struct Expected {
  Found result;
  std::vector<M> gradients;
};

// The same loss on one tape, by other means: whole Jacobians for the norm, a pushforward for the offset.
Expected on_one_tape(const Mlp<double>& mlp, const Data<double>& data, const Options& options, std::uint32_t step) {
  const GrokAlignOptions& penalty = options.grokalign;
  const Index n = data.inputs.rows(), k = mlp.options().widths.back();
  Tape<double> tape;
  MlpOnTape<double> net = mlp.on(tape);
  const std::vector<V> parameters(net.parameters().begin(), net.parameters().end());
  const V x = tape.variable(data.inputs);
  const V f = net(x);
  const V task = task_loss(
      options.loss, f, options.loss == Loss::cross_entropy ? tape.labels(data.labels) : tape.constant(data.targets));
  Expected expected;
  expected.result.task_loss = task.item();
  V total = task;
  if (penalty.lambda > 0 && penalty.jacobian) {
    const std::vector<V> rows = jacobian(f, x, {.create_graph = true});
    V squares;
    const bool exact = penalty.norm == JacobianNorm::exact;
    const Index directions = exact ? 1 : direction_count(penalty, k);
    for (Index m = 0; m < directions; ++m) {
      M v(n, k);
      if (!exact) fill_directions<double>(penalty, m, v, data.samples, options.seed, step);
      const V direction = tape.constant(v);
      V product, share;
      for (Index j = 0; j < k; ++j) {
        const V row = rows[static_cast<std::size_t>(j)];
        if (exact) {
          const V part = row_sum(square(row));
          share = share ? share + part : part;
        } else {
          const V part = slice_cols(direction, j, 1) * row;
          product = product ? product + part : part;
        }
      }
      if (!exact) share = static_cast<double>(k) / static_cast<double>(directions) * row_sum(square(product));
      squares = squares ? squares + share : share;
    }
    const V norm = mean(sqrt(clamp_min(squares, 1e-8)));
    expected.result.jacobian_norm = norm.item();
    total = total + penalty.lambda * (penalty.level ? abs(norm - *penalty.level) : norm);
  }
  if (penalty.lambda > 0 && penalty.offset) {
    const V offset = mean(row_sum(square(offset_by_pushforward(x, f))));
    expected.result.offset_norm = offset.item();
    total = total + penalty.lambda * offset;
  }
  expected.result.total = total.item();
  for (const V& g : grad(total, parameters)) expected.gradients.emplace_back(g.value());
  return expected;
}

struct NamedPenalty {
  const char* name;
  GrokAlignOptions options;
};

const std::vector<NamedPenalty> penalties = {
    {"none", {}},
    {"one projection", {.lambda = 0.3}},
    {"three projections", {.lambda = 0.3, .projections = 3}},
    {"exact", {.lambda = 0.3, .norm = JacobianNorm::exact}},
    {"offset off", {.lambda = 0.3, .offset = false}},
    {"exact, offset off", {.lambda = 0.3, .norm = JacobianNorm::exact, .offset = false}},
    {"Jacobian off", {.lambda = 0.3, .jacobian = false}},
    {"both off", {.lambda = 0.3, .jacobian = false, .offset = false}},
    {"low level", {.lambda = 0.3, .level = 1e-3}},
    {"high level", {.lambda = 0.3, .level = 50}},
    {"high level, exact, three outputs, offset off",
     {.lambda = 0.3, .norm = JacobianNorm::exact, .offset = false, .level = 50}},
    {"a level but no Jacobian", {.lambda = 0.3, .jacobian = false, .level = 2}},
};

const std::vector<MlpOptions> networks = {
    {.widths = {6, 9, 8, 3}, .activation = Activation::relu, .init_scale = 2, .seed = 1},
    {.widths = {6, 9, 3}, .activation = Activation::quadratic, .bias = false, .init_scale = 2, .seed = 2},
    {.widths = {6, 9, 8, 3}, .activation = Activation::tanh, .init_scale = 2, .seed = 3},
    {.widths = {6, 9, 3}, .activation = Activation::relu, .bias = false, .seed = 4},
    {.widths = {6, 9, 5, 3}, .activation = Activation::abs, .seed = 5},
    {.widths = {6, 9, 3}, .activation = Activation::quadratic, .seed = 6},
    {.widths = {6, 9, 1}, .activation = Activation::leaky_relu, .seed = 7},
};

void check_step(const MlpOptions& network, const Options& options, Index rows, bool hot = false) {
  Data<double> data(rows, network.widths.front(), network.widths.back());
  if (hot) data.two_hot();
  Mlp<double> mlp(network);
  const std::uint32_t number = 5;
  const Expected expected = on_one_tape(mlp, data, options, number);
  Sgd<double> sgd({.learning_rate = 0.125});
  const GrokAlign<double> penalty(options.grokalign);
  TrainStep<double> step(
      mlp, sgd, {.loss = options.loss, .penalties = {&penalty}, .seed = options.seed, .threads = options.threads});
  step.keep_gradients();
  const Found found = found_by(step, data.batch(), number);
  CHECK_THAT(found.task_loss, WithinRel(expected.result.task_loss, tolerance<double>(1)));
  CHECK_THAT(found.jacobian_norm, WithinRel(expected.result.jacobian_norm, tolerance<double>(1)));
  // The offset of a network without one is zero, up to the pushforward's rounding.
  CHECK_THAT(found.offset_norm, WithinRel(expected.result.offset_norm, tolerance<double>(1)) ||
                                    WithinAbs(expected.result.offset_norm, 1e-28));
  CHECK_THAT(found.total, WithinRel(expected.result.total, tolerance<double>(1)));
  const Mlp<double> before(network);
  REQUIRE(step.gradients().size() == expected.gradients.size());
  for (std::size_t p = 0; p < expected.gradients.size(); ++p) {
    CAPTURE(p);
    CHECK(relative_error(step.gradients()[p], expected.gradients[p]) <= tolerance<double>(2));
    // And the parameters have taken that step.
    double error = 0;
    for (std::size_t i = 0; i < expected.gradients[p].span().size(); ++i)
      error = std::max(error, std::abs(before.parameters()[p].span()[i] - 0.125 * step.gradients()[p].span()[i] -
                                       mlp.parameters()[p].span()[i]));
    CHECK(error <= 1e-14);
  }
}

TEST_CASE("a step's gradient is that of the whole loss on one tape, for every penalty and network") {
  for (const MlpOptions& network : networks)
    for (const auto& [penalty_name, penalty] : penalties)
      for (int threads : {1, 2}) {
        CAPTURE(penalty_name, name(network.activation), network.bias, threads);
        check_step(network, {.loss = Loss::mse, .grokalign = penalty, .seed = 11, .threads = threads}, 13);
        if (network.widths.back() > 1)
          check_step(network, {.loss = Loss::cross_entropy, .grokalign = penalty, .seed = 11, .threads = threads}, 13);
      }
}

TEST_CASE("a step's gradient is right on multi-hot inputs, where the first product is a gather") {
  for (MlpOptions network : networks)
    for (const auto& [penalty_name, penalty] : penalties) {
      CAPTURE(penalty_name, name(network.activation), network.bias);
      network.widths.front() = 64;
      network.init_scale = 3;
      check_step(network, {.loss = Loss::mse, .grokalign = penalty, .seed = 11, .threads = 2}, 13, true);
    }
}

TEST_CASE("a step's gradient is right at any number of rows, with every loss") {
  for (Loss loss : {Loss::cross_entropy, Loss::mse, Loss::bce})
    for (Index rows : {1, 2, 3, 251, 501}) {
      CAPTURE(name(loss), rows);
      check_step(networks[0], {.loss = loss, .grokalign = {.lambda = 0.2, .level = 1}, .seed = 3, .threads = 3}, rows);
      check_step(networks[2], {.loss = loss, .grokalign = {.lambda = 0.2}, .seed = 3, .threads = 2}, rows);
    }
}

TEST_CASE("a step of a network whose gradient copies would pass 64 MiB is right, and the same at any threads") {
  // 2200 * 2000 doubles are 34 MiB, and a batch has at least two blocks.
  const MlpOptions wide{.widths = {2200, 2000, 1}, .bias = false, .seed = 8};
  for (const GrokAlignOptions& penalty : {GrokAlignOptions{}, {.lambda = 0.3}, {.lambda = 0.3, .level = 5}}) {
    CAPTURE(penalty.lambda, penalty.level.has_value());
    check_step(wide, {.loss = Loss::mse, .grokalign = penalty, .seed = 11, .threads = 2}, 5);
  }
  // Enough rows for products that are split over the threads.
  const Data<float> data(300, 2200, 1);
  const auto trained = [&](int threads) {
    Mlp<float> mlp({.widths = {2200, 3900, 1}, .bias = false, .seed = 8});
    Sgd<float> sgd({.learning_rate = 0.01});
    const GrokAlign<float> penalty({.lambda = 0.3});
    TrainStep<float> step(mlp, sgd, {.loss = Loss::mse, .penalties = {&penalty}, .threads = threads});
    step(data.batch(), 0);
    return Matrix<float>(ConstView<float>(mlp.parameters()[0]));
  };
  CHECK(same_bits(trained(1), trained(2)));
}

TEST_CASE("a clipped gradient has the clip's length, and a short one is left alone") {
  const Data<double> data(13, 6, 3);
  const auto gradients = [&](double clip) {
    Mlp<double> mlp(networks[2]);
    Sgd<double> sgd({.learning_rate = 0});
    TrainStep<double> step(mlp, sgd, {.gradient_clip = clip});
    step.keep_gradients();
    step(data.batch(), 0);
    return std::vector<M>(step.gradients().begin(), step.gradients().end());
  };
  const auto squared_length = [](const std::vector<M>& all) {
    double squares = 0;
    for (const M& g : all)
      for (double value : g.span()) squares += value * value;
    return squares;
  };
  const auto whole = gradients(0);
  const double length = std::sqrt(squared_length(whole));
  const auto clipped = gradients(length / 4), untouched = gradients(length * 2);
  CHECK_THAT(squared_length(clipped), WithinRel(length * length / 16, 1e-12));
  for (std::size_t p = 0; p < whole.size(); ++p) {
    CHECK(same_bits(untouched[p], whole[p]));
    for (std::size_t i = 0; i < whole[p].span().size(); ++i)
      CHECK_THAT(clipped[p].span()[i], WithinAbs(whole[p].span()[i] / 4, 1e-14));
  }
  Mlp<double> mlp(networks[2]);
  Sgd<double> sgd({.learning_rate = 0});
  CHECK(contains(message_of([&] { TrainStep<double>(mlp, sgd, {.gradient_clip = -1}); }), "gradient_clip is -1"));
}

TEST_CASE("a step learns from a sample that is fitted very well only with the accurate cross entropy") {
  const Matrix<float> x{{1}};
  const std::int32_t label[] = {0};
  const auto gradient = [&](CrossEntropyGradient kind) {
    Mlp<float> mlp({.widths = {1, 2}, .bias = false});
    std::ranges::copy(std::initializer_list<float>{25, 0}, mlp.parameters()[0].span().begin());
    Sgd<float> sgd({.learning_rate = 0});
    TrainStep<float> step(mlp, sgd, {.cross_entropy_gradient = kind});
    step.keep_gradients();
    step({.inputs = x, .labels = label}, 0);
    return Matrix<float>(step.gradients()[0]);
  };
  CHECK(gradient(CrossEntropyGradient::subtracted)(0, 0) == 0);
  CHECK_THAT(static_cast<double>(gradient(CrossEntropyGradient::accurate)(0, 0)), WithinRel(-std::exp(-25.0), 1e-5));
  CHECK_THAT(static_cast<double>(gradient(CrossEntropyGradient::accurate)(1, 0)), WithinRel(std::exp(-25.0), 1e-5));
}

TEST_CASE("with an output scale the task loss is that of s f, and the penalty still that of f") {
  // mse(s f, s t) = s^2 mse(f, t), so lambda s^2 beside it multiplies the whole gradient by s^2.
  constexpr double scale = 4;
  const Data<double> plain(10, 5, 2);
  Data<double> scaled = plain;
  for (double& target : scaled.targets.span()) target *= scale;
  const auto gradients = [](const Data<double>& data, double output_scale, double lambda) {
    Mlp<double> mlp({.widths = {5, 8, 2}, .activation = Activation::tanh, .seed = 2});
    Sgd<double> sgd({});
    const GrokAlign<double> penalty({.lambda = lambda});
    TrainStep<double> step(mlp, sgd, {.loss = Loss::mse, .output_scale = output_scale, .penalties = {&penalty}});
    step.keep_gradients();
    step(data.batch(), 0);
    return std::vector<M>(step.gradients().begin(), step.gradients().end());
  };
  const auto expected = gradients(plain, 1, 0.1), found = gradients(scaled, scale, 0.1 * scale * scale);
  for (std::size_t p = 0; p < expected.size(); ++p) {
    M times(expected[p]);
    for (double& value : times.span()) value *= scale * scale;
    CHECK_FALSE(all_zero(times));
    CHECK(relative_error(found[p], times) <= tolerance<double>(1));
  }
}

TEST_CASE("the norm is pushed down above its level, up below it, and left alone at it") {
  const Data<double> data(13, 6, 3);
  const auto gradients = [&](GrokAlignOptions options, Found* result = nullptr) {
    Mlp<double> mlp(networks[2]);
    Sgd<double> sgd({.learning_rate = 0});
    const GrokAlign<double> penalty(options);
    TrainStep<double> step(mlp, sgd, {.penalties = {&penalty}});
    step.keep_gradients();
    const Found found = found_by(step, data.batch(), 0);
    if (result) *result = found;
    return std::vector<M>(step.gradients().begin(), step.gradients().end());
  };
  Found at_zero;
  const auto off = gradients({});
  const auto shrinking = gradients({.lambda = 0.5, .offset = false});
  const auto above = gradients({.lambda = 0.5, .offset = false, .level = 0}, &at_zero);
  const auto below = gradients({.lambda = 0.5, .offset = false, .level = 1000});
  Found at_level;
  const auto equal = gradients({.lambda = 0.5, .offset = false, .level = at_zero.jacobian_norm}, &at_level);
  CHECK(at_level.total == at_level.task_loss);
  CHECK_THAT(at_zero.total, WithinRel(at_zero.task_loss + 0.5 * at_zero.jacobian_norm, 1e-14));
  for (std::size_t p = 0; p < off.size(); ++p) {
    CAPTURE(p);
    CHECK(same_bits(above[p], shrinking[p]));
    CHECK(relative_error(equal[p], off[p]) <= tolerance<double>());
    for (std::size_t i = 0; i < off[p].span().size(); ++i)  // the penalty's part changes its sign
      CHECK_THAT(above[p].span()[i] - off[p].span()[i],
                 WithinAbs(off[p].span()[i] - below[p].span()[i], tolerance<double>(1)));
  }
}

TEST_CASE("a network whose Jacobian is zero has finite gradients, and a norm at the floor") {
  for (const MlpOptions& network : networks)
    for (const auto& [penalty_name, options] : penalties) {
      CAPTURE(penalty_name, name(network.activation), network.bias);
      Mlp<double> mlp(network);
      for (const auto& p : mlp.parameters()) std::ranges::fill(p.span(), 0.0);
      const Data<double> data(8, 6, network.widths.back());
      Sgd<double> sgd({.learning_rate = 0.1});
      const GrokAlign<double> penalty(options);
      TrainStep<double> step(mlp, sgd, {.loss = Loss::mse, .penalties = {&penalty}});
      step.keep_gradients();
      for (std::uint32_t i = 0; i < 3; ++i) {
        const Found found = found_by(step, data.batch(), i);
        CHECK(std::isfinite(found.total));
        if (i == 0 && options.lambda > 0 && options.jacobian) CHECK_THAT(found.jacobian_norm, WithinRel(1e-4, 1e-10));
        for (const M& g : step.gradients()) CHECK(all_finite(g));
      }
    }
}

// ---- penalties of one's own ----

// vᵀHv, or its square, with H the Hessian of the task loss in the parameters and v all ones; and the squared length of
// the parameters.
class Curvature : public Penalty<double> {
 public:
  explicit Curvature(bool squared = false) : squared_(squared) {}
  std::vector<PenaltyTerm> terms() const override {
    return {{.name = "curvature", .weight = 0.2}, {.name = "length", .weight = 0.01}};
  }
  void record(const PenaltyBlock<double>& block, std::span<V> shares) const override {
    const auto parameters = block.net.parameters();
    shares[0] = slope_twice(block.task_loss, {parameters.begin(), parameters.end()});
    for (const V& p : parameters) shares[1] = shares[1] ? shares[1] + sum(square(p)) : sum(square(p));
    shares[1] = static_cast<double>(block.x.rows()) / static_cast<double>(block.batch_rows) * shares[1];
  }
  bool is_linear() const override { return !squared_; }
  double value(std::span<const double> terms, std::span<double> slopes) const override {
    if (!squared_) return Penalty<double>::value(terms, slopes);
    const double weight = std::exchange(slopes[0], 2 * slopes[0] * terms[0]);
    return weight * terms[0] * terms[0] + slopes[1] * terms[1];
  }
  static V slope_twice(const V& loss, const std::vector<V>& parameters) {
    V f = loss;
    for (int order = 0; order < 2; ++order) {
      V slope;
      for (const V& g : grad(f, parameters, {.create_graph = true})) slope = slope ? slope + sum(g) : sum(g);
      f = slope;
    }
    return f;
  }

 private:
  bool squared_;
};

TEST_CASE("a penalty on the curvature, over row blocks, has the gradient of the whole loss on one tape") {
  const MlpOptions network{.widths = {6, 9, 3}, .activation = Activation::tanh, .seed = 3};
  for (const bool squared : {false, true})
    for (const Index rows : {13, 501}) {
      CAPTURE(squared, rows);
      const Data<double> data(rows, 6, 3);
      const Curvature penalty(squared);
      const GrokAlign<double> grokalign({.lambda = 0.3});
      std::vector<M> first;
      for (const int threads : {1, 2}) {
        Mlp<double> mlp(network);
        Sgd<double> sgd({.learning_rate = 0.1});
        TrainStep<double> step(mlp, sgd,
                               {.loss = Loss::mse, .penalties = {&penalty, &grokalign}, .seed = 2, .threads = threads});
        CHECK(step.term_names() == std::vector<std::string>{"curvature", "length", "jacobian_norm", "offset_norm"});
        step.keep_gradients();
        const StepResult found = step(data.batch(), 4);
        if (threads == 1) {
          const Mlp<double> before(network);
          Tape<double> tape;
          auto net = before.on(tape);
          const std::vector<V> parameters(net.parameters().begin(), net.parameters().end());
          const V x = tape.variable(data.inputs), f = net(x), task = mse(f, tape.constant(data.targets));
          const V curvature = Curvature::slope_twice(task, parameters);
          V length;
          for (const V& p : parameters) length = length ? length + sum(square(p)) : sum(square(p));
          M directions(rows, 3);
          fill_directions<double>({}, 0, directions, data.samples, 2, 4);
          const V v = tape.constant(directions), norm = mean(jacobian_norms(x, f, std::span<const V>(&v, 1)));
          const V offset = mean(row_sum(square(net.offset(x, f))));
          const V total =
              task + 0.2 * (squared ? square(curvature) : curvature) + 0.01 * length + 0.3 * (norm + offset);
          CHECK_THAT(found.total, WithinRel(total.item(), tolerance<double>(1)));
          REQUIRE(found.terms.size() == 4);
          CHECK_THAT(found.terms[0], WithinRel(curvature.item(), tolerance<double>(2)));
          CHECK_THAT(found.terms[1], WithinRel(length.item(), tolerance<double>(1)));
          CHECK_THAT(found.terms[2], WithinRel(norm.item(), tolerance<double>(1)));
          CHECK_THAT(found.terms[3], WithinRel(offset.item(), tolerance<double>(1)));
          const auto expected = grad(total, parameters);
          for (std::size_t p = 0; p < expected.size(); ++p)
            CHECK(relative_error(step.gradients()[p], expected[p].value()) <= tolerance<double>(3));
          first.assign(step.gradients().begin(), step.gradients().end());
        }
        for (std::size_t p = 0; p < first.size(); ++p) CHECK(same_bits(step.gradients()[p], first[p]));
      }
    }
}

TEST_CASE("two terms of one name are refused") {
  Mlp<double> mlp({.widths = {3, 2}});
  Sgd<double> sgd({});
  const GrokAlign<double> one({.lambda = 0.1}), other({.lambda = 0.2, .jacobian = false});
  CHECK(message_of([&] {
          TrainStep<double>(mlp, sgd, {.penalties = {&one, &other}});
        }) == "TrainStep: two terms of penalties have the name offset_norm; each needs its own");
}

TEST_CASE("without sample numbers row i is sample i") {
  const GrokAlign<double> penalty({.lambda = 0.3});
  Data<double> data(501, 6, 3);
  std::iota(data.samples.begin(), data.samples.end(), Index{0});
  const auto trained = [&](std::span<const Index> samples) {
    Mlp<double> mlp(networks[0]);
    Sgd<double> sgd({});
    TrainStep<double> step(mlp, sgd, {.penalties = {&penalty}, .threads = 2});
    step({.inputs = data.inputs, .labels = data.labels, .samples = samples}, 0);
    return M(ConstView<double>(mlp.parameters()[0]));
  };
  CHECK(same_bits(trained({}), trained(data.samples)));
}

// ---- filters and optimizers ----

TEST_CASE("filters change the gradient in their order, and the optimizer takes what they leave") {
  const Data<double> data(13, 6, 3);
  const MlpOptions network = networks[0];
  Mlp<double> mlp(network), by_hand(network), plain(network);
  Sgd<double> sgd({.learning_rate = 0.1, .momentum = 0.5, .weight_decay = 0.2}), hand_sgd = sgd,
                                                                                 off({.learning_rate = 0});
  GrokFast<double> fast({.alpha = 0.5, .lambda = 2}), hand_fast({.alpha = 0.5, .lambda = 2});
  OrthoGrad<double> ortho;
  TrainStep<double> step(mlp, sgd, {.filters = {&fast, &ortho}});
  const auto hand_views = by_hand.parameters();
  hand_sgd.start(hand_views);
  hand_fast.start(hand_views);
  TrainStep<double> raw(by_hand, off);
  raw.keep_gradients();
  for (std::uint32_t i = 0; i < 4; ++i) {
    raw(data.batch(), i);
    std::vector<M> g(raw.gradients().begin(), raw.gradients().end());
    hand_sgd.begin_step();
    for (std::size_t p = 0; p < g.size(); ++p) {
      hand_fast.apply(p, hand_views[p], g[p]);
      ortho.apply(p, hand_views[p], g[p]);
    }
    for (std::size_t p = 0; p < g.size(); ++p) hand_sgd.update(p, 0, hand_views[p].span(), std::as_const(g[p]).span());
    step(data.batch(), i);
    for (std::size_t p = 0; p < g.size(); ++p) {
      CHECK(relative_error(step.gradients()[p], g[p]) <= tolerance<double>());
      CHECK(relative_error(mlp.parameters()[p], hand_views[p]) <= tolerance<double>());
    }
  }
}

// ---- a penalty on a share of the samples ----

using Gradients = std::vector<M>;

// Steps of one network that stays as it is.
struct StandingStep {
  Mlp<double> mlp;
  Sgd<double> sgd{{.learning_rate = 0}};
  GrokAlign<double> penalty;
  TrainStep<double> step;

  StandingStep(const MlpOptions& network, const GrokAlignOptions& options, int threads = 1)
      : mlp(network), penalty(options), step(mlp, sgd, {.penalties = {&penalty}, .seed = 11, .threads = threads}) {
    step.keep_gradients();
  }
};

Data<double> rows_of(const Data<double>& data, const SampleShare& drawn) {
  if (drawn.is_whole) return data;
  Data<double> result(drawn.count, data.inputs.cols(), data.targets.cols());
  for (Index i = 0; i < drawn.count; ++i) {
    const auto row = static_cast<std::size_t>(drawn.rows[static_cast<std::size_t>(i)]);
    std::ranges::copy(data.inputs.row(drawn.rows[static_cast<std::size_t>(i)]), result.inputs.row(i).begin());
    result.labels[static_cast<std::size_t>(i)] = data.labels[row];
    result.samples[static_cast<std::size_t>(i)] = data.samples[row];
  }
  return result;
}

TEST_CASE("on a share of the samples a step adds what the penalty is on the drawn rows, times the draw's weight") {
  for (const MlpOptions& network : networks)
    for (const auto& [penalty_name, options] : penalties)
      for (const auto& [rows, share] : {std::pair<Index, double>{40, 0.5}, {501, 0.05}, {501, 0.25}, {13, 0.4}}) {
        if (options.lambda == 0 || network.widths.back() == 1) continue;
        GrokAlignOptions shared = options;
        shared.share = share;
        const Data<double> data(rows, network.widths.front(), network.widths.back());
        StandingStep found(network, shared, 2);
        for (std::uint32_t number = 0; number < 3; ++number) {
          CAPTURE(penalty_name, name(network.activation), network.bias, rows, share, number);
          SampleShare drawn;
          draw_share(share, rows, 11, number, drawn);
          const Data<double> few = rows_of(data, drawn);
          const Options with{.grokalign = options, .seed = 11};
          const Expected task = on_one_tape(found.mlp, data, {}, number),
                         on_few = on_one_tape(found.mlp, few, {}, number),
                         penalised = on_one_tape(found.mlp, few, with, number);
          const Found result = found_by(found.step, data.batch(), number);
          const double added = penalised.result.total - on_few.result.total;
          CHECK_THAT(result.total, WithinRel(task.result.total + drawn.weight * added, 1e-12));
          CHECK_THAT(result.jacobian_norm, WithinRel(drawn.weight * penalised.result.jacobian_norm, 1e-12));
          CHECK_THAT(result.offset_norm,
                     WithinRel(drawn.weight * penalised.result.offset_norm, 1e-11) || WithinAbs(0, 1e-28));
          for (std::size_t p = 0; p < task.gradients.size(); ++p) {
            M expected(task.gradients[p]);
            for (std::size_t i = 0; i < expected.span().size(); ++i)
              expected.span()[i] += drawn.weight * (penalised.gradients[p].span()[i] - on_few.gradients[p].span()[i]);
            CHECK(relative_error(found.step.gradients()[p], expected) <= 1e-11);
          }
        }
      }
}

TEST_CASE("the mean over many draws of an estimate, and of its gradient, comes to the whole penalty's") {
  struct Case {
    GrokAlignOptions options;
    Index rows;
  };
  constexpr int draws = 1500;
  for (const auto& [options, rows] :
       {Case{{.lambda = 0.3, .share = 0.5}, 40}, Case{{.lambda = 0.3, .norm = JacobianNorm::exact, .share = 0.4}, 40},
        Case{{.lambda = 0.3, .share = 0.05}, 501}, Case{{.lambda = 0.3, .share = 0.25}, 13},
        Case{{.lambda = 0.3, .norm = JacobianNorm::exact, .share = 0.3}, 13},
        Case{{.lambda = 0.3, .level = 2, .share = 0.25}, 13}}) {
    CAPTURE(rows, options.share, options.level.has_value());
    const int steps = rows > 100 ? draws / 5 : draws;
    const MlpOptions network{.widths = {4, 5, 3}, .activation = Activation::tanh, .init_scale = 2, .seed = 3};
    GrokAlignOptions whole_options = options;
    whole_options.share = 1;
    StandingStep estimate(network, options), whole(network, whole_options);
    const Data<double> data(rows, 4, 3);
    std::vector<double> sums, squares;
    for (int i = 0; i < steps; ++i) {
      // In one step both have the same directions.
      const auto number = static_cast<std::uint32_t>(i);
      const Found a = found_by(estimate.step, data.batch(), number), b = found_by(whole.step, data.batch(), number);
      std::vector<double> differences{a.total - b.total, a.jacobian_norm - b.jacobian_norm,
                                      a.offset_norm - b.offset_norm};
      for (std::size_t p = 0; p < estimate.step.gradients().size(); ++p)
        for (std::size_t j = 0; j < estimate.step.gradients()[p].span().size(); ++j)
          differences.push_back(estimate.step.gradients()[p].span()[j] - whole.step.gradients()[p].span()[j]);
      sums.resize(differences.size());
      squares.resize(differences.size());
      for (std::size_t j = 0; j < differences.size(); ++j) {
        sums[j] += differences[j];
        squares[j] += differences[j] * differences[j];
      }
    }
    for (std::size_t j = 0; j < sums.size(); ++j) {
      CAPTURE(j);
      REQUIRE(squares[j] > 0);
      CHECK(std::abs(sums[j]) < 4.5 * std::sqrt(squares[j]));  // standard deviations of a sum of mean 0
    }
  }
}

TEST_CASE("an estimate's gradient is that of its differences at the same draw") {
  const MlpOptions network{.widths = {4, 5, 3}, .activation = Activation::tanh, .init_scale = 2, .seed = 3};
  for (const auto& [options, rows] : {std::pair<GrokAlignOptions, Index>{{.lambda = 0.3, .share = 0.5}, 40},
                                      {{.lambda = 0.3, .norm = JacobianNorm::exact, .level = 50, .share = 0.5}, 40},
                                      {{.lambda = 0.3, .share = 0.9}, 13}}) {
    const Data<double> data(rows, 4, 3);
    StandingStep step(network, options);
    const auto total = [&] { return found_by(step.step, data.batch(), 0).total; };
    CHECK(found_by(step.step, data.batch(), 0).jacobian_norm > 0);
    const Gradients gradients(step.step.gradients().begin(), step.step.gradients().end());
    for (std::size_t p = 0; p < gradients.size(); ++p)
      for (std::size_t i = 0; i < gradients[p].span().size(); ++i) {
        CAPTURE(p, i);
        double& parameter = step.mlp.parameters()[p].span()[i];
        constexpr double h = 1e-5;
        const double at = parameter;
        parameter = at + h;
        const double above = total();
        parameter = at - h;
        const double below = total();
        parameter = at;
        CHECK_THAT((above - below) / (2 * h), WithinAbs(gradients[p].span()[i], 1e-7));
      }
  }
}

TEST_CASE("a share of one is the whole penalty to the last bit, and another share is refused by name") {
  class Shared : public GrokAlign<double> {
   public:
    explicit Shared(double share) : GrokAlign<double>({.lambda = 0.3}), share_(share) {}
    double share() const override { return share_; }

   private:
    double share_;
  };
  Mlp<double> mlp(networks[0]);
  Sgd<double> sgd({});
  const Shared none(0);
  CHECK(message_of([&] { TrainStep<double>(mlp, sgd, {.penalties = {&none}}); }) ==
        "TrainStep: share is 0; it must be above 0 and at most 1");
  const Data<double> data(501, 6, 3);
  StandingStep whole(networks[0], {.lambda = 0.3}), one(networks[0], {.lambda = 0.3, .share = 1});
  CHECK(whole.step(data.batch(), 2).total == one.step(data.batch(), 2).total);
  for (std::size_t p = 0; p < whole.step.gradients().size(); ++p)
    CHECK(same_bits(whole.step.gradients()[p], one.step.gradients()[p]));
}

// ---- threads ----

struct Setting {
  const char* name;
  GrokAlignOptions penalty;
  bool filters;
  bool adamw;
};

const std::vector<Setting> settings = {
    {"baseline, adamw", {}, false, true},
    {"baseline, sgd", {}, false, false},
    {"grokalign, adamw", {.lambda = 0.1}, false, true},
    {"grokalign, two projections, filters, sgd", {.lambda = 0.1, .projections = 2}, true, false},
    {"exact, filters, adamw", {.lambda = 0.1, .norm = JacobianNorm::exact}, true, true},
    {"level, adamw", {.lambda = 0.1, .level = 3}, false, true},
    {"filters, adamw", {}, true, true},
};

const std::vector<Setting> settings_on_shares = {
    {"a tenth, adamw", {.lambda = 0.1, .share = 0.1}, false, true},
    {"a third, level, filters, sgd", {.lambda = 0.1, .level = 3, .share = 0.34}, true, false},
    {"two thirds, exact, adamw", {.lambda = 0.1, .norm = JacobianNorm::exact, .share = 0.67}, false, true},
};

// Trains a network of its own; what the optimizer and the filters need lives here.
template <class T>
struct Trainer {
  Mlp<T> mlp;
  std::unique_ptr<Optimizer<T>> optimizer;
  GrokFast<T> fast;
  OrthoGrad<T> ortho;
  GrokAlign<T> penalty;
  TrainStep<T> step;

  Trainer(const MlpOptions& network, const Setting& setting, int threads, Loss loss = Loss::cross_entropy)
      : mlp(network),
        optimizer(setting.adamw ? std::unique_ptr<Optimizer<T>>(std::make_unique<AdamW<T>>(
                                      AdamWOptions{.learning_rate = 1e-2, .epsilon = 1e-25, .weight_decay = 0.1}))
                                : std::make_unique<Sgd<T>>(SgdOptions{.momentum = 0.5, .weight_decay = 0.1})),
        penalty(setting.penalty),
        step(mlp, *optimizer,
             {.loss = loss,
              .penalties = {&penalty},
              .filters =
                  setting.filters ? std::vector<GradientFilter<T>*>{&fast, &ortho} : std::vector<GradientFilter<T>*>{},
              .seed = 4,
              .threads = threads}) {}
};

template <class T>
void check_threads(const MlpOptions& network, const Setting& setting, Index rows, bool hot = false) {
  Data<T> data(rows, network.widths.front(), network.widths.back());
  if (hot) data.two_hot();
  std::unique_ptr<Trainer<T>> alone;
  std::vector<Found> results;
  for (int threads : {1, 2, 3, 8}) {
    CAPTURE(setting.name, rows, threads);
    auto trainer = std::make_unique<Trainer<T>>(network, setting, threads);
    for (std::uint32_t i = 0; i < 5; ++i) {
      const Found found = found_by(trainer->step, data.batch(), i);
      if (!alone) {
        results.push_back(found);
        continue;
      }
      REQUIRE(found.task_loss == results[i].task_loss);
      REQUIRE(found.jacobian_norm == results[i].jacobian_norm);
      REQUIRE(found.offset_norm == results[i].offset_norm);
      REQUIRE(found.total == results[i].total);
    }
    if (!alone) {
      alone = std::move(trainer);
      continue;
    }
    for (std::size_t p = 0; p < alone->mlp.parameters().size(); ++p)
      REQUIRE(same_bits(trainer->mlp.parameters()[p], alone->mlp.parameters()[p]));
  }
  // The steps did something.
  CHECK_FALSE(same_bits(alone->mlp.parameters()[0], Mlp<T>(network).parameters()[0]));
}

TEST_CASE("five steps have the same bits on 1, 2, 3 and 8 threads") {
  // The second weight matrix is longer than the stretch that one thread updates at a time.
  const MlpOptions network{.widths = {20, 60, 50, 3}, .seed = 1};
  const MlpOptions quadratic{.widths = {40, 30, 3}, .activation = Activation::quadratic, .bias = false, .seed = 1};
  for (const std::vector<Setting>& list : {settings, settings_on_shares})
    for (const Setting& setting : list)
      for (Index rows : {1, 2, 5, 32, 251, 501}) {
        check_threads<float>(network, setting, rows);
        check_threads<double>(quadratic, setting, rows, true);
      }
}

TEST_CASE("steps on a batch of one block, cut into ranges, have the same bits on 1, 2, 3 and 8 threads") {
  const MlpOptions network{.widths = {300, 200, 200, 10}, .seed = 1};
  for (const Setting& setting : settings)
    if (setting.penalty.norm == JacobianNorm::projection) {
      check_threads<double>(network, setting, 196);
      check_threads<float>(network, setting, 250);
    }
  check_threads<double>({.widths = {300, 200, 10}, .activation = Activation::tanh, .seed = 1}, settings[1], 250);
}

// ---- memory ----

TEST_CASE("a step in its steady state calls malloc zero times") {
  if (!can_count_mallocs()) return skip("malloc counts: the sanitizers (or another C library) stand in for malloc");
  // The counter counts, calls from other libraries and other threads included.
  {
    const long long before = malloc_calls();
    const auto block = std::make_unique<std::string>(1000, 'x');
    CHECK(malloc_calls() >= before + 2);
    const long long then = malloc_calls();
#pragma omp parallel num_threads(2)
    std::string(1000, 'x').shrink_to_fit();
    CHECK(malloc_calls() >= then + 2);
  }
  const MlpOptions parity{.widths = {43, 200, 200, 2}, .seed = 1};
  const MlpOptions mod_add{.widths = {122, 256, 61}, .activation = Activation::quadratic, .bias = false, .seed = 1};
  const auto calls = [](auto& trainer, const auto& data) {
    std::uint32_t number = 0;
    // The choice of threads is made by then.
    for (int i = 0; i < 20; ++i) trainer.step(data.batch(), number++);
    const long long before = malloc_calls();
    for (int i = 0; i < 4; ++i) trainer.step(data.batch(), number++);
    return malloc_calls() - before;
  };
  const MlpOptions digits{.widths = {300, 200, 200, 10}, .seed = 1};
  const Data<float> bits(300, 43, 2);
  const Data<double> images(196, 300, 10);
  const Data<double> pairs = Data<double>(32, 122, 61).two_hot();
  for (const Setting& setting : settings)
    for (int threads : {1, 2}) {
      CAPTURE(setting.name, threads);
      Trainer<float> on_bits(parity, setting, threads);
      CHECK(calls(on_bits, bits) == 0);
      // 61 backward sweeps are enough in a smaller network.
      if (setting.penalty.norm == JacobianNorm::projection) {
        Trainer<double> on_pairs(mod_add, setting, threads);
        CHECK(calls(on_pairs, pairs) == 0);
        Trainer<double> on_digits(digits, setting, threads);
        CHECK(calls(on_digits, images) == 0);
      }
      for (const MlpOptions& network : networks) {
        CAPTURE(name(network.activation), network.bias);
        Trainer<double> small(network, setting, threads, Loss::mse);
        const Data<double> data(40, 6, network.widths.back());
        CHECK(calls(small, data) == 0);
      }
    }
}

TEST_CASE("a step on drawn rows calls malloc zero times in its steady state") {
  if (!can_count_mallocs()) return skip("malloc counts: the sanitizers (or another C library) stand in for malloc");
  for (const Setting& setting : settings_on_shares)
    for (const Index rows : {32, 196, 600})
      for (const int threads : {1, 2}) {
        CAPTURE(setting.name, rows, threads);
        Trainer<double> trainer({.widths = {43, 60, 50, 3}, .seed = 1}, setting, threads);
        const Data<double> data(rows, 43, 3);
        std::uint32_t number = 0;
        while (number < 100) trainer.step(data.batch(), number++);
        const long long before = malloc_calls();
        while (number < 110) trainer.step(data.batch(), number++);
        CHECK(malloc_calls() - before == 0);
      }
}

TEST_CASE("two thousand GrokAlign steps take no more memory than the first ones") {
  for (const Setting& setting : settings) {
    if (setting.penalty.lambda == 0) continue;
    CAPTURE(setting.name);
    Trainer<float> trainer(networks[0], setting, 1);
    const Data<float> data(8, 6, 3);
    std::uint32_t number = 0;
    for (; number < 3; ++number) trainer.step(data.batch(), number);
    const Index first = trainer.step.tape_bytes();
    Index least = first, most = first;
    const long long before = malloc_calls();
    for (; number < 2000; ++number) {
      trainer.step(data.batch(), number);
      least = std::min(least, trainer.step.tape_bytes());
      most = std::max(most, trainer.step.tape_bytes());
    }
    CHECK(malloc_calls() - before == 0);
    CHECK(least == first);
    CHECK(most == first);
    CHECK(first > 0);
    CHECK(first < 1 << 20);
  }
}

TEST_CASE("batches of different sizes take turns as if each came alone") {
  const Setting& setting = settings[3];
  Trainer<double> both(networks[0], setting, 2);
  const Data<double> full(32, 6, 3), rest(5, 6, 3, 2), large(501, 6, 3, 3);
  Mlp<double> mlp(networks[0]);
  for (std::uint32_t i = 0; i < 6; ++i) {
    const Data<double>& data = i % 3 == 0 ? full : i % 3 == 1 ? rest : large;
    // The oracle's parameters are those that the trainer has now.
    for (std::size_t p = 0; p < mlp.parameters().size(); ++p)
      std::ranges::copy(both.mlp.parameters()[p].span(), mlp.parameters()[p].span().begin());
    const Expected expected = on_one_tape(mlp, data, {.grokalign = setting.penalty, .seed = 4}, i);
    CHECK_THAT(both.step(data.batch(), i).total, WithinRel(expected.result.total, tolerance<double>(1)));
  }
}

// ---- errors ----

TEST_CASE("a batch that does not fit is refused and changes nothing") {
  const MlpOptions network{.widths = {6, 9, 3}, .seed = 1};
  const Data<double> good(10, 6, 3), wide(10, 7, 3), few(4, 6, 3), other_outputs(10, 6, 2);
  Data<double> bad_label = good, negative_label = good;
  bad_label.labels.back() = 3;
  negative_label.labels.front() = -1;
  for (int threads : {1, 2})
    for (const Setting& setting : {settings[2], settings[3], settings[5]}) {
      CAPTURE(threads, setting.name);
      Trainer<double> ce(network, setting, threads), mse(network, setting, threads, Loss::mse);
      Trainer<double> undisturbed(network, setting, threads);
      ce.step(good.batch(), 0);
      mse.step(good.batch(), 0);
      undisturbed.step(good.batch(), 0);
      const auto refusal = [&](Trainer<double>& trainer, const Batch<double>& batch) {
        std::vector<M> before;
        for (const auto& p : trainer.mlp.parameters()) before.emplace_back(p);
        const std::string message = message_of([&] { trainer.step(batch, 1); });
        for (std::size_t p = 0; p < before.size(); ++p) CHECK(same_bits(trainer.mlp.parameters()[p], before[p]));
        return message;
      };
      Batch<double> batch = good.batch();
      batch.labels = few.labels;
      CHECK(refusal(ce, batch) == "TrainStep: inputs are 10x6 but there are 4 labels; there must be one per row");
      batch = good.batch();
      batch.samples = few.samples;
      CHECK(refusal(ce, batch) ==
            "TrainStep: inputs are 10x6 but there are 4 sample numbers; there must be one per row");
      batch = good.batch();
      batch.targets = few.targets;
      CHECK(refusal(mse, batch) == "TrainStep: targets are 4x3; they must be 10x3");
      batch.targets = other_outputs.targets;
      CHECK(refusal(mse, batch) == "TrainStep: targets are 10x2; they must be 10x3");
      batch.targets = {};
      CHECK(contains(refusal(mse, batch), "targets are 0x0"));
      batch = good.batch();
      batch.inputs = good.inputs.view().row_block(0, 0);
      CHECK(refusal(ce, batch) == "TrainStep: inputs are 0x6; there must be a row");
      CHECK(contains(refusal(ce, wide.batch()), "Mlp: x is 10x7 but the network takes 6 columns"));
      CHECK(contains(refusal(ce, bad_label.batch()), "3"));
      CHECK(contains(refusal(ce, negative_label.batch()), "-1"));
      // And the next step is as if none of this had been tried.
      ce.step(good.batch(), 1);
      undisturbed.step(good.batch(), 1);
      for (std::size_t p = 0; p < 4; ++p) CHECK(same_bits(ce.mlp.parameters()[p], undisturbed.mlp.parameters()[p]));
    }
}

TEST_CASE("options that mean nothing are refused before anything is started") {
  Mlp<double> mlp({.widths = {3, 2}});
  Sgd<double> sgd({});
  CHECK(message_of([&] { TrainStep<double>(mlp, sgd, {.threads = 0}); }) ==
        "TrainStep: threads is 0; it must be at least 1");
  CHECK(contains(message_of([&] { GrokAlign<double>({.lambda = -1}); }), "lambda is -1"));
}

}  // namespace
}  // namespace normalign::tests

#include "nn/in_span.hpp"

#include <memory>

#include "geometry/local_geometry.hpp"
#include "nn/evaluate.hpp"
#include "nn/grokalign.hpp"
#include "nn/grokfast.hpp"
#include "nn/orthograd.hpp"
#include "nn/sgd.hpp"
#include "nn/train_step.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

Dataset<double> samples(Index n, Index d, std::uint64_t seed) {
  Dataset<double> data{random_matrix({n, d}, seed), {}, 3};
  for (Index i = 0; i < n; ++i) data.labels.push_back(static_cast<std::int32_t>((i * i + i / 2) % 3));
  return data;
}

Split<double> split(Index d) { return {samples(14, d, 1), samples(9, d, 2)}; }

// A method of training, and what it does in 20 steps.
struct Method {
  const char* name;
  Loss loss = Loss::cross_entropy;
  SgdOptions sgd = {.learning_rate = 0.05, .momentum = 0.3, .weight_decay = 0.1};
  std::vector<std::shared_ptr<GradientFilter<double>>> (*filters)() = [] {
    return std::vector<std::shared_ptr<GradientFilter<double>>>{};
  };
  std::optional<GrokAlignOptions> penalty = {};
  double clip = 0;
};

void train(Mlp<double>& network, const Dataset<double>& data, const Method& method, int threads) {
  Sgd<double> sgd(method.sgd);
  const auto filters = method.filters();
  const auto penalty = method.penalty ? std::make_unique<GrokAlign<double>>(*method.penalty) : nullptr;
  TrainStepOptions<double> options{.loss = method.loss, .gradient_clip = method.clip, .seed = 5, .threads = threads};
  for (const auto& filter : filters) options.filters.push_back(filter.get());
  if (penalty) options.penalties.push_back(penalty.get());
  const M targets = one_hot<double>(data.labels, data.classes);
  TrainStep<double> step(network, sgd, options);
  for (std::uint32_t i = 0; i < 20; ++i) step({.inputs = data.inputs, .labels = data.labels, .targets = targets}, i);
}

template <class Filter>
std::vector<std::shared_ptr<GradientFilter<double>>> one_filter() {
  return {std::make_shared<Filter>()};
}

std::vector<Method> methods() {
  return {{.name = "plain"},
          {.name = "without momentum and decay", .sgd = {.learning_rate = 0.1}},
          {.name = "mse", .loss = Loss::mse},
          {.name = "bce", .loss = Loss::bce},
          {.name = "clipped", .clip = 0.1},
          {.name = "GrokFast", .filters = one_filter<GrokFast<double>>},
          {.name = "OrthoGrad", .filters = one_filter<OrthoGrad<double>>},
          {.name = "GrokAlign", .penalty = GrokAlignOptions{.lambda = 0.1}},
          {.name = "exact norm", .penalty = GrokAlignOptions{.lambda = 0.1, .norm = JacobianNorm::exact}},
          {.name = "a share", .penalty = GrokAlignOptions{.lambda = 0.1, .share = 0.3}},
          {.name = "a held level", .penalty = GrokAlignOptions{.lambda = 0.1, .offset = false, .level = 2.0}}};
}

Batch<double> batch(const Dataset<double>& data) { return {.inputs = data.inputs, .labels = data.labels}; }

// The same training in the inputs and in coordinates gives the same network, with the same outputs and geometry.
void check_method(const Method& method, const MlpOptions& options, const Split<double>& data, double bound) {
  CAPTURE(method.name, name(options.activation), options.bias, options.widths.front());
  Mlp<double> dense(options);
  InSpan<double> small = in_span(dense, data);
  CHECK(relative_error(in_inputs(small.network, small.coordinates).layers()[0].weight, dense.layers()[0].weight) <
        1e-13);
  train(dense, data.train, method, 1);
  train(small.network, small.data.train, method, 1);
  const Mlp<double> found = in_inputs(small.network, small.coordinates);
  for (std::size_t i = 0; i < dense.parameters().size(); ++i)
    CHECK(relative_error(found.parameters()[i], std::as_const(dense).parameters()[i]) < bound);
  // The weight of what lies beside the span is 0 and stays so.
  for (Index i = 0; i < small.network.layers()[0].weight.rows(); ++i)
    CHECK(small.network.layers()[0].weight(i, small.coordinates.coordinates() - 1) == 0);
  for (auto part : {&Split<double>::train, &Split<double>::test}) {
    Evaluator<double> of_dense(dense, Loss::cross_entropy, 1), of_small(small.network, Loss::cross_entropy, 1);
    const Evaluation expected = of_dense(batch(data.*part)), in_coordinates = of_small(batch(small.data.*part));
    CHECK(in_coordinates.accuracy == expected.accuracy);
    CHECK_THAT(in_coordinates.loss, WithinRel(expected.loss, bound));
    const auto geometry = measures(mean_local_geometry(dense, batch(data.*part)));
    const auto of_coordinates = measures(mean_local_geometry(small.network, batch(small.data.*part)));
    for (std::size_t i = 0; i < geometry.size(); ++i) {
      CAPTURE(geometry[i].first);
      REQUIRE(geometry[i].second.has_value() == of_coordinates[i].second.has_value());
      if (geometry[i].second)
        CHECK_THAT(*of_coordinates[i].second,
                   WithinRel(*geometry[i].second, 10 * bound) || WithinAbs(*geometry[i].second, 10 * bound));
    }
  }
}

}  // namespace

TEST_CASE("training in the span is training in the inputs", "[nn]") {
  for (const Method& method : methods())
    for (const bool bias : {true, false})
      check_method(method, {.widths = {70, 8, 6, 3}, .bias = bias, .seed = 2}, split(70), 1e-12);
}

TEST_CASE("training in the span is for every activation", "[nn]") {
  for (const Activation activation : {Activation::relu, Activation::leaky_relu, Activation::abs, Activation::tanh,
                                      Activation::sigmoid, Activation::softplus, Activation::silu, Activation::gelu,
                                      Activation::gelu_tanh, Activation::quadratic, Activation::identity})
    check_method({.name = "GrokAlign", .penalty = GrokAlignOptions{.lambda = 0.1}},
                 {.widths = {60, 7, 3}, .activation = activation, .seed = 3}, split(60), 1e-12);
}

TEST_CASE("training in the span bears dependent rows and fewer inputs than rows", "[nn]") {
  const Method method{.name = "GrokAlign", .penalty = GrokAlignOptions{.lambda = 0.1}};
  Split<double> repeated = split(80);
  std::ranges::copy(repeated.train.inputs.row(2), repeated.train.inputs.row(9).begin());
  std::ranges::fill(repeated.train.inputs.row(4), 0.0);
  check_method(method, {.widths = {80, 7, 3}, .seed = 3}, repeated, 1e-12);
  check_method(method, {.widths = {12, 30, 3}, .seed = 3}, split(12), 1e-12);
}

TEST_CASE("the first coordinates are the inputs of the axes", "[nn]") {
  const Split<double> data = split(50);
  const InSpan<double> small = in_span(Mlp<double>({.widths = {50, 4, 3}}), data, 3);
  CHECK(small.coordinates.coordinates() == 3 + 14 + 4 + 1);
  for (Index i = 0; i < 9; ++i)
    for (Index j = 0; j < 3; ++j) CHECK_THAT(small.data.test.inputs(i, j), WithinRel(data.test.inputs(i, j), 1e-13));
  for (Index i = 0; i < 14; ++i)
    for (Index j = 0; j < 3; ++j) CHECK_THAT(small.data.train.inputs(i, j), WithinRel(data.train.inputs(i, j), 1e-13));
  CHECK(small.data.train.labels == data.train.labels);
  Split<double> numbers = data;
  numbers.test.targets = random_matrix({9, 2}, 4);
  CHECK(in_span(Mlp<double>({.widths = {50, 4, 3}}), numbers).data.test.targets == numbers.test.targets);
  CHECK(small.data.test.classes == 3);
}

TEST_CASE("networks and data that do not fit are not put into coordinates", "[nn]") {
  const Mlp<double> network({.widths = {50, 4, 3}});
  CHECK(contains(message_of([&] { in_span(network, split(49)); }),
                 "training inputs are 14x49 and test inputs 9x49; they must have 50 columns"));
  CHECK(contains(message_of([&] { in_span(network, split(50), 51); }), "axes: found 51"));
  CHECK(contains(message_of([&] { in_span(network, split(50), -1); }), "axes: found -1"));
  Split<double> spoilt = split(50);
  spoilt.train.inputs(3, 4) = infinity;
  CHECK(contains(message_of([&] { in_span(network, spoilt); }), "a value is "));
  const InSpan<double> small = in_span(network, split(50));
  CHECK(contains(message_of([&] { in_inputs(network, small.coordinates); }),
                 "coordinates are 4x50; they must have 19 columns"));
}

}  // namespace normalign::tests

#include "nn/mlp.hpp"

#include <cmath>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

constexpr Activation all_activations[] = {Activation::relu,      Activation::leaky_relu, Activation::abs,
                                          Activation::tanh,      Activation::sigmoid,    Activation::softplus,
                                          Activation::silu,      Activation::gelu,       Activation::gelu_tanh,
                                          Activation::quadratic, Activation::identity};

template <class T>
bool same_parameters(const Mlp<T>& a, const Mlp<T>& b) {
  const auto left = a.parameters(), right = b.parameters();
  return std::ranges::equal(left, right, [](auto x, auto y) { return same_bits(x, y); });
}

// ---- how a network starts ----

template <class T>
void check_initial_distribution(std::span<const T> values, double bound) {
  const double n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  std::array<double, 8> counts{};
  for (T v : values) {
    const double value = static_cast<double>(v);
    REQUIRE(std::abs(value) <= bound * (1 + 1e-7));
    mean += value / n;
    square += value * value / n;
    ++counts[std::min<std::size_t>(7, static_cast<std::size_t>((value / bound + 1) * 4))];
  }
  // Five standard errors: the variance of U(-b, b) is b^2/3, that of its square 4 b^4/45; a bin is binomial.
  CHECK(std::abs(mean) < 5 * bound / std::sqrt(3 * n));
  CHECK(std::abs(square - bound * bound / 3) < 5 * bound * bound * std::sqrt(4 / (45 * n)));
  for (double count : counts) CHECK(std::abs(count - n / 8) < 5 * std::sqrt(n * 7 / 64));
}

TEST_CASE("weights and biases start uniform within one over the root of the inputs") {
  const std::vector<Index> widths{100, 300, 5, 400};
  const Mlp<double> mlp({.widths = widths, .seed = 3});
  const Mlp<float> rounded({.widths = widths, .seed = 3});
  for (std::size_t layer = 0; layer < 3; ++layer) {
    CAPTURE(layer);
    const double bound = 1 / std::sqrt(static_cast<double>(widths[layer]));
    check_initial_distribution(mlp.layers()[layer].weight.span(), bound);
    check_initial_distribution(rounded.layers()[layer].weight.span(), bound);
    if (widths[layer + 1] > 100) check_initial_distribution(mlp.layers()[layer].bias.span(), bound);
    for (std::size_t i = 0; i < mlp.layers()[layer].weight.span().size(); ++i)
      REQUIRE(rounded.layers()[layer].weight.span()[i] == static_cast<float>(mlp.layers()[layer].weight.span()[i]));
  }
}

TEST_CASE("the seed decides the start, and nothing else about the network does") {
  const MlpOptions options{.widths = {7, 6, 5}, .seed = 1};
  const Mlp<double> mlp(options);
  CHECK(same_parameters(mlp, Mlp<double>(options)));
  CHECK_FALSE(same_parameters(mlp, Mlp<double>({.widths = {7, 6, 5}, .seed = 2})));
  // Rows are addressed by layer and unit: leaving out the bias or adding units changes no weight that stays.
  const Mlp<double> no_bias({.widths = {7, 6, 5}, .activation = Activation::tanh, .bias = false, .seed = 1});
  const Mlp<double> wider({.widths = {7, 9, 5}, .seed = 1});
  for (std::size_t layer = 0; layer < 2; ++layer)
    CHECK(same_bits(no_bias.layers()[layer].weight, mlp.layers()[layer].weight));
  CHECK(same_bits(wider.layers()[0].weight.view().row_block(0, 6), mlp.layers()[0].weight));
  CHECK_FALSE(same_bits(mlp.layers()[0].weight.view().row_block(0, 1), mlp.layers()[0].weight.view().row_block(1, 1)));
}

TEST_CASE("init_scale multiplies every parameter, biases too") {
  const Mlp<double> mlp({.widths = {7, 6, 5}, .seed = 1}), scaled({.widths = {7, 6, 5}, .init_scale = 8, .seed = 1});
  const auto before = mlp.parameters(), after = scaled.parameters();
  for (std::size_t p = 0; p < before.size(); ++p)
    for (std::size_t i = 0; i < before[p].span().size(); ++i) CHECK(after[p].span()[i] == 8 * before[p].span()[i]);
  const Mlp<double> zero({.widths = {7, 6, 5}, .init_scale = 0});
  for (const auto& p : zero.parameters()) CHECK(all_zero(p));
}

TEST_CASE("a network that cannot be is refused") {
  const auto refusal = [](const MlpOptions& options) { return message_of([&] { Mlp<double>{options}; }); };
  const std::string too_few = " widths; there must be at least an input and an output";
  CHECK(refusal({.widths = {}}) == "Mlp: 0" + too_few);
  CHECK(refusal({.widths = {3}}) == "Mlp: 1" + too_few);
  CHECK(refusal({.widths = {3, 0, 2}}) == "Mlp: a width is 0; it must be positive");
  CHECK(refusal({.widths = {3, -4}}) == "Mlp: a width is -4; it must be positive");
  CHECK(refusal({.widths = {3, 2}, .slope = -0.5}) == "Mlp: slope is -0.5; it must not be negative");
  CHECK(contains(refusal({.widths = {3, 2}, .slope = NAN}), "Mlp: slope is nan"));
  CHECK(refusal({.widths = {3, 2}, .init_scale = INFINITY}) == "Mlp: init_scale is inf; it must be finite");
}

// ---- parameters ----

TEST_CASE("a network of given parameters has these, which must have its shapes") {
  const Mlp<double> random({.widths = {3, 4, 2}, .seed = 6});
  const Mlp<double> same({.widths = {3, 4, 2}}, random.layers());
  for (std::size_t i = 0; i < 4; ++i) CHECK(same_bits(same.parameters()[i], random.parameters()[i]));
  const auto refusal = [&](MlpOptions options) {
    return message_of([&] { Mlp<double>(std::move(options), random.layers()); });
  };
  CHECK(refusal({.widths = {3, 4}}) == "Mlp: there are 2 layers and 2 widths; there must be one width more");
  CHECK(refusal({.widths = {3}}) == "Mlp: 1 widths; there must be at least an input and an output");
  CHECK(refusal({.widths = {3, 5, 2}}) == "Mlp: the weight of layer 0 is 4x3; it must be 5x3");
  CHECK(refusal({.widths = {3, 4, 2}, .bias = false}) == "Mlp: the bias of layer 0 is 1x4; it must be empty");
  std::vector<Layer<double>> layers = random.layers();
  layers[1].bias = {};
  CHECK(message_of([&] {
          Mlp<double>({.widths = {3, 4, 2}}, layers);
        }) == "Mlp: the bias of layer 1 is 0x0; it must be 1x2");
}

TEST_CASE("parameters are weight and bias of each layer, as views") {
  Mlp<double> mlp({.widths = {4, 3, 2}});
  const auto views = mlp.parameters();
  REQUIRE(views.size() == 4);
  CHECK(views[0].shape() == Shape{3, 4});
  CHECK(views[1].shape() == Shape{1, 3});
  CHECK(views[2].shape() == Shape{2, 3});
  CHECK(views[3].shape() == Shape{1, 2});
  CHECK(mlp.parameter_count() == 12 + 3 + 6 + 2);
  views[3](0, 1) = 42;
  CHECK(mlp.layers()[1].bias(0, 1) == 42);
  const Mlp<double> no_bias({.widths = {4, 3, 2}, .bias = false});
  CHECK(no_bias.parameters().size() == 2);
  CHECK(no_bias.parameter_count() == 12 + 6);
  CHECK(no_bias.layers()[0].bias.empty());
}

// ---- the network on a tape ----

template <class T>
void check_output() {
  for (Activation a : all_activations)
    for (bool bias : {true, false}) {
      CAPTURE(name(a), bias);
      const Mlp<T> mlp({.widths = {5, 9, 7, 3}, .activation = a, .slope = 0.3, .bias = bias, .seed = 4});
      const Matrix<T> x = random_matrix<T>({6, 5}, 1, -2, 2);
      Tape<T> tape;
      const Var<T> f = mlp.on(tape)(tape.constant(x));
      CHECK(relative_error(f.value(), naive_output<T>(mlp, x)) <= tolerance<T>());
    }
}

TEST_CASE("the output is that of the definition, for every activation") {
  check_output<double>();
  check_output<float>();
}

TEST_CASE("multi-hot inputs, whose first product is a gather, give what dense inputs give") {
  M hot(6, 64), nearly(6, 64);
  for (Index i = 0; i < 6; ++i) hot(i, i) = hot(i, 63 - 5 * i) = nearly(i, i) = nearly(i, 63 - 5 * i) = 1;
  nearly(5, 40) = 1e-300;  // makes it dense, and changes nothing beyond rounding
  for (Activation a : all_activations)
    for (bool bias : {true, false}) {
      CAPTURE(name(a), bias);
      const Mlp<double> mlp({.widths = {64, 9, 7, 3}, .activation = a, .bias = bias, .init_scale = 3, .seed = 4});
      Tape<double> tape, dense_tape;
      MlpOnTape<double> net = mlp.on(tape), dense_net = mlp.on(dense_tape);
      const auto x = tape.variable(hot), dense_x = dense_tape.variable(nearly);
      const auto f = net(x), dense_f = dense_net(dense_x);
      CHECK(relative_error(f.value(), naive_output<double>(mlp, hot)) <= tolerance<double>());
      CHECK(relative_error(f.value(), dense_f.value()) <= tolerance<double>());
      CHECK(relative_error(net.offset(x, f).value(), dense_net.offset(dense_x, dense_f).value()) <=
            tolerance<double>(1));
      CHECK(relative_error(offset_by_pushforward(x, f).value(), net.offset(x, f).value()) <= tolerance<double>(1));
      // The squared Jacobian and its gradient, so the second order too.
      const auto squares = [](const auto& out, const auto& in) {
        return sum(square(jacobian(out, in, {.create_graph = true})[1])) + sum(square(out));
      };
      const std::vector<Var<double>> p(net.parameters().begin(), net.parameters().end());
      const std::vector<Var<double>> q(dense_net.parameters().begin(), dense_net.parameters().end());
      const auto g = grad(squares(f, x), p), h = grad(squares(dense_f, dense_x), q);
      for (std::size_t i = 0; i < g.size(); ++i)
        CHECK(relative_error(g[i].value(), h[i].value()) <= tolerance<double>(2));
    }
}

TEST_CASE("a one-hot row beyond the whole numbers of float takes its own column's weight") {
  constexpr Index column = (Index{1} << 24) + 1;
  Mlp<float> mlp({.widths = {column + 1, 1}, .bias = false});
  Matrix<float> x(1, column + 1);
  x(0, column) = 1;
  Tape<float> tape;
  MlpOnTape<float> net = mlp.on(tape);
  CHECK(net(tape.borrowed_constant(x)).item() == mlp.layers()[0].weight(0, column));
}

TEST_CASE("a network without hidden layers is an affine map") {
  const Mlp<double> mlp({.widths = {4, 3}, .activation = Activation::tanh, .seed = 2});
  const M x = random_matrix({5, 4}, 1);
  Tape<double> tape;
  MlpOnTape<double> net = mlp.on(tape);
  const auto v = tape.variable(x);
  const auto f = net(v);
  CHECK(relative_error(f.value(), naive_output<double>(mlp, x)) <= tolerance<double>());
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 3; ++j)
      CHECK_THAT(net.offset(v, f).value()(i, j), WithinAbs(mlp.layers()[0].bias(0, j), tolerance<double>()));
}

TEST_CASE("an input of the wrong width is refused with both numbers") {
  const Mlp<double> mlp({.widths = {4, 3}});
  Tape<double> tape;
  CHECK(message_of([&] { mlp.on(tape)(tape.constant(M(5, 3))); }) == "Mlp: x is 5x3 but the network takes 4 columns");
}

TEST_CASE("binding again forgets what was bound before") {
  const Mlp<double> first({.widths = {4, 6, 3}, .seed = 1});
  const Mlp<double> second({.widths = {4, 5, 5, 2}, .activation = Activation::abs, .seed = 2});
  const M x = random_matrix({5, 4}, 1);
  Tape<double> tape;
  MlpOnTape<double> net = first.on(tape);
  net(tape.constant(x));
  tape.clear();
  net.bind(second, tape);
  CHECK(net.parameters().size() == 6);
  const auto v = tape.variable(x);
  const auto f = net(v);
  CHECK(relative_error(f.value(), naive_output<double>(second, x)) <= tolerance<double>());
  CHECK(relative_error(net.offset(v, f).value(), offset_by_pushforward(v, f).value()) <= tolerance<double>());
}

// ---- the offset b(x) = f(x) - J(x) x ----

// The offset and its mean square's gradient, both ways.
void check_offset_equals_pushforward(const MlpOptions& options) {
  CAPTURE(name(options.activation), options.bias, options.widths.size());
  const Mlp<double> mlp(options);
  Tape<double> tape;
  MlpOnTape<double> net = mlp.on(tape);
  const std::vector<Var<double>> parameters(net.parameters().begin(), net.parameters().end());
  const auto x = tape.variable(random_matrix({8, options.widths.front()}, 5, -2, 2));
  const auto f = net(x);
  const auto offset = net.offset(x, f), pushed = offset_by_pushforward(x, f);
  CHECK(relative_error(offset.value(), pushed.value()) <= tolerance<double>(1));
  const auto g = grad(sum(square(offset)), parameters), h = grad(sum(square(pushed)), parameters);
  for (std::size_t p = 0; p < g.size(); ++p) {
    CAPTURE(p);
    CHECK(relative_error(g[p].value(), h[p].value()) <= tolerance<double>(2));
  }
  // Neither is allowed to be right by being nothing.
  if (options.bias || (options.activation == Activation::quadratic && options.widths.size() > 2))
    CHECK_FALSE(all_zero(offset.value()));
}

TEST_CASE("the offset by the cheapest way is the offset by a pushforward") {
  for (Activation a : all_activations)
    for (bool bias : {true, false})
      for (const std::vector<Index>& widths :
           {std::vector<Index>{4, 3}, {4, 9, 3}, {4, 9, 8, 3}, {4, 9, 8, 7, 1}, {4, 6, 6, 6, 6, 2}})
        check_offset_equals_pushforward({.widths = widths, .activation = a, .slope = 0.2, .bias = bias, .seed = 6});
}

TEST_CASE("the offset is f minus the Jacobian times x") {
  for (Activation a : all_activations) {
    CAPTURE(name(a));
    const Mlp<double> mlp({.widths = {4, 9, 8, 3}, .activation = a, .seed = 7});
    const M at = random_matrix({6, 4}, 5, -2, 2);
    Tape<double> tape;
    MlpOnTape<double> net = mlp.on(tape);
    const auto x = tape.variable(at);
    const auto f = net(x);
    const auto rows = jacobian(f, x);
    M expected(f.value());
    for (Index i = 0; i < 6; ++i)
      for (Index j = 0; j < 3; ++j)
        for (Index c = 0; c < 4; ++c) expected(i, j) -= rows[static_cast<std::size_t>(j)].value()(i, c) * at(i, c);
    CHECK(relative_error(net.offset(x, f).value(), expected) <= tolerance<double>(1));
  }
}

TEST_CASE("a bias-free network with a homogeneous activation of degree one has no offset at all") {
  for (Activation a : all_activations)
    for (bool bias : {true, false}) {
      CAPTURE(name(a), bias);
      const Mlp<double> mlp({.widths = {4, 9, 8, 3}, .activation = a, .bias = bias, .seed = 6});
      Tape<double> tape;
      MlpOnTape<double> net = mlp.on(tape);
      const bool expected = !bias && (a == Activation::relu || a == Activation::leaky_relu || a == Activation::abs ||
                                      a == Activation::identity);
      CHECK(net.has_no_offset() == expected);
      if (!expected) continue;
      const auto x = tape.variable(random_matrix({8, 4}, 5, -2, 2));
      const auto f = net(x);
      CHECK(all_zero(net.offset(x, f).value()));
    }
}

TEST_CASE("the offset at the kinks takes the documented slopes: 0 for relu and abs, `slope` for leaky_relu") {
  for (Activation a : {Activation::relu, Activation::leaky_relu, Activation::abs}) {
    CAPTURE(name(a));
    Mlp<double> mlp({.widths = {2, 2, 1}, .activation = a, .slope = 0.25});
    const auto p = mlp.parameters();
    std::ranges::copy(std::initializer_list<double>{1, 0, 0, 1}, p[0].span().begin());
    std::ranges::copy(std::initializer_list<double>{-1, -2},
                      p[1].span().begin());  // both units are 0 at x = (1, 2)
    std::ranges::copy(std::initializer_list<double>{3, 5}, p[2].span().begin());
    std::ranges::copy(std::initializer_list<double>{7}, p[3].span().begin());
    Tape<double> tape;
    MlpOnTape<double> net = mlp.on(tape);
    const auto x = tape.variable(M{{1, 2}});
    const auto f = net(x);
    const double slope = a == Activation::leaky_relu ? 0.25 : 0;
    CHECK(net.offset(x, f).item() == 7 + slope * (3 * -1 + 5 * -2));
    CHECK(offset_by_pushforward(x, f).item() == net.offset(x, f).item());
  }
}

}  // namespace
}  // namespace normalign::tests

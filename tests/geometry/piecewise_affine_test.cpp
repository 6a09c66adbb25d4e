#include "geometry/piecewise_affine.hpp"

#include "nn/mlp.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("a trained network keeps its values in piecewise-affine form") {
  for (const Activation a : {Activation::relu, Activation::leaky_relu, Activation::abs, Activation::identity})
    for (const bool bias : {true, false}) {
      CAPTURE(name(a), bias);
      const Mlp<double> mlp({.widths = {5, 7, 6, 3}, .activation = a, .slope = 0.2, .bias = bias, .seed = 3});
      const M x = random_matrix({9, 5}, 1);
      const PiecewiseAffineNetwork network = piecewise_affine(mlp);
      CHECK(relative_error(network(x), naive_output<double>(mlp, x)) < 1e-14);
      CHECK(network.inputs() == 5);
      CHECK(network.outputs() == 3);
      const bool bends = a != Activation::identity;
      CHECK(network.hidden_layers() == (bends ? 2 : 0));
      CHECK(network.first_unit(network.hidden_layers()) == (bends ? 13 : 0));
      if (bends) CHECK(network.first_unit(1) == 7);
    }
  const Mlp<float> single({.widths = {4, 3, 2}, .seed = 1});
  const Matrix<float> x = random_matrix<float>({3, 4}, 2);
  M in_double(3, 4);
  std::ranges::copy(x.span(), in_double.data());
  CHECK(relative_error(piecewise_affine(single)(in_double), naive_output<float>(single, x)) < 1e-14);
}

TEST_CASE("the code says which pre-activations are above zero, and zero is off") {
  const PiecewiseAffineNetwork network({{.weight = {{1, 0}, {0, 1}, {-1, 0}}, .bias = {{0, -1, 0}}, .slope = 0},
                                        {.weight = {{1, 1, 1}}, .bias = {{-2}}, .slope = 0.5},
                                        {.weight = {{1}}, .bias = {{0}}, .slope = 1}});
  // Pre-activations 3, 1, -3, then 2; 0, 0, 0, then -2.
  const M x{{3, 2}, {0, 1}};
  const std::vector<ActivationCode> codes = network.codes(x);
  CHECK(codes[0] == ActivationCode{1, 1, 0, 1});
  CHECK(codes[1] == ActivationCode{0, 0, 0, 0});
  const M f = network(x);
  CHECK(f(0, 0) == 2);
  CHECK(f(1, 0) == -1);
}

TEST_CASE("a hidden layer without activation is merged into the next, and the values stay") {
  const auto matrix = [](Index rows, Index cols, std::uint64_t seed) { return random_matrix({rows, cols}, seed); };
  const PiecewiseAffineNetwork bent({{matrix(5, 3, 1), matrix(1, 5, 2), 1},
                                     {matrix(6, 5, 3), matrix(1, 6, 4), 0},
                                     {matrix(4, 6, 5), matrix(1, 4, 6), 1},
                                     {matrix(4, 4, 7), matrix(1, 4, 8), 1},
                                     {matrix(2, 4, 9), matrix(1, 2, 10), 1}});
  CHECK(bent.hidden_layers() == 1);
  CHECK(bent.units(0) == 6);
  const M x = random_matrix({7, 3}, 11);
  const auto affine = [](const M& z, std::uint64_t seed, Index n) {
    M t = naive_product(z, random_matrix({n, z.cols()}, seed), {.b = true});
    detail::add_bias(t, random_matrix({1, n}, seed + 1));
    return t;
  };
  M z = affine(affine(x, 1, 5), 3, 6);
  for (double& value : z.span()) value = std::max(value, 0.0);
  CHECK(relative_error(bent(x), affine(affine(affine(z, 5, 4), 7, 4), 9, 2)) < 1e-14);
}

TEST_CASE("a network without regions is refused by the name of its activation") {
  const Mlp<double> smooth({.widths = {2, 3, 1}, .activation = Activation::tanh});
  CHECK(message_of<InputError>([&] { piecewise_affine(smooth); }) ==
        "piecewise_affine: activation is tanh; only networks of relu, leaky_relu, abs or identity have regions");
}

TEST_CASE("layers that do not fit together are refused") {
  using Layers = std::vector<PiecewiseAffineLayer>;
  const auto message = [](Layers layers) {
    return message_of<InputError>([&] { PiecewiseAffineNetwork network(std::move(layers)); });
  };
  CHECK(message({}) == "PiecewiseAffineNetwork: no layers; there must be at least one");
  CHECK(message({{.weight = M(0, 2), .bias = M(1, 0), .slope = 1}}) ==
        "PiecewiseAffineNetwork: layer 0: weight is 0x2; it must not be empty");
  CHECK(message({{.weight = M(3, 2), .bias = M(1, 2), .slope = 1}}) ==
        "PiecewiseAffineNetwork: layer 0: bias is 1x2 but weight 3x2; bias must be 1x3");
  CHECK(message({{.weight = M(3, 2), .bias = M(1, 3)}, {.weight = M(1, 2), .bias = M(1, 1), .slope = 1}}) ==
        "PiecewiseAffineNetwork: layer 1: weight is 1x2; it must have 3 columns, the rows of the one before");
  CHECK(message({{.weight = {{NAN}}, .bias = {{0}}, .slope = 1}}) ==
        "PiecewiseAffineNetwork: layer 0: a weight or bias is not finite");
  CHECK(message({{.weight = {{1}}, .bias = {{0}}, .slope = INFINITY}}) ==
        "PiecewiseAffineNetwork: layer 0: slope is inf; it must be finite");
  CHECK(message({{.weight = {{1}}, .bias = {{0}}, .slope = 0}}) ==
        "PiecewiseAffineNetwork: layer 0: slope is 0; that of the last layer must be 1");
  const PiecewiseAffineNetwork network({{.weight = {{1, 2}}, .bias = {{0}}, .slope = 1}});
  CHECK(message_of<InputError>([&] { network(M(4, 3)); }) ==
        "PiecewiseAffineNetwork: x is 4x3; it must have 2 columns");
}

}  // namespace
}  // namespace normalign::tests

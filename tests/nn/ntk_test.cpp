#include "nn/ntk.hpp"

#include "autodiff/grad.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// The gradient of output j at one point in all parameters, one after the other, by a sweep of its own.
template <class T>
std::vector<double> parameter_gradient(const Mlp<T>& mlp, ConstView<T> point, Index j) {
  Tape<T> tape;
  auto net = mlp.on(tape);
  Matrix<T> seed(1, mlp.options().widths.back());
  seed(0, j) = 1;
  const std::vector<Var<T>> parameters(net.parameters().begin(), net.parameters().end());
  std::vector<double> result;
  for (const Var<T>& g : grad(net(tape.constant(point)), parameters, {.seed = tape.constant(seed)}))
    result.insert(result.end(), g.value().span().begin(), g.value().span().end());
  return result;
}

template <class T>
M brute_force(const Mlp<T>& mlp, ConstView<T> x, ConstView<T> points, Index output) {
  const std::vector<double> at_x = parameter_gradient(mlp, x, output);
  M result(points.rows(), mlp.options().widths.back());
  for (Index i = 0; i < result.rows(); ++i) {
    for (Index j = 0; j < result.cols(); ++j) {
      const std::vector<double> at_point = parameter_gradient(mlp, points.row_block(i, 1), j);
      for (std::size_t p = 0; p < at_x.size(); ++p) result(i, j) += at_x[p] * at_point[p];
    }
  }
  return result;
}

template <class T>
Matrix<T> points(Shape shape, std::uint64_t seed) {
  Matrix<T> result(shape.rows, shape.cols);
  std::ranges::copy(random_matrix(shape, seed).span(), result.span().begin());
  return result;
}

TEMPLATE_TEST_CASE("the tangent kernel is the inner product of per-sample gradients", "[nn]", float, double) {
  for (const Activation activation : {Activation::relu, Activation::tanh, Activation::quadratic}) {
    for (const bool bias : {true, false}) {
      const Mlp<TestType> mlp({.widths = {6, 9, 7, 3}, .activation = activation, .bias = bias, .seed = 2});
      const auto x = points<TestType>({1, 6}, 1), others = points<TestType>({5, 6}, 2);
      for (Index output = 0; output < 3; ++output) {
        CAPTURE(name(activation), bias, output);
        const Matrix<TestType> kernel = ntk<TestType>(mlp, x, others, output);
        CHECK(kernel.shape() == Shape{5, 3});
        CHECK(relative_error(kernel, brute_force<TestType>(mlp, x, others, output)) <= tolerance<TestType>(1));
      }
    }
  }
}

TEST_CASE("the tangent kernel is symmetric, and a square at equal points") {
  const Mlp<double> mlp({.widths = {4, 8, 2}, .activation = Activation::silu, .seed = 3});
  const M x = random_matrix({1, 4}, 1), y = random_matrix({1, 4}, 2);
  const double there = ntk<double>(mlp, x, y, 0)(0, 1), back = ntk<double>(mlp, y, x, 1)(0, 0);
  CHECK_THAT(there, WithinRel(back, 1e-12));
  CHECK(ntk<double>(mlp, x, x)(0, 0) > 0);
  CHECK(std::pow(ntk<double>(mlp, x, y)(0, 0), 2) <= ntk<double>(mlp, x, x)(0, 0) * ntk<double>(mlp, y, y)(0, 0));
}

TEST_CASE("the tangent kernel of a linear model with a bias is 1 + the inner product of the points") {
  const Mlp<double> mlp({.widths = {4, 1}});
  const M x = random_matrix({1, 4}, 1), others = random_matrix({3, 4}, 2);
  const M kernel = ntk<double>(mlp, x, others);
  for (Index i = 0; i < 3; ++i)
    CHECK_THAT(kernel(i, 0), WithinAbs(1 + inner_product(x.view(), others.view().row_block(i, 1)), 1e-14));
}

TEST_CASE("a tangent kernel of shapes that do not fit is refused") {
  const Mlp<double> mlp({.widths = {4, 8, 2}});
  const M x(1, 4), others(3, 4);
  CHECK(message_of([&] { ntk<double>(mlp, others, others); }) == "ntk: x is 3x4; it must have one row");
  CHECK(message_of([&] { ntk<double>(mlp, x, others, 2); }) == "ntk: output is 2; there are 2 outputs");
  CHECK(message_of([&] { ntk<double>(mlp, x, others, -1); }) == "ntk: output is -1; there are 2 outputs");
  CHECK_THROWS_AS(ntk<double>(mlp, M(1, 5), others), InputError);
  CHECK_THROWS_AS(ntk<double>(mlp, x, M(3, 5)), InputError);
}

}  // namespace
}  // namespace normalign::tests

// The mean norm of a network's Jacobians, which GrokAlign adds to the loss, and its derivative in a weight: exactly,
// and from one random direction per sample.
#include <cstdio>
#include <vector>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "nn/grokalign.hpp"

using namespace normalign;

int main() {
  Mlp<double> mlp({.widths = {4, 16, 3}, .activation = Activation::tanh, .seed = 1});
  const Matrix<double> points{{1, 0, -1, 0.5}, {0.2, 2, 0, -1}};  // n x d
  Tape<double> tape;

  // E|J_i|_F from all k rows of each Jacobian: k backward sweeps. The floor stands inside the root, for J = 0.
  const auto exact = [&](MlpOnTape<double>& net) {
    const auto x = tape.variable(points);
    auto squares = tape.full({2, 1}, 0);
    for (const auto& rows : jacobian(net(x), x, {.create_graph = true}))  // k of n x d: row i is grad f_ij at x_i
      squares = squares + row_sum(square(rows));
    return mean(sqrt(clamp_min(squares, 1e-8)));
  };
  // |J_i|_F^2 = k E|v^T J_i|^2 for v uniform on the unit sphere: one v for each sample, one backward sweep.
  const auto projected = [&](MlpOnTape<double>& net, std::uint32_t step) {
    const std::vector<Index> samples{0, 1};  // with the step, they say which random numbers are drawn
    Matrix<double> v(2, 3);                  // n x k
    fill_directions<double>({}, 0, v, samples, 0, step);
    const auto x = tape.variable(points);
    const auto vJ = grad(net(x), x, {.seed = tape.constant(v), .create_graph = true});  // n x d
    return mean(sqrt(clamp_min(3 * row_sum(square(vJ)), 1e-8)));
  };

  auto net = mlp.on(tape);
  const auto norm = exact(net), estimate = projected(net, 0);
  const double value = norm.item();
  std::printf("exact      %.5f %8.5f\n", value, grad(norm, net.parameters()[0]).value()(0, 0));
  std::printf("projected  %.5f %8.5f\n", estimate.item(), grad(estimate, net.parameters()[0]).value()(0, 0));

  // The mean of many estimates. A mean of roots is less than the root of the mean: the norm is underestimated.
  double estimates = 0;
  for (std::uint32_t step = 0; step < 10000; ++step) {
    tape.clear();  // what was recorded is forgotten, its memory is used again
    net = mlp.on(tape);
    estimates += projected(net, step).item() / 10000;
  }
  std::printf("their mean %.5f\n", estimates);

  tape.clear();
  mlp.parameters()[0](0, 0) += 1e-6;
  net = mlp.on(tape);
  std::printf("difference         %8.5f\n", (exact(net).item() - value) / 1e-6);
}
// prints exact      0.43480  0.09508
// prints projected  0.29343  0.20233
// prints their mean 0.41328
// prints difference          0.09508

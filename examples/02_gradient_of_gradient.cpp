// A gradient of a gradient: how the norm of a Jacobian row changes with the weights, against a finite difference.
#include <cstdio>

#include "autodiff/check/nan_check.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

using namespace normalign;

int main() {
  Tape<double> tape;
  const auto row_norm = [&](const Var<double>& w) {           // |v^T J| of f(x) = tanh(W x) at one x
    const auto x = tape.variable(Matrix<double>{{1, 0.25}});  // 1 x 2
    const auto v = tape.constant(Matrix<double>{{1, 0}});     // 1 x 2
    const auto vJ = grad(tanh(linear(x, w)), x, {.seed = v, .create_graph = true});
    return sqrt(sum(square(vJ)));
  };
  Matrix<double> weights{{1, -2}, {0.5, 3}};
  const auto w = tape.variable(weights);
  const auto norm = row_norm(w);
  weights(0, 1) += 1e-6;
  const auto moved = row_norm(tape.variable(weights));
  std::printf("%.6f\n", norm.item());                          // prints 1.758551
  std::printf("%.6f\n", grad(norm, w).value()(0, 1));          // prints -1.109748
  std::printf("%.4f\n", (moved.item() - norm.item()) / 1e-6);  // prints -1.1097

  const NanCheck<double> check(tape);
  try {
    const auto zero = tape.variable(Matrix<double>(2, 2));
    grad(row_norm(zero), zero);
  } catch (const RunError& error) {
    std::printf("%s\n", error.what());
  }
}
// prints divide: found inf at (0, 0) of the 1x1 result, expected a number; inputs 1x1, 1x1; in a rule of node 35, sqrt

// Gradients that can be differentiated again: the penalty that GrokAlign adds to a loss, and its gradient.
#include <cstdio>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

using namespace normalign;

int main() {
  Tape<double> tape;
  const auto w = tape.variable(Matrix<double>{{1, -2}, {0.5, 3}});  // 2 x 2
  const auto x = tape.variable(Matrix<double>{{1, 0.25}});          // one sample, 1 x 2
  const auto f = tanh(linear(x, w));                                // f(x) = tanh(W x)

  const auto v = tape.constant(Matrix<double>{{1, 0}});
  const auto vJ = grad(f, x, {.seed = v, .create_graph = true});  // v^T J, on the tape like any other value
  const auto norm = sqrt(sum(square(vJ)));
  const auto g = grad(norm, w);  // how the norm changes with the weights

  std::printf("f      %.6f %.6f\n", f.value()(0, 0), f.value()(0, 1));
  std::printf("|v^TJ| %.6f\n", norm.item());
  std::printf("d/dw   %.6f %.6f\n", g.value()(0, 0), g.value()(0, 1));
}

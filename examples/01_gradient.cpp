// A gradient: how a loss changes with each weight of a layer, against a finite difference.
#include <cstdio>

#include "autodiff/check/print.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"

using namespace normalign;
using M = Matrix<double>;

int main() {
  Tape<double> tape;
  const auto loss = [&](const Var<double>& w) {                        // of f(x) = tanh(W x) at three points
    const auto x = tape.constant(M{{1, 0.25}, {-1, 0.5}, {0.5, -2}});  // 3 x 2
    const auto targets = tape.constant(M{{1}, {0}, {-1}});             // 3 x 1
    return mean(square(tanh(linear(x, w)) - targets));
  };
  M weights{{1, -0.5}};  // 1 x 2
  const auto w = tape.variable(weights);
  const auto l = loss(w);
  print(tape);
  // prints node  operation       shape      kept by
  // prints 0     variable        1x2        a Var
  // prints 1     constant        3x2        a rule
  // prints 2     constant        3x1        nobody
  // prints 3     matmul(1, 0)    3x1        nobody
  // prints 4     tanh(3)         3x1        a rule
  // prints 5     subtract(4, 2)  3x1        a rule
  // prints 6     square(5)       3x1        nobody
  // prints 7     sum(6)          1x1        nobody
  // prints 8     divide_by(7)    1x1        a Var
  const auto g = grad(l, w);               // 1 x 2, as w
  std::printf("%.6f\n", l.item());         // prints 1.478949
  std::printf("%.6f\n", g.value()(0, 0));  // prints 0.173749
  std::printf("%.6f\n", g.value()(0, 1));  // prints -0.563218

  weights(0, 1) += 1e-6;
  const auto moved = loss(tape.variable(weights));
  std::printf("%.4f\n", (moved.item() - l.item()) / 1e-6);  // prints -0.5632
}

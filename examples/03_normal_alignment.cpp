// Theorem 1 of arXiv:2605.08464 at one point x of class 0. Among the classifiers z = J x + b with |J|^2 + |b|^2 <= 4,
// gradient descent on the cross entropy finds a normal aligned one, J = c x^T with 1^T J = 0. No map z = J x is more
// robust: the nearest class boundary is then |x| away, as far as the origin, where all boundaries meet.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "autodiff/grad.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "nn/losses.hpp"
#include "nn/mlp.hpp"

using namespace normalign;
using M = Matrix<double>;

double product(const M& a, const M& b) { return dot<double>(a.span(), b.span()); }
double norm(const M& a) { return std::sqrt(product(a, a)); }

// Takes the largest singular value off J and returns it; v (1 x d) becomes its right singular vector.
double split_off(M& J, M& v) {
  M u(1, J.rows());
  v = M(J.view().row_block(0, 1));
  for (int i = 0; i < 500; ++i) {  // power iteration: v <- J^T J v / |J^T J v|
    gemv<double>(J, v, u);
    gemv<double>(J, u, v, true);
    for (double scale = norm(v); double& value : v.span()) value /= scale;
  }
  gemv<double>(J, v, u);
  gemm<double>(u, v, J, {.a = true}, -1, 1);  // J - u^T v
  return norm(u);
}

void print(const char* when, const M& x, M J, double loss) {
  M v, w, sums(1, x.cols()), difference(1, x.cols());
  double nearest = INFINITY;
  for (Index j = 1; j < J.rows(); ++j) {
    for (Index c = 0; c < J.cols(); ++c) difference(0, c) = J(0, c) - J(j, c);
    nearest = std::min(nearest, product(difference, x) / norm(difference));
  }
  gemv<double>(J, M{{1, 1, 1}}, sums, true);
  const double first = split_off(J, v), second = split_off(J, w);
  std::printf("%-5s  %.3f  %.3f  %.3f  %.3f  %.3f\n", when, loss, second / first, std::abs(product(v, x)) / norm(x),
              norm(sums), nearest / norm(x));
}

int main() {
  const M x{{0.9, -0.4, 0.7, 0.1, -0.6, 0.2}};  // 1 x 6
  const std::int32_t label[] = {0};
  std::printf("       loss   s2/s1  |cos|  |1'J|  boundary/|x|\n");
  for (std::uint64_t seed : {1u, 2u}) {
    Mlp<double> classifier({.widths = {6, 3}, .seed = seed});
    Tape<double> tape;
    for (int step = 0; step <= 2000; ++step) {
      tape.clear();
      auto net = classifier.on(tape);
      const auto loss = cross_entropy(net(tape.constant(x)), tape.labels(label));
      if (step % 2000 == 0) print(step ? "end" : "start", x, classifier.layers()[0].weight, loss.item());
      const auto g = grad(loss, {net.parameters().begin(), net.parameters().end()});
      double squares = 0;
      for (std::size_t p = 0; p < g.size(); ++p) {  // J and b
        const auto values = classifier.parameters()[p].span();
        for (std::size_t i = 0; i < values.size(); ++i) values[i] -= 0.5 * g[p].value().span()[i];
        squares += dot<double>(values, values);
      }
      for (const auto& parameter : classifier.parameters())  // back into the ball
        for (double& value : parameter.span()) value *= std::min(1.0, 2 / std::sqrt(squares));
    }
  }
}
// prints        loss   s2/s1  |cos|  |1'J|  boundary/|x|
// prints start  0.683  0.619  0.227  1.438  0.228
// prints end    0.031  0.000  1.000  0.000  1.000
// prints start  0.680  0.878  0.466  0.911  0.148
// prints end    0.031  0.000  1.000  0.000  1.000

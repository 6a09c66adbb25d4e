// Theorem 1 of arXiv:2605.08464 at one point x of class 0. Among the classifiers z = J x + b with |J|^2 + |b|^2 <= 4,
// gradient descent on the cross entropy finds a normal aligned one, J = c x^T with 1^T J = 0. No map z = J x is more
// robust: the nearest class boundary is then |x| away, as far as the origin, where all boundaries meet.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "autodiff/grad.hpp"
#include "geometry/local_geometry.hpp"
#include "geometry/power_diagram.hpp"
#include "linalg/reduce.hpp"
#include "nn/train_step.hpp"

using namespace normalign;

double length(const Matrix<double>& a) { return std::sqrt(dot<double>(a.span(), a.span())); }

void print(const char* when, const Matrix<double>& x, const Layer<double>& map, double loss) {
  const auto& [J, b] = map;
  double nearest = INFINITY;  // boundary of z = J x
  for (Index j = 1; j < J.rows(); ++j) {
    Matrix<double> difference(1, x.cols());
    for (Index c = 0; c < x.cols(); ++c) difference(0, c) = J(0, c) - J(j, c);
    nearest = std::min(nearest, dot<double>(difference.span(), x.span()) / length(difference));
  }
  const LocalGeometry geometry = local_geometry(J, b, x, 0);
  std::printf("%-5s  %.3f  %.3f  %.3f  %.3f  %.3f\n", when, loss, *geometry.effective_rank, *geometry.normal_alignment,
              length(power_cell({J, b}).centroid), nearest / length(x));
}

int main() {
  const Matrix<double> x{{0.9, -0.4, 0.7, 0.1, -0.6, 0.2}};  // 1 x 6
  const std::int32_t label[] = {0};
  std::printf("       loss   rank   |cos|  |1'J|  boundary/|x|\n");
  for (std::uint64_t seed : {1u, 2u}) {
    Mlp<double> classifier({.widths = {6, 3}, .seed = seed});
    Tape<double> tape;
    for (int step = 0; step <= 2000; ++step) {
      tape.clear();
      auto net = classifier.on(tape);
      const auto loss = cross_entropy(net(tape.constant(x)), tape.labels(label));
      if (step % 2000 == 0) print(step ? "end" : "start", x, classifier.layers()[0], loss.item());
      const auto g = grad(loss, net.parameters());
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
// prints        loss   rank   |cos|  |1'J|  boundary/|x|
// prints start  0.683  2.520  0.227  1.438  0.228
// prints end    0.031  1.000  1.000  0.000  1.000
// prints start  0.680  2.886  0.466  0.911  0.148
// prints end    0.031  1.000  1.000  0.000  1.000

// A robustness certificate: the exact distance from an input to the nearest one that the network classifies otherwise.
// An attack just inside of it must fail; one a little outside succeeds here. Then the same network with two of its
// inputs in other units, which are 2^30 and 2^-20 of what they were: no tolerance has a scale, so the proof is as
// sharp.
#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>
#include <vector>

#include "geometry/certificates/certificate.hpp"
#include "nn/attack.hpp"

using namespace normalign;

int main() {
  const Mlp<double> mlp({.widths = {8, 16, 16, 3}, .init_scale = 2, .seed = 1});
  const PiecewiseAffineNetwork network = piecewise_affine(mlp);
  const Matrix<double> x{{0.5, -1, 0.2, 0.8, -0.3, 1.1, -0.7, 0.4}};  // 1 x d
  const Matrix<double> f = network(x);                                // 1 x k
  const auto label = static_cast<std::int32_t>(std::ranges::max_element(f.span()) - f.span().begin());

  for (const Norm norm : {Norm::l2, Norm::linf}) {
    const Certificate certificate = certificates(network, x, {.norm = norm}).front();
    std::printf("%s distance %.6f, exact: %s\n", name_of(norm), certificate.lower, certificate.exact ? "yes" : "no");

    // The nearest such input lies on the boundary: the two largest outputs are equal there.
    Matrix<double> outputs = network(certificate.adversarial);
    std::ranges::sort(outputs.span(), std::greater{});
    std::printf("margin there %.6f\n", outputs(0, 0) - outputs(0, 1));

    for (const double share : {0.99, 1.05}) {
      const double radius = share * certificate.lower;
      Attack<double> attack(mlp, Loss::cross_entropy,
                            {.norm = norm, .radius = radius, .step = radius / 20, .steps = 200}, 1);
      const bool survives = attack({.inputs = x, .labels = std::span(&label, 1)}).accuracy > 0;
      std::printf("attack within %.2f of it %s\n", share, survives ? "fails" : "succeeds");
    }
  }

  Matrix<double> mixed = x;
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  for (const auto& [input, unit] : {std::pair{0, 0x1p30}, {1, 0x1p-20}}) {
    mixed(0, input) *= unit;
    for (Index k = 0; k < 16; ++k) layers.front().weight(k, input) /= unit;
  }
  const Certificate certificate = certificates(PiecewiseAffineNetwork(layers), mixed).front();
  std::printf("mixed units: l2 distance %.4g, exact: %s\n", certificate.lower, certificate.exact ? "yes" : "no");
}
// prints l2 distance 0.051170, exact: yes
// prints margin there 0.000000
// prints attack within 0.99 of it fails
// prints attack within 1.05 of it succeeds
// prints linf distance 0.021959, exact: yes
// prints margin there 0.000000
// prints attack within 0.99 of it fails
// prints attack within 1.05 of it succeeds
// prints mixed units: l2 distance 9.125e-08, exact: yes

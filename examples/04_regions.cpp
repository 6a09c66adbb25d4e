// The exact geometry of a small random ReLU network: the linear regions of the square [-1, 1]^2, and at one point the
// affine map, the centroid and radius of its cell, the nearest other region, and the distance of the decision boundary.
#include <cmath>
#include <cstdio>

#include "geometry/certificate.hpp"
#include "geometry/decision_boundary.hpp"
#include "geometry/power_diagram.hpp"

using namespace normalign;

int main() {
  const PiecewiseAffineNetwork network = piecewise_affine(Mlp<double>({.widths = {2, 16, 16, 2}, .seed = 4}));
  const Slice found = slice(network, input_plane());
  double area = 0;
  for (Index region = 0; region < found.regions(); ++region) area += found.complex.area(region);
  const DecisionBoundary boundary = class_boundary(found);
  std::printf("%td regions\n", found.regions());                      // prints 136 regions
  std::printf("area %.12f\n", area);                                  // prints area 4.000000000000
  std::printf("boundary in %zu pieces\n", boundary.segments.size());  // prints boundary in 18 pieces

  const Matrix<double> x{{0.3, -0.2}};
  const LocalMap here = local_maps(network, x).front();
  const Matrix<double> f = network(x);
  const double a_x = here.map.slope(0, 0) * x(0, 0) + here.map.slope(0, 1) * x(0, 1);
  std::printf("f(x) - (A x + b) = %.12f\n",
              std::abs(f(0, 0) - a_x - here.map.offset(0, 0)));  // prints f(x) - (A x + b) = 0.000000000000
  const PowerCell cell = power_cell(here.map);
  std::printf("power distance %.6f\n", power_distance(x, cell));  // prints power distance 0.121887
  std::printf("|x|^2 - 2 sum f %.6f\n",
              0.3 * 0.3 + 0.2 * 0.2 - 2 * (f(0, 0) + f(0, 1)));  // prints |x|^2 - 2 sum f 0.121887
  const Certificate certificate = certificates(network, x).front();
  std::printf("nearest wall %.6f\n",
              nearest_wall(region(network, here.code), x, Norm::l2)->distance);  // prints nearest wall 0.042100
  std::printf("boundary at %.6f\n", certificate.lower);                          // prints boundary at 0.272880
}

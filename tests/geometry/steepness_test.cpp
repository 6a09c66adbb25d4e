#include "geometry/steepness.hpp"

#include "geometry/affine_map.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// Of output j at z, in the dual norm.
double slope_length(const PiecewiseAffineNetwork& network, const M& z, Index j, Norm norm) {
  const AffineMap map = affine_map(network, network.codes(z).front());
  double sum = 0, squared = 0;
  for (const double value : map.slope.row(j)) {
    sum += std::abs(value);
    squared += value * value;
  }
  return norm == Norm::l2 ? std::sqrt(squared) : sum;
}

TEST_CASE("no slope within the ball is steeper, and in a ball within one region the slope is what is given") {
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      CAPTURE(seed, norm == Norm::l2);
      const PiecewiseAffineNetwork network = random_network({4, 9, 8, 7, 2}, seed, {0, 0.2, -1});
      const M x = random_matrix({1, 4}, seed);
      for (const double radius : {0.1, 0.7}) {
        const std::vector<double> found = steepness(network, x, radius, norm);
        for (std::uint64_t sample = 0; sample < 200; ++sample) {
          // In l2 within the ball too: no coordinate above radius / 2 in four dimensions.
          M z = random_matrix({1, 4}, sample, norm == Norm::l2 ? -radius / 2 : -radius,
                              norm == Norm::l2 ? radius / 2 : radius);
          for (Index i = 0; i < 4; ++i) z(0, i) += x(0, i);
          for (Index j = 0; j < 2; ++j)
            CHECK(slope_length(network, z, j, norm) <= found[static_cast<std::size_t>(j)] * (1 + 1e-12));
        }
      }
      const std::vector<double> tiny = steepness(network, x, 1e-9, norm);
      for (Index j = 0; j < 2; ++j)
        CHECK_THAT(tiny[static_cast<std::size_t>(j)], WithinRel(slope_length(network, x, j, norm), 1e-12));
    }
}

TEST_CASE("the constant of an affine network is its slope") {
  const PiecewiseAffineNetwork network({{M{{3, -4}, {0, 2}}, M{{1, 1}}, 1}});
  CHECK(steepness(network, M{{0, 0}}, 10, Norm::l2) == std::vector<double>{5, 2});
  CHECK(steepness(network, M{{0, 0}}, 10, Norm::linf) == std::vector<double>{7, 2});
}

}  // namespace
}  // namespace normalign::tests

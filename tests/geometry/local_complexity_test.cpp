#include "geometry/local_complexity.hpp"

#include "geometry/affine_map.hpp"
#include "geometry/polytope.hpp"
#include "linalg/orthonormal_frame.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("in the first layer it is the number of boundaries that meet the hull") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const PiecewiseAffineNetwork network = random_network({5, 40, 10, 1}, seed);
    const M x = random_matrix({6, 5}, seed);
    const LocalComplexityOptions options{.radius = 0.3, .directions = 4, .seed = seed};
    const M frame = orthonormal_frame(4, 5, RandomRows(seed, Stream::frame));
    const Matrix<Index> found = local_complexity(network, x, options);
    CHECK(found.shape() == Shape{6, 2});
    const auto& [weight, bias, slope] = network.layers().front();
    for (Index row = 0; row < 6; ++row) {
      Index expected = 0;
      for (Index k = 0; k < 40; ++k) {
        // The hull reaches as far along the weight as the best of its vertices.
        double reach = 0, value = bias(0, k);
        for (Index i = 0; i < 5; ++i) value += weight(k, i) * x(row, i);
        for (Index p = 0; p < 4; ++p) {
          double along = 0;
          for (Index i = 0; i < 5; ++i) along += weight(k, i) * frame(p, i);
          reach = std::max(reach, 0.3 * std::abs(along));
        }
        expected += std::abs(value) < reach;
      }
      CHECK(found(row, 0) == expected);
    }
  }
}

TEST_CASE("no more units are counted than change their sign somewhere in the hull, and none in a single region") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const PiecewiseAffineNetwork network = random_network({2, 12, 12, 12, 1}, seed, {0.1});
    const M x = random_matrix({1, 2}, seed), frame = orthonormal_frame(2, 2, RandomRows(seed, Stream::frame));
    constexpr double radius = 0.4;
    // The hull is the square with the vertices x +- radius v.
    std::vector<bool> on(36), off(36);
    for (int a = -100; a <= 100; ++a)
      for (int b = -100; b <= 100; ++b) {
        M z = x;
        for (Index i = 0; i < 2; ++i) z(0, i) += radius / 200 * ((a + b) * frame(0, i) + (a - b) * frame(1, i));
        const ActivationCode code = network.codes(z).front();
        for (std::size_t u = 0; u < 36; ++u) (code[u] ? on : off)[u] = true;
      }
    const Matrix<Index> found = local_complexity(network, x, {.radius = radius, .directions = 2, .seed = seed});
    for (Index l = 0; l < 3; ++l) {
      Index changing = 0;
      for (Index k = 0; k < 12; ++k) {
        const auto u = static_cast<std::size_t>(network.first_unit(l) + k);
        changing += on[u] && off[u];
      }
      CHECK(found(0, l) <= changing);
    }
    const double room = nearest_wall(region(network, network.codes(x).front()), x, Norm::l2)->distance;
    CHECK(all_zero(local_complexity(network, x, {.radius = 0.999 * room, .directions = 2})));
  }
}

TEST_CASE("complexity is the same on any number of threads, and can be stopped") {
  const PiecewiseAffineNetwork network = random_network({5, 16, 16, 2}, 3);
  const M x = random_matrix({40, 5}, 7);
  const LocalComplexityOptions options{.radius = 0.3, .directions = 4};
  const Matrix<Index> expected = local_complexity(network, x, options);
  CHECK(!all_zero(expected));
  LocalComplexityOptions others = options;
  for (others.threads = 2; others.threads <= 5; ++others.threads)
    CHECK(local_complexity(network, x, others) == expected);
  others.stop = [] { return true; };
  CHECK_THROWS_AS(local_complexity(network, x, others), Stopped);
  others.threads = 0;
  CHECK(message_of<InputError>([&] { local_complexity(network, x, others); }) ==
        "local_complexity: threads is 0; it must be at least 1");
}

TEST_CASE("settings that make no sense are refused") {
  const PiecewiseAffineNetwork network = random_network({3, 4, 1}, 1);
  const auto message = [&](const LocalComplexityOptions& options) {
    return message_of<InputError>([&] { local_complexity(network, M(2, 3), options); });
  };
  CHECK(message({.radius = 0, .directions = 2}) == "local_complexity: radius is 0; it must be above 0");
  CHECK(message({.directions = 4}) ==
        "orthonormal_frame: directions is 4; it must be from 1 to 3, the length of a row");
  CHECK(message_of<InputError>([&] { local_complexity(network, M(1, 2), {.directions = 1}); }) ==
        "local_complexity: x is 1x2; it must have 3 columns");
}

}  // namespace
}  // namespace normalign::tests

// Certificates of networks whose numbers are awkward, against distances that rational arithmetic found.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/infinity.hpp"
#include "geometry/certificates/certificate.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/reference.hpp"

namespace normalign::tests {
namespace {

// The network with inputs times 2^k.
PiecewiseAffineNetwork scaled(const PiecewiseAffineNetwork& network, int k) {
  std::vector<PiecewiseAffineLayer> layers = network.layers();
  for (double& value : layers.front().weight.span()) value = std::ldexp(value, -k);
  return PiecewiseAffineNetwork(std::move(layers));
}

TEST_CASE("certificates of awkward networks are on the right side of the exact distance", "[slow]") {
  Index all = 0, not_exact = 0;
  std::string missed;
  for (const AwkwardNetwork& awkward : awkward_networks("certificates of awkward networks"))
    for (const auto& point : awkward.points)
      for (const Norm norm : {Norm::l2, Norm::linf}) {
        const auto& known = point.at(name_of(norm));
        if (known.is_null()) continue;
        const auto expected = known.get<double>();
        const Matrix<double> x = row_of(point.at("x"));
        const Certificate found = certificates(awkward.network, x, {.norm = norm}).front();
        CAPTURE(awkward.name, point.at("x").dump(), name_of(norm), found.lower, found.upper, expected);
        // The distance itself is known to half a unit in the last place.
        CHECK(found.lower <= expected * (1 + 1e-15));
        CHECK(found.upper >= expected * (1 - 1e-15));
        if (found.exact) CHECK_THAT(found.upper, WithinRel(expected, 1e-7));
        // With few parts the plane's regions decide, or nothing does.
        for (const Index parts : {2, 20}) {
          const Certificate early = certificates(awkward.network, x, {.norm = norm, .parts = parts}).front();
          CHECK(early.lower <= expected * (1 + 1e-15));
          CHECK(early.upper >= expected * (1 - 1e-15));
        }
        ++all;
        if (found.exact) continue;
        ++not_exact;
        missed += text(awkward.name, ' ', name_of(norm), ": ", found.lower, " to ", found.upper, '\n');
      }
  if (all == 0) return;
  CHECK(all > 400);
  INFO(not_exact << " of " << all << '\n' << missed);
  CHECK(100 * not_exact <= 2 * all);
}

TEST_CASE("inputs times a power of two have the same certificates times that power, bit by bit") {
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 6; ++seed)
      for (const int k : {-40, 30}) {
        CAPTURE(seed, k, name_of(norm));
        const PiecewiseAffineNetwork network = random_network({3, 6, 5, 3}, seed, {0, 0.1});
        const Matrix<double> x = random_matrix({1, 3}, seed);
        Matrix<double> x_scaled = x;
        for (double& value : x_scaled.span()) value = std::ldexp(value, k);
        const Certificate one = certificates(network, x, {.norm = norm}).front(),
                          other = certificates(scaled(network, k), x_scaled, {.norm = norm}).front();
        CHECK(other.exact == one.exact);
        CHECK(other.parts == one.parts);
        CHECK(other.lower == std::ldexp(one.lower, k));
        CHECK(other.upper == std::ldexp(one.upper, k));
      }
}

}  // namespace
}  // namespace normalign::tests

#include "geometry/certificates/margin_attack.hpp"

#include "geometry/certificates/centred_margins.hpp"
#include "geometry/certificates/certificate.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;
using M = Matrix<double>;

bool never() { return false; }

TEST_CASE("of affine margins a step beyond is found just where the ball holds one") {
  // The second margin's zero is at distance 5 / |(3, 4)| in the dual norm: 1 in l2, 5 / 7 in linf.
  const PiecewiseAffineNetwork margins({{M{{0.1, 0}, {3, 4}}, M{{-9, -5}}, 1}});
  for (const auto& [norm, distance] : {std::pair{Norm::l2, 1.0}, {Norm::linf, 5.0 / 7}}) {
    CHECK_FALSE(adversarial_step(margins, norm, distance * (1 - 1e-6), 2, 50, never));
    const auto step = adversarial_step(margins, norm, distance * (1 + 1e-6), 2, 50, never);
    REQUIRE(step);
    CHECK(norm_length(step->span(), norm) <= distance * (1 + 2e-6));
    CHECK(margins(*step)(0, 1) >= 0);
  }
}

TEST_CASE("steps beyond the boundary are within the radius, and the same at every call") {
  int found = 0;
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      const PiecewiseAffineNetwork margins = random_network({6, 10, 8, 3}, seed, {0, -1, 0.1});
      const M origin(1, 6);
      if (std::ranges::max(margins(origin).span()) >= 0) continue;
      const auto step = adversarial_step(margins, norm, 2, 2, 30, never);
      if (!step) continue;
      ++found;
      CHECK(norm_length(step->span(), norm) <= 2 * (1 + 1e-12));
      CHECK(std::ranges::max(margins(*step).span()) >= 0);
      CHECK(*adversarial_step(margins, norm, 2, 2, 30, never) == *step);
    }
  CHECK(found > 5);
}

TEST_CASE("a little beyond the exact distance the attack succeeds most often") {
  int tried = 0, found = 0;
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 16; ++seed) {
      const PiecewiseAffineNetwork network = random_network({4, 8, 6, 3}, seed, {0, -1, 0.1});
      const M x = random_matrix({1, 4}, seed);
      const Certificate certificate = certificates(network, x, {.norm = norm, .parts = 500}).front();
      if (!certificate.exact || certificate.upper == infinity) continue;
      const CentredMargins margins(network, nullptr, x);
      ++tried;
      CHECK_FALSE(adversarial_step(margins.network(), norm, certificate.lower * (1 - 1e-9), 1, 50, never));
      found += adversarial_step(margins.network(), norm, 1.1 * certificate.upper, 3, 50, never).has_value();
    }
  CAPTURE(tried, found);
  CHECK(tried > 24);
  CHECK(found >= 0.75 * tried);
}

TEST_CASE("an attack that is late has nothing") {
  const PiecewiseAffineNetwork margins({{M{{1, 0}}, M{{-1}}, 1}});
  CHECK(adversarial_step(margins, Norm::l2, 2, 1, 10, never));
  CHECK_FALSE(adversarial_step(margins, Norm::l2, 2, 1, 10, [] { return true; }));
}

}  // namespace
}  // namespace normalign::tests

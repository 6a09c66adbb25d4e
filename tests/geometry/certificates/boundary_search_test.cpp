#include "geometry/certificates/boundary_search.hpp"
#include "base/infinity.hpp"

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

using M = Matrix<double>;
constexpr Index all_parts = 1'000'000;
constexpr double no_limit = infinity;

// A network with one output, negative at x.
PiecewiseAffineNetwork negative_at(const M& x, std::uint64_t seed) {
  std::vector<PiecewiseAffineLayer> layers = random_network({4, 9, 8, 1}, seed, {0, 0.1}).layers();
  const double shift = PiecewiseAffineNetwork(layers)(x)(0, 0);
  layers.back().bias(0, 0) -= shift + 1;
  return PiecewiseAffineNetwork(std::move(layers));
}

TEST_CASE("an upper bound at the start leaves out parts and nothing else") {
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    Index with = 0, without = 0;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      CAPTURE(seed, norm == Norm::l2);
      const M x = random_matrix({1, 4}, seed);
      const PiecewiseAffineNetwork network = negative_at(x, seed);
      const CentredMargins margins(network, nullptr, x);
      // Without one the reach grows step by step.
      BoundarySearch blind(margins, x, norm), attacking(margins, x, norm);
      attacking.attack();
      const Certificate slow = blind.run(all_parts), fast = attacking.run(all_parts);
      REQUIRE(slow.exact);
      REQUIRE(fast.exact);
      if (slow.upper == no_limit)
        CHECK(fast.upper == no_limit);
      else
        CHECK_THAT(fast.upper, WithinAbs(slow.upper, 1e-9));
      with += fast.parts;
      without += slow.parts;
    }
    if (norm == Norm::l2) CHECK(with < without);
  }
}

TEST_CASE("a start is only taken where an output is not negative") {
  const PiecewiseAffineNetwork plane({{M{{0, 2}}, M{{-1}}, 1}});
  const CentredMargins margins(plane, nullptr, M(1, 2));
  BoundarySearch search(margins, M(1, 2), Norm::l2);
  const M below{{7, 0.4}}, above{{7, 3}};
  CHECK_FALSE(search.start_from(below));
  CHECK(search.start_from(above));
  const Certificate bounds = search.run(0);
  CHECK_FALSE(bounds.exact);
  // What the region's own walls prove needs no part.
  CHECK_THAT(bounds.lower, WithinAbs(0.5, 1e-8));
  CHECK(bounds.lower < 0.5);
  // The region of the start is all there is, and its nearest point is found at once.
  CHECK_THAT(bounds.upper, WithinAbs(0.5, 1e-12));
  CHECK(relative_error(bounds.adversarial, M{{0, 0.5}}) < 1e-12);
}

}  // namespace
}  // namespace normalign::tests

#include "geometry/certificates/centred_margins.hpp"

#include "geometry/certificates/least_distance.hpp"
#include "geometry/region_rows.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

TEST_CASE("margins at a step from x are the network's differences of outputs there, in either norm") {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const PiecewiseAffineNetwork network = random_network({9, 5, 4, 3}, seed, {0, 0.2});
    const RowSpaceNetwork reduced = row_space_network(network);
    const Matrix<double> x = random_matrix({1, 9}, seed, -1e3, 1e3), f = network(x);
    const Index winner = std::ranges::max_element(f.span()) - f.span().begin();
    for (const RowSpaceNetwork* row_space : {static_cast<const RowSpaceNetwork*>(nullptr), &reduced}) {
      const CentredMargins margins(network, row_space, x);
      const Matrix<double> step = random_matrix({1, margins.network().inputs()}, seed + 5);
      Matrix<double> there = margins.in_inputs(step);
      for (Index i = 0; i < 9; ++i) there(0, i) += x(0, i);
      const Matrix<double> found = margins.network()(step), expected = network(there);
      for (Index j = 0; j < 2; ++j)
        CHECK_THAT(found(0, j), WithinAbs(expected(0, j < winner ? j : j + 1) - expected(0, winner), 1e-9));
      CHECK(relative_error(margins.coordinates(there), step) < 1e-9);
      CHECK_THAT(margins.stretch(), WithinAbs(1, 1e-12));
      CHECK(margins.stretch() >= 1);
    }
  }
}

TEST_CASE("a point is adversarial where another output wins or ties, to the last bit") {
  const PiecewiseAffineNetwork sum({{.weight = Matrix<double>{{1, 1}}, .bias = Matrix<double>{{-1}}, .slope = 1}});
  const CentredMargins below(sum, nullptr, Matrix<double>{{0, 0}}), above(sum, nullptr, Matrix<double>{{2, 0}});
  const auto is_adversarial = [](const CentredMargins& margins, double a, double b, Proof proof = Proof::exact) {
    return margins.is_adversarial(Matrix<double>{{a, b}}, Matrix<double>(1, 2), proof);
  };
  CHECK(is_adversarial(below, 1, 0));
  CHECK(is_adversarial(above, 1, 0));
  // 0.5 + 0.5 + 2^-80 is rounded to 1 by every format of fewer than 80 bits.
  for (const double little : {0x1p-80, -0x1p-80}) {
    const Matrix<double> half{{0.5, 0.5}}, step{{little, 0}};
    CHECK(below.is_adversarial(half, step, Proof::exact) == (little > 0));
    CHECK(above.is_adversarial(half, step, Proof::exact) == (little < 0));
    CHECK_FALSE(below.is_adversarial(half, step, Proof::rounded));
  }
  CHECK(is_adversarial(below, 0.6, 0.5, Proof::rounded));
  CHECK_FALSE(is_adversarial(below, 0.4, 0.5));
}

TEST_CASE("a region's distance by integers is that of a solver, from below") {
  Index compared = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed)
    for (const Index outputs : {Index{1}, Index{3}}) {
      const PiecewiseAffineNetwork network = random_network({3, 5, 4, outputs}, seed, {0, 0.2});
      const Matrix<double> x = random_matrix({1, 3}, seed), origin(1, 3);
      const CentredMargins margins(network, nullptr, x);
      RegionRows rows(margins.network());
      const ActivationCode code = margins.network().codes(random_matrix({1, 3}, seed + 9)).front();
      rows.compute(code);
      for (Index j = 0; j < margins.network().outputs(); ++j) {
        rows.choose(j);
        const Index count = rows.units() + 1;
        const HalfSpaces set{.slopes = rows.slopes().row_block(0, count), .offsets = {rows.offsets().data(), 1, count}};
        const NearestPoint nearest = LeastDistance()(set, origin);
        if (nearest.status != NearestStatus::found || nearest.distance == 0) continue;
        const double exact = margins.exact_distance(code, j, nearest.multipliers, Norm::l2);
        CHECK_THAT(exact, WithinRel(nearest.distance, 1e-12));
        ++compared;
      }
    }
  CHECK(compared > 10);
}

}  // namespace
}  // namespace normalign::tests

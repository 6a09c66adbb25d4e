#include "geometry/region_rows.hpp"

#include "geometry/affine_map.hpp"
#include "geometry/polytope.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

using M = Matrix<double>;

TEST_CASE("the rows are the walls of the region and the outputs there, for one code after the other") {
  for (const double grain : {0.0, 0.5}) {
    const PiecewiseAffineNetwork network = random_network({3, 6, 5, 2}, 4, {0, 0.2}, grain);
    RegionRows rows(network);
    CHECK(rows.units() == 11);
    for (const ActivationCode& code : network.codes(random_matrix({20, 3}, 1, -2, 2))) {
      rows.compute(code);
      const Polytope walls = region(network, code);
      Index wall = 0;
      for (Index u = 0; u < 11; ++u) {
        const M slope(rows.slopes().row_block(u, 1));
        if (all_zero(slope)) continue;
        REQUIRE(wall < walls.slopes.rows());
        CHECK(relative_error(slope, walls.slopes.view().row_block(wall, 1)) < 1e-13);
        CHECK_THAT(rows.offsets()(0, u), WithinAbs(walls.offsets(0, wall), 1e-13));
        const HiddenUnit unit = walls.units[static_cast<std::size_t>(wall++)];
        CHECK(network.first_unit(unit.layer) + unit.unit == u);
      }
      CHECK(wall == walls.slopes.rows());
      const AffineMap outputs = affine_map(network, code);
      for (Index j = 0; j < 2; ++j) {
        rows.choose(j);
        for (const Index row : {rows.output(j), rows.units()}) {
          CHECK(relative_error(rows.slopes().row_block(row, 1), outputs.slope.view().row_block(j, 1)) < 1e-13);
          CHECK_THAT(rows.offsets()(0, row), WithinAbs(outputs.offset(0, j), 1e-13));
        }
      }
    }
  }
}

TEST_CASE("a slope that is zero but for rounding is zero") {
  // 0.1 + 0.2 - 0.3 is not.
  const PiecewiseAffineNetwork network(
      {{M{{0.1, 0}, {0.2, 0}, {0.3, 0}}, M{{1, 1, 1}}, 0}, {M{{1, 1, -1}}, M{{0}}, 0}, {M{{1}}, M{{0}}, 1}});
  RegionRows rows(network);
  rows.compute(ActivationCode{1, 1, 1, 1});
  CHECK(all_zero(rows.slopes().row_block(3, 1)));
  CHECK(rows.slopes()(2, 0) == 0.3);
}

}  // namespace
}  // namespace normalign::tests

#include "data/tables/column_scales.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("standardised columns have mean 0 and deviation 1, a constant one is 0") {
  Matrix<double> x(3, 2, {1e9 + 1, 0.1, 1e9 + 2, 0.1, 1e9 + 3, 0.1});
  standardise(x);
  CHECK(std::ranges::equal(x.span(), std::vector<double>{-1, 0, 0, 0, 1, 0}));
  Matrix<double> extreme(3, 4, {1e200, 1e-200, -1e308, 5e-324, 2e200, 2e-200, 0, 0, 3e200, 3e-200, 1e308, -5e-324});
  standardise(extreme);
  for (Index j = 0; j < 4; ++j) {
    CAPTURE(j);
    CHECK_THAT(std::abs(extreme(0, j)), WithinAbs(1, 1e-12));
    CHECK_THAT(extreme(1, j), WithinAbs(0, 1e-12));
    CHECK_THAT(extreme(2, j), WithinAbs(-extreme(0, j), 1e-12));
  }
  Matrix<double> one(1, 1, {5});
  standardise(one);
  CHECK(one(0, 0) == 0);
}

TEST_CASE("scales found on some rows bring others to the same scale") {
  Matrix<double> x{{1, 10, 5}, {3, 30, 5}}, y{{2, 50, 6}};
  const ColumnScales scales = column_scales(x);
  CHECK(scales.means == std::vector<double>{2, 20, 5});
  CHECK(scales.deviations[2] == 1);
  scale_columns(y, scales);
  CHECK(y(0, 0) == 0);
  CHECK_THAT(y(0, 1), WithinAbs(30 / std::sqrt(200.0), 1e-15));
  CHECK(y(0, 2) == 1);
}

}  // namespace normalign::tests

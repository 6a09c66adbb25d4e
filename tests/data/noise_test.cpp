#include "data/noise.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("noise is normal, one draw scaled, and leaves the columns before the first alone") {
  const Matrix<double> inputs = random_matrix({300, 50}, 1);
  Matrix<double> small(300, 50), large(300, 50);
  const RandomRows random(9, Stream::test_noise, 4);
  add_noise<double>(inputs, 0.1, 10, random, small);
  add_noise<double>(inputs, 0.3, 10, random, large);
  double sum = 0, squares = 0;
  for (Index i = 0; i < 300; ++i)
    for (Index j = 0; j < 50; ++j) {
      const double a = small(i, j) - inputs(i, j), b = large(i, j) - inputs(i, j);
      if (j < 10)
        REQUIRE((a == 0 && b == 0));
      else
        REQUIRE_THAT(b, WithinAbs(3 * a, 1e-14));
      sum += a;
      squares += a * a;
    }
  CHECK_THAT(sum / 12000, WithinAbs(0, 5 * 0.1 / std::sqrt(12000.0)));
  CHECK_THAT(std::sqrt(squares / 12000), WithinRel(0.1, 0.04));
  CHECK_FALSE(small(0, 10) - inputs(0, 10) == small(1, 10) - inputs(1, 10));
}

}  // namespace
}  // namespace normalign::tests

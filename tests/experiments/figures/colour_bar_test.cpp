#include "experiments/figures/colour_bar.hpp"

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("a log scale goes from the smallest to the largest value above 0, over six powers of ten at most") {
  const LogScale scale = log_scale(std::vector<double>{0, 100, 1, 10});
  CHECK(scale.low == 1);
  CHECK(scale.high == 100);
  CHECK_THAT(scale.share(10), WithinRel(0.5, 1e-14));
  CHECK(scale.share(100) == 1);
  CHECK_THAT(log_scale(std::vector<double>{1e-9, 2}).low, WithinRel(2e-6, 1e-14));
  CHECK(log_scale({}).share(1) == 0.5);
  CHECK(log_scale(std::vector<double>{0}).high == 1);
}

TEST_CASE("colours of a log scale are those of the gradient, and grey for 0") {
  const LogScale scale{.low = 1, .high = 100};
  CHECK(scale.colour(10).green == gradient(0.5).green);
  CHECK(scale.colour(1e9).red == gradient(1).red);
  CHECK(scale.colour(0).red == scale.colour(0).blue);
}

}  // namespace normalign::tests

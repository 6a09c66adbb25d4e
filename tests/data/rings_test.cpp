#include "data/rings.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("points of the rings lie in the unit disc, and their label is their ring's", "[data]") {
  const auto split = rings<double>({.rings = 4, .train_samples = 500, .test_samples = 700, .seed = 2});
  CHECK(split.train.inputs.shape() == Shape{500, 2});
  CHECK(split.test.inputs.shape() == Shape{700, 2});
  CHECK(split.train.classes == 2);
  for (const auto* side : {&split.train, &split.test}) {
    std::vector<Index> in_ring(4);
    for (Index i = 0; i < side->inputs.rows(); ++i) {
      const double radius = std::hypot(side->inputs(i, 0), side->inputs(i, 1));
      REQUIRE(radius < 1);
      const auto ring = static_cast<std::size_t>(4 * radius);
      CHECK(side->labels[static_cast<std::size_t>(i)] == static_cast<std::int32_t>(ring % 2));
      ++in_ring[ring];
    }
    // Shares by area: 1, 3, 5 and 7 sixteenths; five standard deviations.
    const auto n = static_cast<double>(side->inputs.rows());
    for (std::size_t ring = 0; ring < 4; ++ring) {
      const double share = (2 * static_cast<double>(ring) + 1) / 16;
      CHECK(std::abs(static_cast<double>(in_ring[ring]) - share * n) < 5 * std::sqrt(n * share * (1 - share)));
    }
  }
}

TEST_CASE("the rings depend on the seed alone", "[data]") {
  const auto a = rings<double>({.seed = 1}), again = rings<double>({.seed = 1}), other = rings<double>({.seed = 2});
  CHECK(same_bits(a.train.inputs, again.train.inputs));
  CHECK_FALSE(same_bits(a.train.inputs, other.train.inputs));
  CHECK(a.train.inputs(0, 0) != a.test.inputs(0, 0));
}

TEST_CASE("rings of no size are refused", "[data]") {
  CHECK(message_of<InputError>([] { rings<float>({.rings = 1}); }) ==
        "rings: found 1, expected a whole number from 2 to 1073741823");
  CHECK(message_of<InputError>([] { rings<float>({.train_samples = 0}); }).starts_with("train_samples: found 0"));
  CHECK(message_of<InputError>([] { rings<float>({.test_samples = -1}); }).starts_with("test_samples: found -1"));
}

}  // namespace normalign::tests

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

TEST_CASE("in more dimensions the rings are shells of the unit ball, and their shares are those of the volumes",
          "[data]") {
  for (const Index d : {3, 5}) {
    CAPTURE(d);
    const auto split = rings<double>({.dimensions = d, .train_samples = 3000, .test_samples = 1000, .seed = 4});
    CHECK(split.train.inputs.shape() == Shape{3000, d});
    CHECK(split.test.inputs.shape() == Shape{1000, d});
    CHECK_FALSE(same_bits(split.train.inputs.view().row_block(0, 1), split.test.inputs.view().row_block(0, 1)));
    std::vector<double> in_ring(3), mean(static_cast<std::size_t>(d)), squares(static_cast<std::size_t>(d));
    for (Index i = 0; i < 3000; ++i) {
      double square = 0;
      for (std::size_t j = 0; j < mean.size(); ++j) {
        const double x = split.train.inputs(i, static_cast<Index>(j));
        square += x * x;
        mean[j] += x / 3000;
        squares[j] += x * x / 3000;
      }
      REQUIRE(square < 1);
      const auto ring = static_cast<std::size_t>(3 * std::sqrt(square));
      CHECK(split.train.labels[static_cast<std::size_t>(i)] == static_cast<std::int32_t>(ring % 2));
      ++in_ring[ring];
    }
    const auto volume = [&](double radius) { return std::pow(radius / 3, d); };
    for (std::size_t ring = 0; ring < 3; ++ring) {
      const double share = volume(static_cast<double>(ring + 1)) - volume(static_cast<double>(ring));
      CHECK(std::abs(in_ring[ring] - share * 3000) < 5 * std::sqrt(3000 * share * (1 - share)));
    }
    // Of the ball: the mean of x_j is 0 and that of x_j^2 is 1 / (d + 2).
    for (std::size_t j = 0; j < mean.size(); ++j) {
      CHECK(std::abs(mean[j]) < 5 * std::sqrt(squares[j] / 3000));
      CHECK(std::abs(squares[j] - 1 / static_cast<double>(d + 2)) <
            5 / std::sqrt(3000.0) / static_cast<double>(d + 2) * 2);
    }
  }
}

TEST_CASE("points of the rings in the plane are those that were always drawn", "[data]") {
  const auto split = rings<double>({.train_samples = 2, .test_samples = 1, .seed = 3});
  const Matrix<double> recorded{{-0x1.17aa869980877p-2, -0x1.58b76f6d31606p-4},
                                {-0x1.152fcb2d1dbb9p-2, -0x1.1f3aa410abc4fp-2},
                                {0x1.384f806612d82p-4, 0x1.c3e745c363c58p-2}};
  for (Index j = 0; j < 2; ++j) {
    CHECK_THAT(split.train.inputs(0, j), WithinRel(recorded(0, j), 1e-15));
    CHECK_THAT(split.train.inputs(1, j), WithinRel(recorded(1, j), 1e-15));
    CHECK_THAT(split.test.inputs(0, j), WithinRel(recorded(2, j), 1e-15));
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
  CHECK(message_of<InputError>([] { rings<float>({.dimensions = 1}); }) ==
        "dimensions: found 1, expected a whole number from 2 to 1000");
  CHECK(message_of<InputError>([] { rings<float>({.train_samples = 0}); }).starts_with("train_samples: found 0"));
  CHECK(message_of<InputError>([] { rings<float>({.test_samples = -1}); }).starts_with("test_samples: found -1"));
}

}  // namespace normalign::tests

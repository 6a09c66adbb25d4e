#include "data/torus.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/lapack.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using Angles = std::array<double, 2>;

// The angles of training row i.
Angles angles_of(Index i, std::uint64_t seed) {
  Angles angles{};
  RandomRows(seed, Stream::data).uniform<double>(static_cast<std::uint32_t>(i), angles, 0, 2 * std::acos(-1.0));
  return angles;
}

// Of each test row whether the nearest of the first n training rows has its label, in per cent.
double nearest_neighbour_accuracy(const Split<double>& split, Index n) {
  const Matrix<double> products =
      naive_product(split.test.inputs, Matrix<double>(split.train.inputs.view().row_block(0, n)), {.b = true});
  Index right = 0;
  for (Index i = 0; i < products.rows(); ++i) {
    // All points have one length: the nearest has the largest product.
    const auto row = products.row(i);
    const auto nearest = static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
    right += split.train.labels[nearest] == split.test.labels[static_cast<std::size_t>(i)];
  }
  return 100 * static_cast<double>(right) / static_cast<double>(products.rows());
}

}  // namespace

TEST_CASE("products of torus points are sums of cosines, whatever the rotation", "[data]") {
  for (const std::uint64_t seed : {0, 3}) {
    const auto split = torus<double>({.train_samples = 30, .test_samples = 1, .seed = seed});
    CHECK(split.train.inputs.shape() == Shape{30, 64});
    const Matrix<double> products = naive_product(split.train.inputs, split.train.inputs, {.b = true});
    for (Index i = 0; i < 30; ++i)
      for (Index j = 0; j < 30; ++j) {
        const Angles a = angles_of(i, seed), b = angles_of(j, seed);
        // The sum over k is half that over all whole numbers k != 0 within the disc; of the last circle, |k|^2 = 20,
        // there are two of the four pairs, (2, -4) and (2, 4).
        double expected = 0;
        for (int p = -4; p <= 4; ++p)
          for (int q = -4; q <= 4; ++q)
            if ((p != 0 || q != 0) && (p * p + q * q < 20 || (p * p == 4 && q * q == 16)))
              expected += std::cos(p * (a[0] - b[0]) + q * (a[1] - b[1]));
        CHECK_THAT(products(i, j), WithinAbs(expected, 1e-11));
      }
  }
}

TEST_CASE("the torus fills 64 dimensions evenly, and is of two", "[data]") {
  const auto split = torus<double>({.train_samples = 8192, .test_samples = 1, .seed = 1});
  Matrix<double> mean_square = naive_product(split.train.inputs, split.train.inputs, {.a = true}, 1.0 / 8192);
  for (Index j = 0; j < 64; ++j) CHECK_THAT(mean_square(j, j), WithinAbs(1, 0.1));
  const auto spread = svd<double>(mean_square).values;
  CHECK(spread.front() < 1.25);
  CHECK(spread.back() > 0.75);
  // Small steps in either angle span two directions: the singular values of differences to near points fall off.
  const Matrix<double> products =
      naive_product(split.train.inputs, Matrix<double>(split.train.inputs.view().row_block(0, 1)), {.b = true});
  std::vector<Index> order(8192);
  for (Index i = 0; i < 8192; ++i) order[static_cast<std::size_t>(i)] = i;
  std::ranges::sort(order, std::greater{}, [&](Index i) { return products(i, 0); });
  Matrix<double> differences(8, 64);
  for (Index i = 0; i < 8; ++i)
    for (Index j = 0; j < 64; ++j)
      differences(i, j) = split.train.inputs(order[static_cast<std::size_t>(i + 1)], j) - split.train.inputs(0, j);
  const auto local = svd<double>(differences).values;
  CHECK(local[2] < 0.35 * local[1]);
}

TEST_CASE("the torus's classes are a board of squares that no coordinate tells, and that a few hundred points show",
          "[data]") {
  const auto split = torus<double>({.train_samples = 4096, .test_samples = 1000, .seed = 2});
  CHECK(split.train.classes == 2);
  Index ones = 0;
  std::vector<double> along(64);
  for (Index i = 0; i < 4096; ++i) {
    const auto [u, v] = angles_of(i, 2);
    const std::int32_t label = split.train.labels[static_cast<std::size_t>(i)];
    REQUIRE(label == ((std::sin(3 * u + 2 * v) > 0) == (std::sin(3 * v - 2 * u) > 0)));
    ones += label;
    for (Index j = 0; j < 64; ++j) along[static_cast<std::size_t>(j)] += (2 * label - 1) * split.train.inputs(i, j);
  }
  // Five standard deviations.
  CHECK(std::abs(static_cast<double>(ones) - 2048) < 5 * 32);
  for (const double sum : along) CHECK(std::abs(sum) < 5 * 64);
  CHECK(nearest_neighbour_accuracy(split, 32) < 65);
  CHECK(nearest_neighbour_accuracy(split, 256) > 65);
  CHECK(nearest_neighbour_accuracy(split, 4096) > 90);
}

TEST_CASE("the first rows of a torus do not depend on how many there are", "[data]") {
  const auto a = torus<double>({.train_samples = 16, .test_samples = 8, .seed = 1}),
             more = torus<double>({.train_samples = 32, .test_samples = 9, .seed = 1}),
             other = torus<double>({.train_samples = 16, .test_samples = 8, .seed = 2});
  CHECK(same_bits(a.train.inputs, Matrix<double>(more.train.inputs.view().row_block(0, 16))));
  CHECK(same_bits(a.test.inputs, Matrix<double>(more.test.inputs.view().row_block(0, 8))));
  CHECK(std::ranges::equal(a.train.labels, std::span(more.train.labels).first(16)));
  CHECK(a.train.inputs(0, 0) != a.test.inputs(0, 0));
  CHECK(a.train.inputs(0, 0) != other.train.inputs(0, 0));
  const auto single = torus<float>({.train_samples = 16, .test_samples = 8, .seed = 1});
  CHECK(relative_error(single.train.inputs, a.train.inputs) < 1e-6);
  CHECK(single.train.labels == a.train.labels);
}

TEST_CASE("a torus without points is refused", "[data]") {
  CHECK(message_of([] { torus<float>({.train_samples = 0}); }) ==
        "train_samples: found 0, expected a whole number from 1 to 2147483647");
  CHECK(message_of([] { torus<float>({.test_samples = -1}); }) ==
        "test_samples: found -1, expected a whole number from 1 to 2147483647");
}

}  // namespace normalign::tests

#include "data/xor_cluster.hpp"

#include <cmath>
#include <limits>
#include <set>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {

TEST_CASE("the XOR cluster has the sizes of the paper by default", "[data]") {
  const auto split = xor_cluster<float>();
  CHECK(split.train.inputs.shape() == Shape{400, 40000});
  CHECK(split.test.inputs.shape() == Shape{400, 40000});
  CHECK(split.train.labels.size() == 400);
  CHECK(split.test.labels.size() == 400);
  CHECK(split.train.classes == 2);
  CHECK(split.test.classes == 2);
}

TEST_CASE("two features are signs, the others small signs, and the label is the product", "[data]") {
  const auto split = xor_cluster<double>(
      {.features = 300, .feature_scale = 0.25, .train_samples = 150, .test_samples = 250, .seed = 4});
  std::set<std::pair<double, double>> corners;
  for (const auto* side : {&split.train, &split.test}) {
    for (Index i = 0; i < side->inputs.rows(); ++i) {
      const auto row = side->inputs.row(i);
      CAPTURE(i);
      for (std::size_t j = 0; j < row.size(); ++j) CHECK(std::abs(row[j]) == (j < 2 ? 1 : 0.25));
      CHECK(side->labels[static_cast<std::size_t>(i)] == (row[0] * row[1] > 0 ? 1 : 0));
      corners.emplace(row[0], row[1]);
    }
  }
  CHECK(corners.size() == 4);
}

TEST_CASE("every sign of the XOR cluster occurs half the time, and none tells another", "[data]") {
  constexpr Index features = 300, rows = 1000;
  const auto data =
      xor_cluster<double>({.features = features, .feature_scale = 1, .train_samples = rows, .seed = 1}).train;
  constexpr double five_deviations = 5 * 32;  // sqrt(1000) = 31.6
  for (Index j = 0; j < features; ++j) {
    double sum = 0, with_next = 0, with_label = 0;
    for (Index i = 0; i < rows; ++i) {
      sum += data.inputs(i, j);
      with_next += data.inputs(i, j) * data.inputs(i, (j + 1) % features);
      with_label += data.inputs(i, j) * (2 * data.labels[static_cast<std::size_t>(i)] - 1);
    }
    CAPTURE(j);
    CHECK_THAT(sum, WithinAbs(0, five_deviations));
    CHECK_THAT(with_next, WithinAbs(0, five_deviations));
    CHECK_THAT(with_label, WithinAbs(0, five_deviations));
  }
}

TEST_CASE("the XOR cluster depends on the seed alone, and fewer training rows leave the drawn rows as they are",
          "[data]") {
  const XorClusterOptions options{.features = 50, .train_samples = 20, .test_samples = 30, .seed = 1};
  const auto first = xor_cluster<double>(options), again = xor_cluster<double>(options);
  CHECK(first.train.inputs == again.train.inputs);
  CHECK(first.test.inputs == again.test.inputs);
  CHECK(first.test.labels == again.test.labels);
  XorClusterOptions other = options;
  other.seed = 2;
  CHECK_FALSE(first.train.inputs == xor_cluster<double>(other).train.inputs);
  other = options;
  other.train_samples = 10;
  const auto shifted = xor_cluster<double>(other);
  CHECK(shifted.train.inputs == Matrix<double>(first.train.inputs.view().row_block(0, 10)));
  CHECK(Matrix<double>(shifted.test.inputs.view().row_block(0, 10)) ==
        Matrix<double>(first.train.inputs.view().row_block(10, 10)));
  const auto single = xor_cluster<float>(options);
  for (std::size_t i = 0; i < first.train.inputs.span().size(); ++i)
    CHECK(single.train.inputs.span()[i] == static_cast<float>(first.train.inputs.span()[i]));
}

TEST_CASE("impossible XOR clusters are refused by the field", "[data]") {
  const std::pair<const char*, XorClusterOptions> rows[] = {
      {"features: found 1,", {.features = 1}},
      {"features: found -1,", {.features = -1}},
      {"features: found 1099511627776,", {.features = Index{1} << 40}},
      {"feature_scale: found -0.1,", {.feature_scale = -0.1}},
      {"feature_scale: found nan,", {.feature_scale = std::numeric_limits<double>::quiet_NaN()}},
      {"feature_scale: found inf,", {.feature_scale = infinity}},
      {"train_samples: found 0,", {.train_samples = 0}},
      {"train_samples: found 1099511627776,", {.train_samples = Index{1} << 40}},
      {"test_samples: found 0,", {.test_samples = 0}},
      {"test_samples: found -5,", {.test_samples = -5}},
  };
  for (const auto& [message, options] : rows) {
    CAPTURE(message);
    CHECK(message_of([&, wrong = options] { xor_cluster<float>(wrong); }).starts_with(message));
  }
}

}  // namespace normalign::tests

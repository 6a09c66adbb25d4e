#include "data/multi_index.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// What a point's label is, by the formula in the header.
std::int32_t label_of(const std::vector<double>& z, Index classes) {
  const double pi = std::acos(-1.0), radius = std::hypot(z[0], z[1]);
  double turns = std::atan2(z[1], z[0]) / (2 * pi) + (1 - std::exp(-radius * radius / 2)) / 4;
  for (std::size_t i = 2; i < z.size(); ++i) turns += (1 + std::erf(z[i] / std::sqrt(2.0))) / 4;
  return static_cast<std::int32_t>(std::fmod(turns + 1, 1.0) * static_cast<double>(classes));
}

std::vector<double> relevant_part(const MultiIndex<double>& task, Index i) {
  std::vector<double> z(static_cast<std::size_t>(task.directions.rows()));
  for (Index p = 0; p < task.directions.rows(); ++p)
    for (Index j = 0; j < task.directions.cols(); ++j)
      z[static_cast<std::size_t>(p)] += task.directions(p, j) * task.data.inputs(i, j);
  return z;
}

}  // namespace

TEST_CASE("a multi-index label depends on the relevant directions alone, by its formula", "[data]") {
  for (const auto& [relevant, classes] : {std::pair<Index, Index>{2, 2}, {2, 5}, {3, 3}, {6, 4}}) {
    CAPTURE(relevant, classes);
    const auto task =
        multi_index<double>({.samples = 3000, .dimension = 6, .relevant = relevant, .classes = classes, .seed = 4});
    CHECK(task.data.inputs.shape() == Shape{3000, 6});
    CHECK(task.directions.shape() == Shape{relevant, 6});
    CHECK(task.data.classes == classes);
    const Matrix<double> products = naive_product(task.directions, task.directions, {.b = true});
    for (Index i = 0; i < relevant; ++i)
      for (Index j = 0; j < relevant; ++j) CHECK_THAT(products(i, j), WithinAbs(i == j, 1e-14));
    std::vector<double> count(static_cast<std::size_t>(classes));
    for (Index i = 0; i < 3000; ++i) {
      const std::int32_t label = task.data.labels[static_cast<std::size_t>(i)];
      REQUIRE(label == label_of(relevant_part(task, i), classes));
      ++count[static_cast<std::size_t>(label)];
    }
    // Classes are equally likely; five standard deviations.
    const double share = 1 / static_cast<double>(classes);
    for (const double c : count) CHECK(std::abs(c - 3000 * share) < 5 * std::sqrt(3000 * share * (1 - share)));
  }
}

TEST_CASE("every relevant direction changes the label of a good part of all points", "[data]") {
  const auto task = multi_index<double>({.samples = 2000, .relevant = 4});
  for (std::size_t p = 0; p < 4; ++p) {
    int changed = 0;
    for (Index i = 0; i < 2000; ++i) {
      auto z = relevant_part(task, i);
      z[p] = -z[p];
      changed += label_of(z, 3) != task.data.labels[static_cast<std::size_t>(i)];
    }
    CAPTURE(p);
    CHECK(changed > 400);
  }
}

TEST_CASE("multi-index inputs are standard normals", "[data]") {
  const auto task = multi_index<double>({.samples = 4000, .dimension = 3, .relevant = 2});
  const Matrix<double> products = naive_product(task.data.inputs, task.data.inputs, {.a = true});
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 3; ++j) CHECK_THAT(products(i, j) / 4000, WithinAbs(i == j, 5 * std::sqrt(2.0 / 4000)));
}

TEST_CASE("label noise draws that share of the labels anew", "[data]") {
  const auto clean = multi_index<double>({.samples = 4000, .classes = 4}),
             noisy = multi_index<double>({.samples = 4000, .classes = 4, .label_noise = 0.2});
  CHECK(same_bits(clean.data.inputs, noisy.data.inputs));
  int changed = 0;
  for (std::size_t i = 0; i < 4000; ++i) changed += clean.data.labels[i] != noisy.data.labels[i];
  // Three in four draws change the label.
  CHECK(std::abs(changed - 600) < 5 * std::sqrt(600 * 0.85));
}

TEST_CASE("a multi-index task depends on its seed, not on how many rows there are or their type", "[data]") {
  const auto a = multi_index<double>({.samples = 50, .seed = 1}),
             longer = multi_index<double>({.samples = 70, .seed = 1}),
             other = multi_index<double>({.samples = 50, .seed = 2});
  CHECK(same_bits(a.data.inputs, Matrix<double>(longer.data.inputs.view().row_block(0, 50))));
  CHECK(std::ranges::equal(a.data.labels, std::span(longer.data.labels).first(50)));
  CHECK_FALSE(same_bits(a.data.inputs, other.data.inputs));
  CHECK_FALSE(same_bits(a.directions, other.directions));
  const auto single = multi_index<float>({.samples = 50, .seed = 1});
  CHECK(relative_error(single.data.inputs, a.data.inputs) < 1e-6);
  CHECK(relative_error(single.directions, a.directions) < 1e-6);
  CHECK(single.data.labels == a.data.labels);
}

TEST_CASE("a multi-index task of no size is refused", "[data]") {
  const auto message = [](const MultiIndexOptions& options) {
    return message_of([&] { multi_index<double>(options); });
  };
  CHECK(message({.samples = 0}) == "samples: found 0, expected a whole number from 1 to 2147483647");
  CHECK(message({.dimension = 1}) == "dimension: found 1, expected a whole number from 2 to 2147483647");
  CHECK(message({.dimension = 4, .relevant = 5}) == "relevant: found 5, expected a whole number from 2 to 4");
  CHECK(message({.relevant = 1}) == "relevant: found 1, expected a whole number from 2 to 10");
  CHECK(message({.classes = 1}) == "classes: found 1, expected a whole number from 2 to 2147483647");
  CHECK(message({.label_noise = 1.5}) == "label_noise: found 1.5, expected a number from 0 to 1");
  CHECK(message({.label_noise = std::nan("")}) == "label_noise: found nan, expected a number from 0 to 1");
}

}  // namespace normalign::tests

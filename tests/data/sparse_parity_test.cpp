#include "data/sparse_parity.hpp"

#include <limits>
#include <set>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using Row = std::vector<double>;

// The rows of one side as a set; equal to its row count in size when they are distinct.
std::set<Row> row_set(const Dataset<double>& data) {
  std::set<Row> rows;
  for (Index i = 0; i < data.inputs.rows(); ++i) rows.insert(Row(data.inputs.row(i).begin(), data.inputs.row(i).end()));
  return rows;
}

}  // namespace

TEST_CASE("sparse parity has the sizes of the paper by default", "[data]") {
  const auto split = sparse_parity<float>();
  CHECK(split.train.inputs.shape() == Shape{1000, 43});
  CHECK(split.test.inputs.shape() == Shape{1000, 43});
  CHECK(split.train.labels.size() == 1000);
  CHECK(split.test.labels.size() == 1000);
  CHECK(split.train.classes == 2);
  CHECK(split.test.classes == 2);
}

TEST_CASE("sparse parity labels count the relevant bits", "[data]") {
  for (const Index relevant : {1, 2, 3, 10}) {
    const auto split = sparse_parity<double>({.bits = 10, .relevant = relevant, .samples = 300, .seed = 4});
    for (const auto* side : {&split.train, &split.test}) {
      for (Index i = 0; i < side->inputs.rows(); ++i) {
        CAPTURE(relevant, i);
        int ones = 0;
        for (Index j = 0; j < relevant; ++j) ones += side->inputs(i, j) > 0.5;
        CHECK(side->labels[static_cast<std::size_t>(i)] == ones % 2);
      }
    }
  }
}

TEST_CASE("sparse parity rows are distinct bits, each one half the time", "[data]") {
  const auto split = sparse_parity<double>();
  auto rows = row_set(split.train);
  const auto test_rows = row_set(split.test);
  CHECK(rows.size() == 1000);
  CHECK(test_rows.size() == 1000);
  rows.insert(test_rows.begin(), test_rows.end());
  CHECK(rows.size() == 2000);
  for (std::size_t j = 0; j < 43; ++j) {
    double ones = 0;
    for (const auto& row : rows) {
      CHECK((row[j] == 0 || row[j] == 1));
      ones += row[j];
    }
    CAPTURE(j);
    CHECK_THAT(ones, WithinAbs(1000, 112));  // five standard deviations
  }
  int odd = 0;
  for (const auto label : split.train.labels) odd += label;
  CHECK_THAT(odd, WithinAbs(500, 80));
}

TEST_CASE("sparse parity can use up all inputs", "[data]") {
  for (const Index bits : {1, 4, 8}) {
    CAPTURE(bits);
    const Index count = Index{1} << bits;
    const auto split = sparse_parity<double>({.bits = bits, .relevant = 1, .samples = count});
    auto rows = row_set(split.train);
    rows.merge(row_set(split.test));
    CHECK(static_cast<Index>(rows.size()) == count);
  }
}

TEST_CASE("sparse parity takes more bits than one group of words", "[data]") {
  const auto split = sparse_parity<double>({.bits = 300, .samples = 400});
  for (Index j = 0; j < 300; ++j) {
    double ones = 0;
    for (Index i = 0; i < 200; ++i) ones += split.train.inputs(i, j);
    CAPTURE(j);
    CHECK_THAT(ones, WithinAbs(100, 38));
  }
}

TEST_CASE("sparse parity depends on the seed alone, and a longer set begins with the shorter", "[data]") {
  const auto first = sparse_parity<double>({.seed = 1});
  const auto again = sparse_parity<double>({.seed = 1});
  CHECK(first.train.inputs == again.train.inputs);
  CHECK(first.test.inputs == again.test.inputs);
  CHECK(first.test.labels == again.test.labels);
  CHECK_FALSE(first.train.inputs == sparse_parity<double>({.seed = 2}).train.inputs);
  const auto shorter = sparse_parity<double>({.samples = 1000, .train_fraction = 0.9, .seed = 1});
  CHECK(Matrix<double>(first.train.inputs.view().row_block(0, 900)) == shorter.train.inputs);
}

TEST_CASE("the fraction of training rows is rounded down", "[data]") {
  const auto split = sparse_parity<float>({.samples = 11, .train_fraction = 0.3});
  CHECK(split.train.inputs.rows() == 3);
  CHECK(split.test.inputs.rows() == 8);
}

TEST_CASE("impossible sparse parity tasks are refused", "[data]") {
  const SparseParityOptions impossible[] = {
      {.bits = 0, .relevant = 0},
      {.bits = -1},
      {.bits = Index{1} << 40},
      {.relevant = 0},
      {.relevant = 44},
      {.samples = 0},
      {.samples = 1},
      {.samples = Index{1} << 40},
      {.bits = 4, .samples = 17},
      {.train_fraction = 0},
      {.train_fraction = 1},
      {.train_fraction = -0.5},
      {.train_fraction = std::numeric_limits<double>::quiet_NaN()},
      {.samples = 10, .train_fraction = 0.05},
  };
  for (const auto& options : impossible) {
    CAPTURE(options.bits, options.relevant, options.samples, options.train_fraction);
    CHECK_THROWS_AS(sparse_parity<float>(options), InputError);
  }
}

TEST_CASE("rows are taken in the order asked for", "[data]") {
  const Dataset<float> data{{{1, 2}, {3, 4}, {5, 6}}, {7, 8, 9}, 10};
  const std::vector<Index> wanted{2, 0, 2};
  const auto taken = rows_at(data, std::span<const Index>(wanted));
  CHECK(taken.inputs == Matrix<float>{{5, 6}, {1, 2}, {5, 6}});
  CHECK(taken.labels == std::vector<std::int32_t>{9, 7, 9});
  CHECK(taken.classes == 10);
  for (const Index absent : {-1, 3}) {
    const std::vector<Index> rows{absent};
    CHECK_THROWS_AS(rows_at(data, std::span<const Index>(rows)), InputError);
  }
}

}  // namespace normalign::tests

#include "data/folds.hpp"

#include <algorithm>
#include <cmath>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

// A class of one row, one of two, an empty one and three larger ones, mixed.
std::vector<std::int32_t> mixed_labels() {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 97; ++i)
    labels.push_back(i == 50 ? 0 : i == 3 || i == 90 ? 1 : i % 7 < 4 ? 3 : i % 7 < 6 ? 4 : 5);
  return labels;
}

Index count_of(const std::vector<Index>& rows, const std::vector<std::int32_t>& labels, std::int32_t c) {
  return std::ranges::count_if(rows, [&](Index row) { return labels[static_cast<std::size_t>(row)] == c; });
}

// Training and test rows are ascending, and together 0, ..., rows - 1.
void check_division(const Fold& fold, std::size_t rows) {
  CHECK(std::ranges::is_sorted(fold.train));
  CHECK(std::ranges::is_sorted(fold.test));
  std::vector<Index> all = fold.train;
  all.insert(all.end(), fold.test.begin(), fold.test.end());
  std::ranges::sort(all);
  REQUIRE(all.size() == rows);
  for (std::size_t i = 0; i < rows; ++i) CHECK(all[i] == static_cast<Index>(i));
}

}  // namespace

TEST_CASE("stratified folds hold each row in one test set, and each class as evenly as can be", "[data]") {
  const auto labels = mixed_labels();
  for (const Index count : {2, 3, 4, 10, 97}) {
    CAPTURE(count);
    const auto folds = stratified_folds(labels, 6, count, 5);
    REQUIRE(static_cast<Index>(folds.size()) == count);
    std::vector<Index> tested;
    for (const Fold& fold : folds) {
      check_division(fold, labels.size());
      tested.insert(tested.end(), fold.test.begin(), fold.test.end());
      const auto size = static_cast<Index>(fold.test.size());
      CHECK((size == 97 / count || size == (97 + count - 1) / count));
      for (std::int32_t c = 0; c < 6; ++c) {
        const Index all = std::ranges::count(labels, c), here = count_of(fold.test, labels, c);
        CHECK(here >= all / count);
        CHECK(here <= (all + count - 1) / count);
      }
    }
    std::ranges::sort(tested);
    REQUIRE(tested.size() == labels.size());
    CHECK(std::ranges::adjacent_find(tested) == tested.end());
  }
}

TEST_CASE("stratified halves give training the odd row", "[data]") {
  const auto labels = mixed_labels();
  const Fold halves = stratified_halves(labels, 6, 5);
  check_division(halves, labels.size());
  CHECK(halves.train.size() == 49);
  CHECK(count_of(halves.train, labels, 0) == 1);
  for (std::int32_t c = 0; c < 6; ++c)
    CHECK(std::abs(count_of(halves.train, labels, c) - count_of(halves.test, labels, c)) <= 1);
  CHECK(stratified_halves(std::vector<std::int32_t>{0, 0}, 1, 0).train.size() == 1);
}

TEST_CASE("a stratified share has its share of every class, whatever it is", "[data]") {
  const auto labels = mixed_labels();
  for (const double share : {1e-9, 0.01, 0.2, 1.0 / 3, 0.5, 0.77, 0.999999}) {
    CAPTURE(share);
    const Fold found = stratified_share(labels, 6, share, 5);
    check_division(found, labels.size());
    const auto size = static_cast<Index>(found.test.size());
    CHECK(size == std::clamp<Index>(std::lround(share * 97), 1, 96));
    for (std::int32_t c = 0; c < 6; ++c) {
      const double expected =
          static_cast<double>(std::ranges::count(labels, c)) * static_cast<double>(size) / static_cast<double>(97);
      CHECK(std::abs(static_cast<double>(count_of(found.test, labels, c)) - expected) < 1);
    }
  }
  CHECK(stratified_share(labels, 6, 0.3, 5).test == stratified_share(labels, 6, 0.3, 5).test);
  CHECK(stratified_share(labels, 6, 0.3, 5).test != stratified_share(labels, 6, 0.3, 6).test);
  CHECK(stratified_share(std::vector<std::int32_t>{0, 0}, 1, 0.9, 0).test.size() == 1);
  for (const double share : {0.0, 1.0, -0.5, std::nan("")})
    CHECK(contains(message_of([&] { stratified_share(labels, 6, share, 0); }), "expected a number between 0 and 1"));
  CHECK(contains(message_of([] { stratified_share(std::vector<std::int32_t>{0}, 1, 0.5, 0); }), "found 1 rows"));
}

TEST_CASE("folds depend on the seed alone, and rows change sides with it", "[data]") {
  const auto labels = mixed_labels();
  const auto tests = [&](std::uint64_t seed) { return stratified_folds(labels, 6, 2, seed).back().test; };
  const auto halves = [&](std::uint64_t seed) { return stratified_halves(labels, 6, seed).test; };
  CHECK(tests(1) == tests(1));
  CHECK(halves(1) == halves(1));
  CHECK(tests(1) != halves(1));
  // Each row of the large classes is in either half about as often; five standard deviations.
  std::vector<int> times(labels.size());
  for (std::uint64_t seed = 0; seed < 400; ++seed)
    for (const Index row : halves(seed)) ++times[static_cast<std::size_t>(row)];
  for (std::size_t row = 0; row < labels.size(); ++row)
    if (labels[row] >= 3) CHECK(std::abs(times[row] - 200) <= 50);
}

TEST_CASE("folds of too few rows or of labels out of range are refused", "[data]") {
  const std::vector<std::int32_t> labels{0, 1, 2};
  CHECK(message_of([&] { stratified_folds(labels, 3, 1, 0); }) == "folds: found 1 folds of 3 rows, expected 2 to 3");
  CHECK(message_of([&] { stratified_folds(labels, 3, 4, 0); }) == "folds: found 4 folds of 3 rows, expected 2 to 3");
  CHECK(message_of([&] { stratified_folds(labels, 2, 2, 0); }) == "folds: found label 2 of row 2, expected 0 to 1");
  CHECK(message_of([&] { stratified_halves(labels, 0, 0); }) == "folds: found label 0 of row 0, expected 0 to -1");
  CHECK(message_of([&] { stratified_halves(std::vector<std::int32_t>{0}, 1, 0); }) ==
        "folds: found 1 rows, expected at least 2 to halve");
  CHECK(message_of([&] {
          stratified_halves(std::vector<std::int32_t>{-1, 0}, 1, 0);
        }) == "folds: found label -1 of row 0, expected 0 to 0");
}

}  // namespace normalign::tests

#include "nn/sample_share.hpp"

#include <cmath>
#include <set>

#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

std::vector<Index> rows_of(const SampleShare& drawn) { return {drawn.rows.begin(), drawn.rows.begin() + drawn.count}; }

TEST_CASE("a share of one draws every row, of weight one") {
  SampleShare drawn{.weight = 3, .is_whole = false};
  draw_share(1, 5, 0, 0, drawn);
  CHECK(drawn.is_whole);
  CHECK(drawn.weight == 1);
  CHECK(drawn.count == 5);
}

TEST_CASE("rows are drawn without replacement, in rising order, each row and each pair equally often") {
  constexpr Index n = 41, count = 16;  // of 16.4
  constexpr int draws = 4000;
  std::vector<int> single(n), pairs(n * n);
  SampleShare drawn;
  for (std::uint32_t step = 0; step < draws; ++step) {
    draw_share(0.4, n, 7, step, drawn);
    REQUIRE_FALSE(drawn.is_whole);
    REQUIRE(drawn.weight == 1);
    REQUIRE(drawn.count == count);
    const std::vector<Index> rows = rows_of(drawn);
    REQUIRE(std::ranges::is_sorted(rows));
    REQUIRE(std::set(rows.begin(), rows.end()).size() == count);
    REQUIRE(rows.front() >= 0);
    REQUIRE(rows.back() < n);
    for (const Index i : rows) {
      ++single[static_cast<std::size_t>(i)];
      for (const Index j : rows) ++pairs[static_cast<std::size_t>(i * n + j)];
    }
  }
  const auto is_close = [](int found, double p) {
    return std::abs(found - draws * p) < 5 * std::sqrt(draws * p * (1 - p));
  };
  const double one = static_cast<double>(count) / n, two = one * (count - 1) / (n - 1);
  for (std::size_t i = 0; i < n; ++i) {
    CHECK(is_close(single[i], one));
    for (std::size_t j = 0; j < i; ++j) CHECK(is_close(pairs[i * n + j], two));
  }
}

TEST_CASE("of a share of few rows the whole batch is drawn in that share of the steps, with its inverse as weight") {
  SampleShare drawn;
  for (const double share : {0.1, 0.25, 0.47}) {
    CAPTURE(share);
    constexpr int draws = 4000;
    int whole = 0;
    for (std::uint32_t step = 0; step < draws; ++step) {
      draw_share(share, 32, 7, step, drawn);
      REQUIRE(drawn.is_whole);
      REQUIRE(drawn.count == (drawn.weight == 0 ? 0 : 32));
      if (drawn.weight != 0) REQUIRE(drawn.weight == 1 / share);
      whole += drawn.weight != 0;
    }
    CHECK(std::abs(whole - draws * share) < 5 * std::sqrt(draws * share * (1 - share)));
  }
  // From sixteen rows on they are drawn.
  draw_share(0.5, 32, 7, 0, drawn);
  CHECK_FALSE(drawn.is_whole);
  CHECK(drawn.count == 16);
}

TEST_CASE("a draw depends on seed, step, rows and share, not on what was drawn before") {
  SampleShare fresh, used;
  draw_share(0.2, 100, 7, 5, fresh);
  draw_share(0.9, 500, 1, 2, used);
  draw_share(0.2, 100, 7, 5, used);
  CHECK(rows_of(used) == rows_of(fresh));
  draw_share(0.2, 100, 7, 6, used);
  CHECK(rows_of(used) != rows_of(fresh));
  draw_share(0.2, 100, 8, 5, used);
  CHECK(rows_of(used) != rows_of(fresh));
}

TEST_CASE("a share must be above 0 and at most 1") {
  const auto refusal = [](double share) { return message_of([&] { check_share("here", share); }); };
  CHECK(refusal(0) == "here: share is 0; it must be above 0 and at most 1");
  for (const double share : {-0.1, 1.5, static_cast<double>(NAN), static_cast<double>(INFINITY)})
    CHECK(contains(refusal(share), "it must be above 0 and at most 1"));
  CHECK(refusal(1) == "nothing was thrown");
  CHECK(refusal(1e-9) == "nothing was thrown");
}

}  // namespace
}  // namespace normalign::tests

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

TEST_CASE("of a share of few rows whole batches are drawn, one in each window of steps, in the mean each as often") {
  constexpr Index n = 15;
  SampleShare drawn;
  // How often each of the first steps is drawn.
  const auto times_of = [&](double share, std::uint64_t seed, int steps) {
    std::vector<int> times;
    for (std::uint32_t step = 0; step < static_cast<std::uint32_t>(steps); ++step) {
      draw_share(share, n, seed, step, drawn);
      REQUIRE(drawn.is_whole);
      REQUIRE(drawn.count == (drawn.weight == 0 ? 0 : n));
      times.push_back(static_cast<int>(std::lround(drawn.weight * share)));
      REQUIRE(drawn.weight == times.back() / share);
    }
    return times;
  };
  for (const double share : {0.1, 0.25, 0.47, 0.9}) {
    CAPTURE(share);
    // The windows before any step have been drawn from, up to the one that the step is in.
    const std::vector<int> of_run = times_of(share, 7, 1000);
    int sum = 0;
    for (std::size_t step = 0; step < of_run.size(); ++step) {
      sum += of_run[step];
      REQUIRE(sum >= std::floor(share * static_cast<double>(step + 1)) - 1e-9);
      REQUIRE(sum <= std::ceil(share * static_cast<double>(step + 1)) + 1e-9);
    }
    // Over seeds each step is drawn `share` times in the mean, wherever it lies in its window.
    constexpr int seeds = 2000, steps = 12;
    std::vector<double> means(steps);
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const std::vector<int> times = times_of(share, seed, steps);
      for (std::size_t step = 0; step < steps; ++step) means[step] += times[step] / static_cast<double>(seeds);
    }
    for (const double mean : means) CHECK(std::abs(mean - share) < 5 * std::sqrt(share / seeds));
  }
  // A window of a million steps has one draw, and far from the start too.
  int far = 0;
  for (std::uint32_t step = 3'000'000; step < 4'000'000; ++step) {
    draw_share(1e-6, n, 3, step, drawn);
    far += drawn.count > 0;
  }
  CHECK(far == 1);
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

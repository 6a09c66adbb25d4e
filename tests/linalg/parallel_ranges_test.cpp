#include "linalg/parallel_ranges.hpp"

#include <atomic>
#include <vector>

#include "linalg/row_blocks.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

struct Range {
  Index first, count;
};

// The ranges that a loop is cut into, each in the place of the thread that ran it.
std::vector<Range> ranges(int threads, Index size, Index most) {
  const ThreadLimit limit(threads);
  std::vector<Range> found(static_cast<std::size_t>(threads), Range{-1, 0});
  parallel_ranges(size, most, [&](Index first, Index count) {
    found[static_cast<std::size_t>(omp_get_thread_num())] = {first, count};
  });
  return found;
}

TEST_CASE("ranges cover every index once, in the order of the threads, and begin at multiples of 48") {
  for (int threads : {1, 2, 3, 8})
    for (Index size : {0, 1, 47, 95, 96, 97, 196, 1000, 5000})
      for (Index most : {0, 1, 2, 5, 100}) {
        CAPTURE(threads, size, most);
        Index next = 0, used = 0;
        for (const Range& range : ranges(threads, size, most)) {
          if (range.first < 0) continue;
          ++used;
          REQUIRE(range.first == next);
          REQUIRE(range.first % 48 == 0);
          REQUIRE((range.count > 0 || size == 0));
          next += range.count;
        }
        CHECK(next == size);
        CHECK(used == std::max<Index>(1, std::min({Index{threads}, most, size / 48})));
      }
}

TEST_CASE("ranges are of about equal size") {
  for (Index size : {96, 196, 200, 784, 10000})
    for (const Range& range : ranges(2, size, 2)) CHECK(std::abs(range.count - size / 2) <= 24);
}

TEST_CASE("inside a parallel region, and for few values, a loop is one range on its own thread") {
  std::atomic<int> bodies = 0, whole = 0;
  const auto body = [&](Index, Index count) {
    ++bodies;
    whole += count == 1000;
  };
#pragma omp parallel num_threads(2)
  parallel_ranges(1000, 100, body);
  CHECK(bodies == 2);
  CHECK(whole == 2);
  const ThreadLimit limit(2);
  bodies = 0;
  parallel_pass(1000, 1000, body);
  CHECK(bodies == 1);
  parallel_pass(1000, 1'000'000, body);
  CHECK(bodies == 3);
}

}  // namespace
}  // namespace normalign::tests

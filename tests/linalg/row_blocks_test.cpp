#include "linalg/row_blocks.hpp"

#include <atomic>
#include <stdexcept>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

std::vector<Index> sizes(Index rows) {
  std::vector<Index> result;
  for (Index i = 0; i < block_count(rows); ++i) result.push_back(row_block(rows, block_count(rows), i).count);
  return result;
}

TEST_CASE("the number of blocks is max(2, ceil(rows / 250)), and the protocols' batches split evenly") {
  CHECK(sizes(1000) == std::vector<Index>{250, 250, 250, 250});
  CHECK(sizes(196) == std::vector<Index>{98, 98});
  CHECK(sizes(32) == std::vector<Index>{16, 16});
  CHECK(sizes(28) == std::vector<Index>{14, 14});
  CHECK(sizes(44) == std::vector<Index>{22, 22});
  CHECK(block_count(500) == 2);
  CHECK(block_count(501) == 3);
  CHECK(block_count(1001) == 5);
  CHECK(sizes(1) == std::vector<Index>{1});
  CHECK(sizes(2) == std::vector<Index>{1, 1});
  CHECK(sizes(0).empty());
}

TEST_CASE("blocks follow each other, cover every row once and differ by one row at most") {
  for (Index rows = 1; rows <= 2100; rows += rows < 40 ? 1 : 37) {
    const Index blocks = block_count(rows);
    Index next = 0, least = rows, most = 0;
    for (Index i = 0; i < blocks; ++i) {
      const RowBlock block = row_block(rows, blocks, i);
      REQUIRE(block.first == next);
      next += block.count;
      least = std::min(least, block.count);
      most = std::max(most, block.count);
    }
    CAPTURE(rows);
    CHECK(next == rows);
    CHECK(least >= 1);
    CHECK(most <= 250);
    CHECK(most - least <= 1);
  }
}

TEST_CASE("every index runs exactly once, on any number of threads") {
  for (int threads : {1, 2, 3, 8})
    for (Index count : {0, 1, 2, 7, 100}) {
      CAPTURE(threads, count);
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      std::vector<std::exception_ptr> failures;
      parallel_for(threads, count, failures, [&](Index i) { ++runs[static_cast<std::size_t>(i)]; });
      for (const auto& times : runs) REQUIRE(times == 1);
    }
}

TEST_CASE("the exception of the lowest index that threw comes out, after the others have ended") {
  for (int threads : {1, 2, 3, 8}) {
    CAPTURE(threads);
    std::vector<std::exception_ptr> failures;
    std::atomic<int> ended = 0;
    std::string found = "nothing";
    try {
      parallel_for(threads, 10, failures, [&](Index i) {
        if (i == 3 || i == 4 || i == 9) throw std::runtime_error(std::to_string(i));
        ++ended;
      });
    } catch (const std::runtime_error& error) {
      found = error.what();
    }
    CHECK(found == "3");
    if (threads > 1) CHECK(ended == 7);
    // The next loop knows nothing of it.
    parallel_for(threads, 2, failures, [](Index) {});
  }
}

}  // namespace
}  // namespace normalign::tests

#include "linalg/buffer_pool.hpp"

#include <cstring>
#include <limits>
#include <new>
#include <vector>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("a block is aligned to 64 bytes and never too small") {
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = 0; bytes <= 300; ++bytes) sizes.push_back(bytes);
  for (std::size_t power = 256; power <= 1'000'000; power *= 2)
    for (std::size_t quarter = 4; quarter < 8; ++quarter)
      for (std::size_t off : {0u, 1u, 2u})  // one below, at and one above each class
        sizes.push_back(power * quarter / 4 + off - 1);
  sizes.push_back(1'000'000);
  BufferPool pool;
  std::vector<void*> blocks;
  std::size_t asked = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    void* block = pool.acquire(sizes[i]);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % 64 == 0);
    std::memset(block, static_cast<int>(i % 251), sizes[i]);
    blocks.push_back(block);
    asked += sizes[i];
  }
  CHECK(pool.blocks_in_use() == sizes.size());
  CHECK(pool.bytes_in_use() >= asked);
  bool intact = true;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    for (std::size_t k = 0; k < sizes[i]; ++k) intact &= static_cast<unsigned char*>(blocks[i])[k] == i % 251;
  CHECK(intact);
  for (void* block : blocks) pool.release(block);
  CHECK(pool.blocks_in_use() == 0);
  CHECK(pool.bytes_in_use() == 0);
}

TEST_CASE("at most a fifth of a block is unused") {
  for (std::size_t bytes = 64; bytes < 100'000; bytes += 37) {
    BufferPool pool;
    void* block = pool.acquire(bytes);
    CAPTURE(bytes, pool.bytes_in_use());
    CHECK(pool.bytes_in_use() >= bytes);
    CHECK(static_cast<double>(pool.bytes_in_use() - bytes) <= 0.2 * static_cast<double>(pool.bytes_in_use()) + 16);
    pool.release(block);
  }
}

TEST_CASE("a released block is handed out again, for its own size only") {
  BufferPool pool;
  void* first = pool.acquire(1000);
  void* second = pool.acquire(1000);
  CHECK(first != second);
  const std::size_t held = pool.bytes_held();
  pool.release(first);
  CHECK(pool.blocks_in_use() == 1);
  CHECK(pool.bytes_held() == held);
  void* other = pool.acquire(100'000);
  CHECK(other != first);
  CHECK(pool.bytes_held() > held);
  CHECK(pool.acquire(1000) == first);
  pool.release(first);
  pool.release(second);
  pool.release(other);
}

TEST_CASE("a steady round of blocks takes no new memory") {
  BufferPool pool;
  std::size_t held = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<void*> blocks;
    for (std::size_t bytes = 1; bytes < 50'000; bytes = 2 * bytes + 5) blocks.push_back(pool.acquire(bytes));
    for (void* block : blocks) pool.release(block);
    if (round == 0) held = pool.bytes_held();
    CHECK(pool.bytes_held() == held);
  }
}

TEST_CASE("a block returns with its last reference") {
  BufferPool pool;
  void* block = pool.acquire(64);
  CHECK(BufferPool::references(block) == 1);
  BufferPool::retain(block);
  BufferPool::retain(block);
  CHECK(BufferPool::references(block) == 3);
  pool.release(block);
  pool.release(block);
  CHECK(BufferPool::references(block) == 1);
  CHECK(pool.blocks_in_use() == 1);
  pool.release(block);
  CHECK(pool.blocks_in_use() == 0);
  CHECK(pool.acquire(64) == block);
  CHECK(BufferPool::references(block) == 1);
  pool.release(block);
}

TEST_CASE("the peak is the most in use at one time") {
  BufferPool pool;
  void* a = pool.acquire(128);
  void* b = pool.acquire(256);
  CHECK(pool.peak_bytes() == 384);
  pool.release(b);
  CHECK(pool.peak_bytes() == 384);
  pool.reset_peak();
  CHECK(pool.peak_bytes() == 128);
  b = pool.acquire(64);
  CHECK(pool.peak_bytes() == 192);
  pool.release(a);
  pool.release(b);
  CHECK(pool.bytes_held() == 448);
}

TEST_CASE("more memory than there can be is refused") {
  BufferPool pool;
  for (std::size_t bytes : {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() - 15,
                            std::numeric_limits<std::size_t>::max() / 4})
    CHECK_THROWS_AS(pool.acquire(bytes), std::bad_alloc);
  CHECK(pool.blocks_in_use() == 0);
  CHECK(pool.bytes_held() == 0);
}

}  // namespace
}  // namespace normalign::tests

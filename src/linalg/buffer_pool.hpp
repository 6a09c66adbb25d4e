// Blocks of memory that are handed out again and again, so that a steady loop never calls malloc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace normalign {

/// Counted blocks of 64-byte aligned memory, kept in free lists by size.
///
/// A block starts with one reference; `retain` adds one, `release` takes one away, and the block whose last
/// reference goes returns to its pool. Sizes are rounded up to one of four steps per power of two, so at most
/// a fifth of a block is unused. Blocks stay with the pool until it is destroyed; from 4 MiB on they are asked for in
/// huge pages, without which a product of gradients of 328 MB took 1.4 times as long. One pool, its blocks included,
/// belongs to one thread at a time.
class BufferPool {
 public:
  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  /// A block of at least `bytes` bytes, contents undefined, one reference. Throws std::bad_alloc.
  void* acquire(std::size_t bytes);
  /// One more reference to `block`, which any pool handed out.
  static void retain(void* block) { ++header(block).references; }
  /// One reference less.
  void release(void* block);
  /// How many references `block` has.
  static std::int32_t references(const void* block) { return header(const_cast<void*>(block)).references; }

  /// Blocks in use now.
  std::size_t blocks_in_use() const { return in_use_; }
  /// Bytes in use now, as rounded.
  std::size_t bytes_in_use() const { return bytes_in_use_; }
  /// The most bytes that were in use at one time since construction or `reset_peak`.
  std::size_t peak_bytes() const { return peak_bytes_; }
  /// Bytes that the pool holds, in use or free.
  std::size_t bytes_held() const { return bytes_held_; }
  void reset_peak() { peak_bytes_ = bytes_in_use_; }

 private:
  static constexpr std::size_t alignment = 64;
  static constexpr int size_classes = 4 * 48;
  struct Header {
    Header* next_free;
    std::int32_t references;
    std::int32_t size_class;
  };
  static_assert(sizeof(Header) <= alignment);
  static Header& header(void* block) { return *reinterpret_cast<Header*>(static_cast<std::byte*>(block) - alignment); }

  std::array<Header*, size_classes> free_{};
  std::size_t in_use_ = 0;
  std::size_t bytes_in_use_ = 0;
  std::size_t peak_bytes_ = 0;
  std::size_t bytes_held_ = 0;
};

}  // namespace normalign

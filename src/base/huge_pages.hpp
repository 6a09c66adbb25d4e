// Memory for large arrays in pages of 2 MiB.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace normalign {

/// An allocator that asks the system for huge pages where an array takes at least 4 MiB, and leaves numbers that are
/// given no value as the memory was: a container's resize(n) does not write to the memory that it adds. The first touch
/// of a page of 4 KiB costs 0.1 to 17 microseconds, the latter on virtual machines: as much as 40 000 flops. Asking is
/// all that it does: where the system has none to give, the pages are the usual ones.
template <class T>
struct HugePageAllocator {
  using value_type = T;
  HugePageAllocator() = default;
  template <class U>
  HugePageAllocator(const HugePageAllocator<U>&) {}  // implicit, as containers convert allocators

  /// Memory for `count` values, in huge pages from 4 MiB on. Throws std::bad_alloc where there is none.
  T* allocate(std::size_t count) {
    const std::size_t bytes = count * sizeof(T);
    if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_array_new_length();
    if (bytes < least_bytes) return static_cast<T*>(::operator new(bytes, small_alignment));
    void* const block = ::operator new(bytes, large_alignment);
#ifdef MADV_HUGEPAGE
    ::madvise(block, bytes & ~(page_bytes - 1), MADV_HUGEPAGE);
#endif
    return static_cast<T*>(block);
  }
  /// Gives back what `allocate(count)` gave.
  void deallocate(T* block, std::size_t count) noexcept {
    ::operator delete(block, count * sizeof(T) < least_bytes ? small_alignment : large_alignment);
  }

  /// Constructs a value: without arguments a number stays what the memory holds.
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    if constexpr (sizeof...(Args) == 0 && std::is_arithmetic_v<U>)
      ::new (static_cast<void*>(at)) U;
    else
      ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }

  bool operator==(const HugePageAllocator&) const = default;

 private:
  static constexpr std::size_t page_bytes = std::size_t{1} << 21, least_bytes = 2 * page_bytes;
  static constexpr std::align_val_t small_alignment{64}, large_alignment{page_bytes};
};

/// A vector in such memory, whose first value lies at a multiple of 64 bytes; numbers that `resize(n)` adds, or that
/// LargeVector<T>(n) starts with, are unspecified, those of `assign(n, 0)` and `resize(n, 0)` are not.
template <class T>
using LargeVector = std::vector<T, HugePageAllocator<T>>;

}  // namespace normalign

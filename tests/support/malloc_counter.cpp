#include "support/malloc_counter.hpp"

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NORMALIGN_COUNTS_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define NORMALIGN_COUNTS_MALLOC 0
#endif
#endif
#ifndef NORMALIGN_COUNTS_MALLOC
#ifdef __GLIBC__
#define NORMALIGN_COUNTS_MALLOC 1
#else
#define NORMALIGN_COUNTS_MALLOC 0
#endif
#endif

namespace normalign::tests {
namespace {
std::atomic<long long> calls = 0;
}

bool can_count_mallocs() { return NORMALIGN_COUNTS_MALLOC; }

long long malloc_calls() { return calls.load(); }

#if NORMALIGN_COUNTS_MALLOC
namespace {
void count() { calls.fetch_add(1, std::memory_order_relaxed); }
}  // namespace
#endif

}  // namespace normalign::tests

#if NORMALIGN_COUNTS_MALLOC
extern "C" {
// glibc's own, under the names it keeps for this purpose; its `free` takes back what they hand out.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) noexcept {
  normalign::tests::count();
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  normalign::tests::count();
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) noexcept {
  normalign::tests::count();
  return __libc_realloc(block, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  normalign::tests::count();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  void* const found = memalign(alignment, size);
  if (!found) return ENOMEM;
  *block = found;
  return 0;
}
}
#endif

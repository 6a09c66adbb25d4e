#include "support/malloc_counter.hpp"

#include <cblas.h>
#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
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
// The addresses of the BLAS library's code: some of its kernels (0.3.21 on CPUs with AVX-512, small products) call
// malloc for every product.
struct Range {
  std::uintptr_t first = 0, last = 0;
};
Range blas_code() {
  Range range;
  dl_iterate_phdr(
      [](dl_phdr_info* library, std::size_t, void* result) {
        const auto gemm = reinterpret_cast<std::uintptr_t>(&cblas_dgemm);
        for (int i = 0; i < library->dlpi_phnum; ++i) {
          const auto& part = library->dlpi_phdr[i];
          const std::uintptr_t first = library->dlpi_addr + part.p_vaddr, last = first + part.p_memsz;
          if (part.p_type == PT_LOAD && first <= gemm && gemm < last) *static_cast<Range*>(result) = {first, last};
        }
        return 0;
      },
      &range);
  return range;
}

void count(const void* caller) {
  static const Range blas = blas_code();
  const auto address = reinterpret_cast<std::uintptr_t>(caller);
  if (address < blas.first || address >= blas.last) calls.fetch_add(1, std::memory_order_relaxed);
}
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
  normalign::tests::count(__builtin_return_address(0));
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) noexcept {
  normalign::tests::count(__builtin_return_address(0));
  return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size) noexcept {
  normalign::tests::count(__builtin_return_address(0));
  return __libc_realloc(block, size);
}

void* memalign(std::size_t alignment, std::size_t size) noexcept {
  normalign::tests::count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  normalign::tests::count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t size) noexcept {
  if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0) return EINVAL;
  normalign::tests::count(__builtin_return_address(0));
  void* const found = __libc_memalign(alignment, size);
  if (!found) return ENOMEM;
  *block = found;
  return 0;
}
}
#endif

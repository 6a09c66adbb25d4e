#include "linalg/compute_rate.hpp"

#include <time.h>

#include <algorithm>

#include "linalg/blas.hpp"

namespace normalign {
namespace {

double processor_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The best rate of calls that do so many operations each.
template <class Body>
double best_rate(double operations, const Body& body) {
  double best = 0;
  const double start = processor_seconds();
  do {
    const double before = processor_seconds();
    body();
    best = std::max(best, operations / std::max(1e-9, processor_seconds() - before));
  } while (processor_seconds() - start < 0.2);
  return best;
}

#if defined(__x86_64__)
// So many sums that do not wait for each other: a core works on ten at a time at most.
constexpr std::size_t sums_at_a_time = 12;

template <class T, std::size_t bytes>
[[gnu::always_inline]] inline void multiply_and_add(long times) {
  typedef T Vector __attribute__((vector_size(bytes)));
  Vector factor = {}, sums[sums_at_a_time] = {};
  // As if changed by something unknown, for the compiler to neither fold nor merge the sums.
  asm volatile("" : "+v"(factor));
  for (Vector& sum : sums) asm volatile("" : "+v"(sum));
  for (long i = 0; i < times; ++i)
    for (Vector& sum : sums) sum = sum * factor + factor;
  for (Vector& sum : sums) asm volatile("" : "+v"(sum));
}

template <class T>
__attribute__((target("avx512f"))) void multiply_and_add_64_bytes(long times) {
  multiply_and_add<T, 64>(times);
}
#endif

}  // namespace

template <class T>
double product_rate() {
  constexpr Index n = 512;
  Matrix<T> a(n, n), b(n, n), c(n, n);
  std::fill_n(a.data(), a.size(), T{1.5});
  std::fill_n(b.data(), b.size(), T{0.5});
  const detail::SingleThreadedBlas one_thread;
  return best_rate(2.0 * n * n * n, [&] { gemm<T>(a, b, c); });
}

template <class T>
double peak_rate([[maybe_unused]] KernelClass kernels) {
#if defined(__x86_64__)
  constexpr long times = 200'000;
  const std::size_t bytes = kernels == KernelClass::avx512 ? 64 : kernels == KernelClass::sse ? 16 : 32;
  const std::size_t lanes = bytes / sizeof(T);
  const double operations = 2.0 * times * sums_at_a_time * static_cast<double>(lanes);
  return best_rate(operations, [&] {
    if (bytes == 64)
      multiply_and_add_64_bytes<T>(times);
    else if (bytes == 32)
      multiply_and_add<T, 32>(times);
    else
      multiply_and_add<T, 16>(times);
  });
#else
  return 0;
#endif
}

template double product_rate<float>();
template double product_rate<double>();
template double peak_rate<float>(KernelClass);
template double peak_rate<double>(KernelClass);

}  // namespace normalign

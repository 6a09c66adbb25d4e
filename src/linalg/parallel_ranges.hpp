// Loops on the threads that are free here, with results that do not depend on how many there are.
#pragma once

#include <omp.h>

#include <algorithm>

#include "linalg/matrix.hpp"

namespace normalign {

/// Runs body(first, count) on ranges that together are 0 ... size - 1: at most `most` of them, one for each thread that
/// OpenMP gives here, and a single one inside a parallel region. Range i stays with thread i, which finds in its cache
/// what it wrote in the loop before. The body must not throw.
///
/// A body that treats every index by itself leaves the same bits at any number of threads. Ranges begin at multiples of
/// 48, which is a multiple of the vectors' lengths and of the rows that a kernel of BLAS computes at once: so each
/// index is computed by the same instructions, wherever the ranges begin.
template <class Body>
void parallel_ranges(Index size, Index most, const Body& body) {
  constexpr Index grain = 48;
  most = std::min(most, size / grain);
  if (most < 2 || omp_in_parallel() || omp_get_max_threads() == 1) return body(Index{0}, size);
  const Index ranges = std::min<Index>(most, omp_get_max_threads());
  const auto start_of = [=](Index i) { return i == ranges ? size : (size * i / ranges + grain / 2) / grain * grain; };
  const auto threads = static_cast<int>(ranges);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (Index i = 0; i < ranges; ++i) body(start_of(i), start_of(i + 1) - start_of(i));
}

/// The same for a loop that looks at `values` numbers once: in ranges only where there are enough for a second thread
/// to pay.
template <class Body>
void parallel_pass(Index size, Index values, const Body& body) {
  constexpr Index values_per_range = 16384;
  if (values < 2 * values_per_range) return body(Index{0}, size);  // first, for the many passes over single numbers
  parallel_ranges(size, values / values_per_range, body);
}

}  // namespace normalign

// Counts the calls of malloc and its kin, from any thread and any library but BLAS, by standing in for them.
#pragma once

namespace normalign::tests {

/// Whether calls can be counted in this build: with glibc, and not under the sanitizers, which stand in for
/// malloc themselves.
bool can_count_mallocs();

/// Calls of malloc, calloc, realloc, posix_memalign, aligned_alloc and memalign since the program began.
long long malloc_calls();

}  // namespace normalign::tests

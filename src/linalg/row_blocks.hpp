// How a batch is cut into row blocks, and how they run: the reason that a result has the same bits at any number of
// threads.
#pragma once

#include <algorithm>
#include <exception>
#include <vector>

#include "linalg/matrix.hpp"
#include "linalg/thread_limit.hpp"

namespace normalign {

/// Some consecutive rows.
struct RowBlock {
  Index first = 0;
  Index count = 0;
};

/// The most rows of a block.
inline constexpr Index rows_per_block = 250;

/// The number of blocks of a batch: max(2, ceil(rows / 250)), though never more than rows. It depends on the batch
/// alone, never on the threads.
inline Index block_count(Index rows) {
  return std::min(rows, std::max<Index>(2, (rows + rows_per_block - 1) / rows_per_block));
}

/// Block i of `blocks`: rows split as evenly as whole numbers allow.
inline RowBlock row_block(Index rows, Index blocks, Index i) {
  const Index first = rows * i / blocks;
  return {.first = first, .count = rows * (i + 1) / blocks - first};
}

/// Throws InputError, opened by `caller`, on fewer than one thread.
inline void check_threads(const char* caller, int threads) {
  if (threads < 1) throw InputError(text(caller, ": threads is ", threads, "; it must be at least 1"));
}

/// Runs body(i) for i = 0 ... count - 1 on up to `threads` threads; waits for all, then rethrows the exception of the
/// lowest i that threw. With one thread or one i the body runs on the calling thread, and products in it that are split
/// use up to `threads`. `failures` is working memory that a caller in a loop keeps.
template <class Body>
void parallel_for(int threads, Index count, std::vector<std::exception_ptr>& failures, const Body& body) {
  // Not a region of one thread: libgomp calls malloc for each of those.
  if (threads == 1 || count == 1) {
    const ThreadLimit limit(threads);
    for (Index i = 0; i < count; ++i) body(i);
    return;
  }
  failures.assign(static_cast<std::size_t>(count), nullptr);
#pragma omp parallel for num_threads(threads) schedule(static)
  for (Index i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
      failures[static_cast<std::size_t>(i)] = std::current_exception();
    }
  }
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

/// Runs body(i, scratch) for i = 0 ... count - 1 on up to `threads` threads as `parallel_for` does, though thread t
/// takes i = t, t + threads, ... Each thread has one `Scratch` for all its bodies, so that memory is asked for once;
/// what is in it must not matter.
template <class Scratch, class Body>
void parallel_for_with(int threads, Index count, const Body& body) {
  const Index parts = std::min<Index>(threads, count);
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, parts, failures, [&](Index part) {
    Scratch scratch;
    for (Index i = part; i < count; i += parts) body(i, scratch);
  });
}

}  // namespace normalign

// How many threads a part of a program may use.
#pragma once

#include <omp.h>

namespace normalign {

/// A scope in which products that are split over threads (see blas.hpp) use at most `threads` of them, when called from
/// this thread outside of a parallel region.
class ThreadLimit {
 public:
  /// At most `threads` until the end of the scope.
  explicit ThreadLimit(int threads) : outer_(omp_get_max_threads()) {
    if (threads != outer_) omp_set_num_threads(threads);
  }
  ~ThreadLimit() {
    if (omp_get_max_threads() != outer_) omp_set_num_threads(outer_);
  }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int outer_;
};

}  // namespace normalign

// A random share of a batch's rows, whose mean stands for the mean over all of them.
#pragma once

#include <cstdint>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// The fewest rows that are drawn from a batch: products of fewer cost more than their number says
/// (docs/performance.md).
inline constexpr Index least_rows_drawn = 16;

/// The rows of a batch of n that are drawn for one step. For any numbers y_i of the rows, weight * (mean of y_i over
/// the drawn rows), or 0 where none is drawn, has the mean over all rows as its expectation.
struct SampleShare {
  /// 1 where some rows are drawn; where all or none are, how often the step is drawn (0, 1 or 2) over the share.
  double weight = 1;
  /// Whether every row is drawn; `rows` is then not used.
  bool is_whole = true;
  /// The number of rows drawn.
  Index count = 0;
  /// The drawn rows in rising order; what follows the first `count` is working memory.
  std::vector<Index> rows{};
};

/// Throws InputError, opened by `caller`, unless 0 < share <= 1.
void check_share(const char* caller, double share);

/// Draws a share of the rows 0, ..., n - 1, n >= 1, from Stream::share of the seed. Of a share of 1 all rows are drawn,
/// of weight 1. Where share * n is at least `least_rows_drawn`, round(share * n) rows are, each set of that many
/// equally likely. Else all rows of some steps are: time is cut into windows of 1 / share steps, of each of which one
/// moment is drawn, so that drawn steps are spread evenly and each is drawn share times in the mean. A draw depends on
/// seed, step, n and share alone. The share must be one that `check_share` lets pass; memory of `drawn` is used again.
void draw_share(double share, Index n, std::uint64_t seed, std::uint32_t step, SampleShare& drawn);

}  // namespace normalign

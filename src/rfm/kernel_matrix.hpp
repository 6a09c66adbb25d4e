// Kernel matrices: whole where they are factorised, in tiles where a product is all that is wanted.
#pragma once

#include <algorithm>

#include "base/stop.hpp"
#include "linalg/row_blocks.hpp"
#include "rfm/kernel.hpp"
#include "rfm/mahalanobis.hpp"

namespace normalign {

/// How kernel matrices are cut: what is done to a tile of values happens in the cache, and one thread works at the
/// tiles of a block of rows. Both extents are upper ones and depend on the points alone, so results have the same bits
/// at any number of threads.
inline constexpr Index kernel_block_rows = 96, kernel_tile_cols = 512;

/// Sums over blocks go into at most so many parts, which are then added in order: a result does not depend on which
/// thread has which part.
inline constexpr Index most_sum_parts = 16;

/// How many blocks n rows of a kernel matrix make: an even number where there are several, for two threads to share.
inline Index kernel_blocks(Index n) {
  const Index blocks = (n + kernel_block_rows - 1) / kernel_block_rows;
  return blocks > 1 ? blocks + blocks % 2 : blocks;
}

/// Block i of n rows. All have about as many, and all but the last a multiple of four, as products like it.
inline RowBlock kernel_block(Index n, Index i) {
  const RowBlock fours = row_block((n + 3) / 4, kernel_blocks(n), i);
  return {.first = 4 * fours.first, .count = std::min(4 * fours.count, n - 4 * fours.first)};
}

/// Writes the kernel matrix of the points to the lower triangle of `out` (n x n), its diagonal included; what stands
/// above is then unspecified. Throws InputError on a misfit or fewer than one thread, and what `stop` throws, which is
/// asked at every tile.
template <class T>
void kernel_matrix(const Kernel& kernel, const MahalanobisPoints<T>& points, MatrixView<T> out, int threads = 1,
                   const StopPoll& stop = {});

/// Writes K(points, centres) to `out` (points x centres). Throws as the other does.
template <class T>
void kernel_matrix(const Kernel& kernel, const MahalanobisPoints<T>& points, const MahalanobisPoints<T>& centres,
                   MatrixView<T> out, int threads = 1, const StopPoll& stop = {});

/// K(points, centres) times `coefficients` (centres x c): points x c, without K ever being there as a whole. Throws as
/// `kernel_matrix` does.
template <class T>
Matrix<T> kernel_product(const Kernel& kernel, const MahalanobisPoints<T>& points, const MahalanobisPoints<T>& centres,
                         ConstView<T> coefficients, int threads = 1, const StopPoll& stop = {});

}  // namespace normalign

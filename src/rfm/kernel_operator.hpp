// A kernel matrix that is only multiplied with: as much of it as the memory holds is kept, the rest is worked out anew
// each time.
#pragma once

#include <algorithm>
#include <cmath>
#include <exception>
#include <type_traits>
#include <vector>

#include "linalg/blas.hpp"
#include "rfm/kernel_matrix.hpp"

namespace normalign {

/// Products with the symmetric kernel matrix K of n points, of which each value below the diagonal serves twice. Values
/// are worked out as T and kept as `Kept`; the products are in double. The same bits at any number of threads.
template <class T, class Kept>
class KernelOperator {
 public:
  /// Keeps values of K in up to `memory` bytes, which `kept` gives; what stands there before does not matter. Kernel,
  /// points and `kept` are referred to. `threads` is at least 1. What `stop` throws ends `copy_to` and `multiply`.
  KernelOperator(const Kernel& kernel, const MahalanobisPoints<T>& points, double memory, int threads,
                 LargeVector<Kept>& kept, StopPoll stop = {})
      : kernel_(kernel),
        points_(points),
        threads_(threads),
        stop_(std::move(stop)),
        blocks_(kernel_blocks(points.size())),
        kept_(kept),
        places_(static_cast<std::size_t>(blocks_)) {
    const auto n = static_cast<double>(points.size());
    const double all = sizeof(Kept) * n * (n + static_cast<double>(kernel_block_rows)) / 2;
    const double share = std::clamp(memory / all, 0.0, 1.0);
    // Of every so many pairs of blocks one is kept, so that the threads have equal shares of work.
    const auto before = [&](Index pair) { return std::floor(static_cast<double>(pair) * share); };
    std::size_t size = 0;
    for (Index pair = 0; 2 * pair < blocks_; ++pair)
      if (before(pair + 1) > before(pair))
        for (const Index block : {pair, blocks_ - 1 - pair}) {
          Place& place = places_[static_cast<std::size_t>(block)];
          if (place.kept) continue;
          const auto [first, rows] = kernel_block(points.size(), block);
          place = {.first = size, .kept = true};
          size += static_cast<std::size_t>(rows * (first + rows));
        }
    kept_.resize(size);
  }

  /// The lower triangle of out <- that of K, n x n.
  void copy_to(MatrixView<float> out) {
    parallel_for(threads_, (blocks_ + 1) / 2, failures_, [&](Index pair) {
      Workspace work;
      const auto copy_block = [&](Index block) {
        visit_tiles(block, work, [&](RowBlock rows, RowBlock cols, ConstView<double> values) {
          for (Index i = 0; i < rows.count; ++i)
            std::ranges::transform(values.row(i), &out(rows.first + i, cols.first),
                                   [](double value) { return static_cast<float>(value); });
        });
      };
      copy_block(pair);
      if (const Index other = blocks_ - 1 - pair; other != pair) copy_block(other);
    });
  }

  /// product <- K p + shift p, both n x c.
  void multiply(ConstView<double> p, double shift, MatrixView<double> product) {
    // A short block of the triangle goes with a long one.
    const Index pairs = (blocks_ + 1) / 2, parts = std::min(pairs, most_sum_parts);
    sums_.resize(static_cast<std::size_t>(parts));
    parallel_for(threads_, parts, failures_, [&](Index part) {
      Matrix<double>& sum = sums_[static_cast<std::size_t>(part)];
      sum.resize(p.rows(), p.cols());
      std::ranges::fill(sum.span(), 0.0);
      Workspace work;
      const RowBlock mine = row_block(pairs, parts, part);
      for (Index pair = mine.first; pair < mine.first + mine.count; ++pair) {
        add_block(pair, p, sum, work);
        if (const Index other = blocks_ - 1 - pair; other != pair) add_block(other, p, sum, work);
      }
    });
    for (std::size_t i = 0; i < product.span().size(); ++i) {
      double sum = shift * p.span()[i];
      for (const Matrix<double>& part : sums_) sum += part.span()[i];
      product.span()[i] = sum;
    }
  }

 private:
  struct Workspace {
    Matrix<T> tile;
    Matrix<double> values;
  };

  // Where the values of a block of rows are kept, from the first tile to that on the diagonal.
  struct Place {
    std::size_t first = 0;
    bool kept = false, filled = false;
  };

  // Adds K's rows of a block up to the diagonal times p, and what is left of the diagonal transposed times p.
  void add_block(Index block, ConstView<double> p, MatrixView<double> sum, Workspace& work) {
    visit_tiles(block, work, [&](RowBlock rows, RowBlock cols, ConstView<double> values) {
      const ConstView<double> p_rows = p.row_block(rows.first, rows.count);
      const ConstView<double> p_cols = p.row_block(cols.first, cols.count);
      // rows x cols, cols x c; (rows x cols)ᵀ, rows x c
      gemm<double>(values, p_cols, sum.row_block(rows.first, rows.count), {}, 1, 1);
      if (rows.first != cols.first)
        gemm<double>(values, p_rows, sum.row_block(cols.first, cols.count), {.a = true}, 1, 1);
    });
  }

  // Calls visit(rows, cols, values) for each tile of a block of K's rows, from the left to the diagonal.
  template <class Visit>
  void visit_tiles(Index block, Workspace& work, const Visit& visit) {
    const RowBlock rows = kernel_block(points_.size(), block);
    Place& place = places_[static_cast<std::size_t>(block)];
    for (Index col = 0; col < rows.first + rows.count;) {
      stop_.check();
      const Index cols = col == rows.first ? rows.count : std::min(kernel_tile_cols, rows.first - col);
      const RowBlock tile_cols{.first = col, .count = cols};
      if (!place.kept)
        visit(rows, tile_cols, converted_into(work.values, evaluated(rows, tile_cols, work.tile)));
      else {
        const MatrixView<Kept> kept(kept_.data() + place.first + rows.count * col, rows.count, cols);
        if (!place.filled)
          std::ranges::transform(evaluated(rows, tile_cols, work.tile).span(), kept.span().begin(),
                                 [](T value) { return static_cast<Kept>(value); });
        visit(rows, tile_cols, converted_into(work.values, ConstView<Kept>(kept)));
      }
      col += cols;
    }
    place.filled = place.kept;
  }

  // The values of a tile, in `tile`.
  ConstView<T> evaluated(RowBlock rows, RowBlock cols, Matrix<T>& tile) const {
    tile.resize(rows.count, cols.count);
    points_.squared_distances(rows.first, points_, cols.first, tile);
    kernel_values(kernel_, tile.span());
    return tile;
  }

  // The values as doubles, where they are none in `room`.
  template <class From>
  static ConstView<double> converted_into(Matrix<double>& room, MatrixView<From> values) {
    if constexpr (std::is_same_v<From, const double>)
      return values;
    else {
      room.resize(values.rows(), values.cols());
      std::ranges::copy(values.span(), room.span().begin());
      return room;
    }
  }

  const Kernel& kernel_;
  const MahalanobisPoints<T>& points_;
  int threads_;
  StopPoll stop_;
  Index blocks_;
  LargeVector<Kept>& kept_;
  std::vector<Place> places_;  // by block
  std::vector<Matrix<double>> sums_;
  std::vector<std::exception_ptr> failures_;
};

}  // namespace normalign

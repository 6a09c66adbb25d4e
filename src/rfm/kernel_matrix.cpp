#include "rfm/kernel_matrix.hpp"

#include "linalg/blas.hpp"

namespace normalign {

template <class T>
void kernel_matrix(const Kernel& kernel, const MahalanobisPoints<T>& points, MatrixView<T> out, int threads,
                   const StopPoll& stop) {
  const Index n = points.size();
  if (out.shape() != Shape{n, n})
    throw InputError(text("kernel_matrix: out is ", out.shape(), " but there are ", n, " points"));
  check_threads("kernel_matrix", threads);
  parallel_for_with<Matrix<T>>(threads, kernel_blocks(n), [&](Index block, Matrix<T>& tile) {
    const auto [first, rows] = kernel_block(n, block);
    for (Index col = 0; col < first + rows; col += kernel_tile_cols) {
      stop.check();
      tile.resize(rows, std::min(kernel_tile_cols, first + rows - col));
      points.squared_distances(first, points, col, tile);
      kernel_values(kernel, tile.span());
      for (Index i = 0; i < rows; ++i)
        std::ranges::copy(tile.row(i), out.row(first + i).subspan(static_cast<std::size_t>(col)).begin());
    }
  });
}

template <class T>
void kernel_matrix(const Kernel& kernel, const MahalanobisPoints<T>& points, const MahalanobisPoints<T>& centres,
                   MatrixView<T> out, int threads, const StopPoll& stop) {
  const Index n = points.size(), m = centres.size();
  if (out.shape() != Shape{n, m})
    throw InputError(text("kernel_matrix: out is ", out.shape(), " but there are ", n, " points and ", m, " centres"));
  check_threads("kernel_matrix", threads);
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, (m + kernel_tile_cols - 1) / kernel_tile_cols, failures, [&](Index part) {
    const Index col = part * kernel_tile_cols;
    Matrix<T> tile;
    for (Index first = 0; first < n; first += kernel_block_rows) {
      stop.check();
      tile.resize(std::min(kernel_block_rows, n - first), std::min(kernel_tile_cols, m - col));
      points.squared_distances(first, centres, col, tile);
      kernel_values(kernel, tile.span());
      for (Index i = 0; i < tile.rows(); ++i)
        std::ranges::copy(tile.row(i), out.row(first + i).subspan(static_cast<std::size_t>(col)).begin());
    }
  });
}

template <class T>
Matrix<T> kernel_product(const Kernel& kernel, const MahalanobisPoints<T>& points, const MahalanobisPoints<T>& centres,
                         ConstView<T> coefficients, int threads, const StopPoll& stop) {
  const Index n = points.size(), m = centres.size(), c = coefficients.cols();
  if (coefficients.rows() != m)
    throw InputError(text("kernel_product: coefficients are ", coefficients.shape(), " but there are ", m, " centres"));
  check_threads("kernel_product", threads);
  Matrix<T> product(n, c);
  parallel_for_with<Matrix<T>>(threads, kernel_blocks(n), [&](Index block, Matrix<T>& tile) {
    const auto [first, rows] = kernel_block(n, block);
    for (Index col = 0; col < m; col += kernel_tile_cols) {
      stop.check();
      tile.resize(rows, std::min(kernel_tile_cols, m - col));
      points.squared_distances(first, centres, col, tile);
      kernel_values(kernel, tile.span());
      // rows x tile, tile x c
      gemm<T>(tile, coefficients.row_block(col, tile.cols()), product.view().row_block(first, rows), {}, T(1), T(1));
    }
  });
  return product;
}

template void kernel_matrix(const Kernel&, const MahalanobisPoints<float>&, MatrixView<float>, int, const StopPoll&);
template void kernel_matrix(const Kernel&, const MahalanobisPoints<double>&, MatrixView<double>, int, const StopPoll&);
template void kernel_matrix(const Kernel&, const MahalanobisPoints<float>&, const MahalanobisPoints<float>&,
                            MatrixView<float>, int, const StopPoll&);
template void kernel_matrix(const Kernel&, const MahalanobisPoints<double>&, const MahalanobisPoints<double>&,
                            MatrixView<double>, int, const StopPoll&);
template Matrix<float> kernel_product(const Kernel&, const MahalanobisPoints<float>&, const MahalanobisPoints<float>&,
                                      ConstView<float>, int, const StopPoll&);
template Matrix<double> kernel_product(const Kernel&, const MahalanobisPoints<double>&,
                                       const MahalanobisPoints<double>&, ConstView<double>, int, const StopPoll&);

}  // namespace normalign

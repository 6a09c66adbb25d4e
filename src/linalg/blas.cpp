#include "linalg/blas.hpp"

#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <limits>

#include "base/memory.hpp"
#include "linalg/parallel_ranges.hpp"

namespace normalign {
namespace {

blasint blas_int(const char* caller, Index value) {
  if (value > std::numeric_limits<blasint>::max())
    throw InputError(
        text(caller, ": an extent is ", value, "; BLAS takes at most ", std::numeric_limits<blasint>::max()));
  return static_cast<blasint>(value);
}

CBLAS_TRANSPOSE flag(bool transpose) { return transpose ? CblasTrans : CblasNoTrans; }

// Row-major op(a) op(b) on a tile: every pointer is at the tile's first value, every ld is the whole row.
template <class T>
struct Tile {
  blasint m, n, k;
  const T* a;
  blasint lda;
  const T* b;
  blasint ldb;
  T* c;
  blasint ldc;
};

void gemm_tile(const Tile<float>& t, Transposes op, float alpha, float beta) {
  cblas_sgemm(CblasRowMajor, flag(op.a), flag(op.b), t.m, t.n, t.k, alpha, t.a, t.lda, t.b, t.ldb, beta, t.c, t.ldc);
}
void gemm_tile(const Tile<double>& t, Transposes op, double alpha, double beta) {
  cblas_dgemm(CblasRowMajor, flag(op.a), flag(op.b), t.m, t.n, t.k, alpha, t.a, t.lda, t.b, t.ldb, beta, t.c, t.ldc);
}

// From this many flops on a product is cut into tiles of this extent.
constexpr double tiled_flops = 1e9;
constexpr Index tile_extent = 512;

// A smaller one is cut into ranges of rows of at least this many flops each. Some libraries have kernels of their own
// for products of at most 2e6 flops, which add in another order: no product above that may be cut into parts below.
constexpr double part_flops = 4e6;

double product_flops(Shape product, Index inner) {
  return 2.0 * static_cast<double>(product.rows) * static_cast<double>(product.cols) * static_cast<double>(inner);
}

// OpenBLAS takes a buffer for each thread that computes, and asks for ever where `ulimit -v` leaves it none.
bool require_buffer() {
  constexpr double buffer = 128 << 20;
  if (const double left = address_space_left(); left < buffer)
    throw RunError(text("OpenBLAS: found ", static_cast<Index>(left / 1024),
                        " KiB of address space left by ulimit -v, ", "expected ", static_cast<Index>(buffer / 1024),
                        " for each thread that computes"));
  return true;
}

}  // namespace

detail::SingleThreadedBlas::SingleThreadedBlas() {
  [[maybe_unused]] thread_local const bool has_buffer = require_buffer();
}

Shape product_shape(const char* caller, Shape a, Shape b, Transposes op) {
  const Index inner_a = op.a ? a.rows : a.cols, inner_b = op.b ? b.cols : b.rows;
  if (inner_a != inner_b)
    throw InputError(text(caller, ": a is ", a, " but b is ", b, "; a.", op.a ? "rows" : "cols", " must equal b.",
                          op.b ? "cols" : "rows"));
  return {op.a ? a.cols : a.rows, op.b ? b.rows : b.cols};
}

Index product_parts(Shape product, Index inner) {
  const double flops = product_flops(product, inner);
  return flops >= tiled_flops ? 1 : std::max<Index>(1, static_cast<Index>(flops / part_flops));
}

template <class T>
void gemm(ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes op, T alpha, T beta) {
  const Shape expected = product_shape("gemm", a.shape(), b.shape(), op);
  if (c.shape() != expected) throw InputError(text("gemm: c is ", c.shape(), " but op(a) op(b) is ", expected));
  const Index m = c.rows(), n = c.cols(), k = op.a ? a.rows() : a.cols();
  if (m == 0 || n == 0) return;
  // BLAS wants a leading dimension of at least one even where nothing is read.
  const blasint lda = blas_int("gemm", std::max<Index>(a.cols(), 1));
  const blasint ldb = blas_int("gemm", std::max<Index>(b.cols(), 1));
  const blasint ldc = blas_int("gemm", n);
  const blasint inner = blas_int("gemm", k);
  blas_int("gemm", std::max(m, n));

  const auto run_tile = [&](Index i, Index rows, Index j, Index cols) {
    const detail::SingleThreadedBlas one_thread;
    // OpenBLAS clears c itself for beta = 0, but slowly: filled here, products of a training step take 4 to 10 %
    // less time, thin ones half.
    if (beta == 0)
      for (Index row = i; row < i + rows; ++row) std::fill_n(c.data() + row * n + j, cols, T{0});
    gemm_tile(Tile<T>{.m = static_cast<blasint>(rows),
                      .n = static_cast<blasint>(cols),
                      .k = inner,
                      .a = a.data() + (op.a ? i : i * a.cols()),
                      .lda = lda,
                      .b = b.data() + (op.b ? j * b.cols() : j),
                      .ldb = ldb,
                      .c = c.data() + i * n + j,
                      .ldc = ldc},
              op, alpha, beta == 0 ? T{1} : beta);
  };
  if (product_flops(c.shape(), k) < tiled_flops)
    return parallel_ranges(m, product_parts(c.shape(), k),
                           [&](Index first, Index count) { run_tile(first, count, 0, n); });
  const Index row_tiles = (m + tile_extent - 1) / tile_extent, col_tiles = (n + tile_extent - 1) / tile_extent;
  const Index tiles = row_tiles * col_tiles;
#pragma omp parallel for schedule(dynamic)
  for (Index tile = 0; tile < tiles; ++tile) {
    const Index i = tile / col_tiles * tile_extent, j = tile % col_tiles * tile_extent;
    run_tile(i, std::min(tile_extent, m - i), j, std::min(tile_extent, n - j));
  }
}

template <class T>
void gemv(ConstView<T> a, ConstView<T> x, MatrixView<T> y, bool transpose, T alpha, T beta) {
  const Index inner = transpose ? a.rows() : a.cols(), outer = transpose ? a.cols() : a.rows();
  if (x.size() != inner || y.size() != outer || std::min(x.rows(), x.cols()) > 1 || std::min(y.rows(), y.cols()) > 1)
    throw InputError(text("gemv: a is ", a.shape(), transpose ? " (transposed)" : "", ", x is ", x.shape(),
                          " and y is ", y.shape(), "; x must hold ", inner, " values and y ", outer));
  if (inner == 0)  // BLAS leaves y alone
    for (T& value : y.span()) value = beta == 0 ? T{0} : beta * value;
  if (outer == 0 || inner == 0) return;
  const detail::SingleThreadedBlas one_thread;
  const blasint rows = blas_int("gemv", a.rows()), cols = blas_int("gemv", a.cols());
  const blasint lda = std::max<blasint>(cols, 1);
  if constexpr (std::is_same_v<T, float>)
    cblas_sgemv(CblasRowMajor, flag(transpose), rows, cols, alpha, a.data(), lda, x.data(), 1, beta, y.data(), 1);
  else
    cblas_dgemv(CblasRowMajor, flag(transpose), rows, cols, alpha, a.data(), lda, x.data(), 1, beta, y.data(), 1);
}

template <class T>
void syrk(ConstView<T> a, MatrixView<T> c, T alpha, T beta) {
  const Index d = a.cols();
  if (c.shape() != Shape{d, d})
    throw InputError(text("syrk: a is ", a.shape(), " but c is ", c.shape(), "; c must be ", Shape{d, d}));
  if (d == 0) return;
  {
    const detail::SingleThreadedBlas one_thread;
    const blasint n = blas_int("syrk", d), k = blas_int("syrk", a.rows());
    if constexpr (std::is_same_v<T, float>)
      cblas_ssyrk(CblasRowMajor, CblasUpper, CblasTrans, n, k, alpha, a.data(), n, beta, c.data(), n);
    else
      cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, n, k, alpha, a.data(), n, beta, c.data(), n);
  }
  for (Index i = 1; i < d; ++i)
    for (Index j = 0; j < i; ++j) c(i, j) = c(j, i);
}

int detail::blas_threads_inside_scope() {
  const detail::SingleThreadedBlas one_thread;
  // What OpenBLAS's OpenMP build asks at each call. Its own openblas_get_num_threads() is a global number that a call
  // made on one thread leaves as it was.
  return omp_in_parallel() ? 1 : omp_get_max_threads();
}

std::string blas_description() {
  const std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 NO_AFFINITY USE_OPENMP ..."
  const auto second_blank = config.find(' ', config.find(' ') + 1);
  return text(config.substr(0, second_blank), " (", openblas_get_corename(), ")");
}

#define NORMALIGN_INSTANTIATE(T)                                                   \
  template void gemm(ConstView<T>, ConstView<T>, MatrixView<T>, Transposes, T, T); \
  template void gemv(ConstView<T>, ConstView<T>, MatrixView<T>, bool, T, T);       \
  template void syrk(ConstView<T>, MatrixView<T>, T, T);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

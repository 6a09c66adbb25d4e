#include "linalg/cholesky.hpp"

#include <cblas.h>

#include <algorithm>
#include <limits>

#include "linalg/blas.hpp"

// OpenBLAS has LAPACK's Fortran entry points, though no header for them.
extern "C" {
void spotrf_(const char* uplo, const blasint* n, float* a, const blasint* lda, blasint* info);
void dpotrf_(const char* uplo, const blasint* n, double* a, const blasint* lda, blasint* info);
}

namespace normalign {
namespace {

// Wide columns of tiles make fast products; narrow ones leave less to the one thread that works on the diagonal, which
// counts where there are few.
constexpr Index tile_rows = 192;
constexpr Index tile_cols_for(Index n) { return n < 2500 ? 96 : 256; }

constexpr auto potrf(float) { return spotrf_; }
constexpr auto potrf(double) { return dpotrf_; }

// c <- c - a bᵀ, c m x n, inner extent k, all with rows `ld` apart.
void subtract_product(blasint m, blasint n, blasint k, const float* a, const float* b, float* c, blasint ld) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, -1, a, ld, b, ld, 1, c, ld);
}
void subtract_product(blasint m, blasint n, blasint k, const double* a, const double* b, double* c, blasint ld) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, -1, a, ld, b, ld, 1, c, ld);
}

// The lower triangle of c <- c - a aᵀ, c n x n.
void subtract_square(blasint n, blasint k, const float* a, float* c, blasint ld) {
  cblas_ssyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, k, -1, a, ld, 1, c, ld);
}
void subtract_square(blasint n, blasint k, const double* a, double* c, blasint ld) {
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, n, k, -1, a, ld, 1, c, ld);
}

// b <- b l⁻ᵀ, b m x n.
void divide_by_factor(blasint m, blasint n, const float* l, float* b, blasint ld) {
  cblas_strsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, n, 1, l, ld, b, ld);
}
void divide_by_factor(blasint m, blasint n, const double* l, double* b, blasint ld) {
  cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, n, 1, l, ld, b, ld);
}

// b <- l⁻¹ b or l⁻ᵀ b, b n x k.
template <class T>
void solve_factor(CBLAS_TRANSPOSE transpose, ConstView<T> l, MatrixView<T> b) {
  if (b.size() == 0) return;
  const detail::SingleThreadedBlas one_thread;
  const auto n = static_cast<blasint>(b.rows()), k = static_cast<blasint>(b.cols());
  if constexpr (std::is_same_v<T, float>)
    cblas_strsm(CblasRowMajor, CblasLeft, CblasLower, transpose, CblasNonUnit, n, k, 1, l.data(), n, b.data(), k);
  else
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, transpose, CblasNonUnit, n, k, 1, l.data(), n, b.data(), k);
}

void check_square(const char* caller, Shape a) {
  if (a.rows != a.cols || a.rows > std::numeric_limits<blasint>::max())
    throw InputError(
        text(caller, ": a is ", a, "; it must be square, of at most ", std::numeric_limits<blasint>::max(), " rows"));
}

void check_solve(const char* caller, Shape factor, Shape b) {
  check_square(caller, factor);
  if (b.rows != factor.rows)
    throw InputError(text(caller, ": factor is ", factor, " but b is ", b, "; b.rows must equal factor.rows"));
}

}  // namespace

template <class T>
bool cholesky(MatrixView<T> a, const StopPoll& stop) {
  check_square("cholesky", a.shape());
  const Index n = a.rows();
  const auto ld = static_cast<blasint>(std::max<Index>(n, 1));
  const Index tile_cols = tile_cols_for(n);
  const auto cols_at = [&](Index j) { return static_cast<blasint>(std::min(tile_cols, n - j)); };
  // The tile on the diagonal, from all columns before it; false where it is not definite.
  const auto factor_diagonal = [&](Index j) {
    const detail::SingleThreadedBlas one_thread;
    const blasint cols = cols_at(j);
    T* const diagonal = &a(j, j);
    if (j > 0) subtract_square(cols, static_cast<blasint>(j), &a(j, 0), diagonal, ld);
    // By columns, as LAPACK sees it, our lower triangle is an upper one.
    blasint info = 0;
    potrf(T{})("U", &cols, diagonal, &ld, &info);
    return info == 0 && diagonal[(cols - 1) * (n + 1)] > 0;  // false for a NaN, which potrf lets pass
  };
  bool definite = n == 0 || factor_diagonal(0);
  for (Index j = 0; j < n && definite; j += tile_cols) {
    const blasint cols = cols_at(j);
    // The first tile below the diagonal has the rows of the next one on it, which whoever has it goes on to.
    const Index below = j + cols, rest = below + std::min(tile_cols, n - below);
    const Index tiles = below == n ? 0 : 1 + (n - rest + tile_rows - 1) / tile_rows;
#pragma omp parallel for schedule(dynamic) if (tiles > 1)
    for (Index tile = 0; tile < tiles; ++tile) {
      if (stop.has_ended()) continue;
      const detail::SingleThreadedBlas one_thread;
      const Index i = tile == 0 ? below : rest + (tile - 1) * tile_rows;
      const auto rows = static_cast<blasint>(tile == 0 ? rest - below : std::min(tile_rows, n - i));
      if (j > 0) subtract_product(rows, cols, static_cast<blasint>(j), &a(i, 0), &a(j, 0), &a(i, j), ld);
      divide_by_factor(rows, cols, &a(j, j), &a(i, j), ld);
      if (tile == 0) definite = factor_diagonal(below);
    }
    stop.check();
  }
  return definite;
}

template <class T>
void cholesky_solve(ConstView<T> factor, MatrixView<T> b) {
  check_solve("cholesky_solve", factor.shape(), b.shape());
  solve_factor(CblasNoTrans, factor, b);
  solve_factor(CblasTrans, factor, b);
}

template <class T>
void triangular_solve(ConstView<T> factor, MatrixView<T> b, bool transpose) {
  check_solve("triangular_solve", factor.shape(), b.shape());
  solve_factor(transpose ? CblasTrans : CblasNoTrans, factor, b);
}

template bool cholesky(MatrixView<float>, const StopPoll&);
template bool cholesky(MatrixView<double>, const StopPoll&);
template void cholesky_solve(ConstView<float>, MatrixView<float>);
template void cholesky_solve(ConstView<double>, MatrixView<double>);
template void triangular_solve(ConstView<float>, MatrixView<float>, bool);
template void triangular_solve(ConstView<double>, MatrixView<double>, bool);

}  // namespace normalign

#include "linalg/lapack.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "linalg/blas.hpp"

// OpenBLAS has LAPACK's Fortran entry points, though no header for them.
extern "C" {
void sgesdd_(const char* job, const blasint* m, const blasint* n, float* a, const blasint* lda, float* s, float* u,
             const blasint* ldu, float* vt, const blasint* ldvt, float* work, const blasint* lwork, blasint* iwork,
             blasint* info);
void dgesdd_(const char* job, const blasint* m, const blasint* n, double* a, const blasint* lda, double* s, double* u,
             const blasint* ldu, double* vt, const blasint* ldvt, double* work, const blasint* lwork, blasint* iwork,
             blasint* info);
}

namespace normalign {
namespace {

constexpr auto gesdd(float) { return sgesdd_; }
constexpr auto gesdd(double) { return dgesdd_; }

}  // namespace

template <class T>
Svd<T> svd(ConstView<T> a) {
  const Index m = a.rows(), n = a.cols(), r = std::min(m, n);
  Svd<T> result{std::vector<T>(static_cast<std::size_t>(r)), Matrix<T>(m, r), Matrix<T>(r, n)};
  if (r == 0) return result;
  if (std::max(m, n) > std::numeric_limits<blasint>::max())
    throw InputError(text("svd: a is ", a.shape(), "; LAPACK takes at most ", std::numeric_limits<blasint>::max()));
  for (T value : a.span())
    if (!std::isfinite(value)) throw InputError(text("svd: a value is ", value, "; it must be finite"));

  // LAPACK stores by columns, so it sees aᵀ = rightᵀ diag(values) leftᵀ, and what it writes are our rows.
  Matrix<T> copy(a);
  const blasint rows = static_cast<blasint>(n), cols = static_cast<blasint>(m), rank = static_cast<blasint>(r);
  std::vector<blasint> integers(8 * static_cast<std::size_t>(r));
  blasint info = 0;
  const auto decompose = [&](T* work, blasint size) {
    const SingleThreadedBlas one_thread;
    gesdd(T{})("S", &rows, &cols, copy.data(), &rows, result.values.data(), result.right.data(), &rows,
               result.left.data(), &rank, work, &size, integers.data(), &info);
  };
  T best_size = 0;
  decompose(&best_size, -1);
  std::vector<T> work(static_cast<std::size_t>(best_size) + 1);
  decompose(work.data(), static_cast<blasint>(work.size()));
  if (info != 0) throw RunError(text("svd: LAPACK's gesdd gave up on a matrix of ", a.shape(), " with info ", info));
  return result;
}

template Svd<float> svd(ConstView<float>);
template Svd<double> svd(ConstView<double>);

}  // namespace normalign

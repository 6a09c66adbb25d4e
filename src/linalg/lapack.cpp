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
void sgeqrf_(const blasint* m, const blasint* n, float* a, const blasint* lda, float* tau, float* work,
             const blasint* lwork, blasint* info);
void dgeqrf_(const blasint* m, const blasint* n, double* a, const blasint* lda, double* tau, double* work,
             const blasint* lwork, blasint* info);
void sorgqr_(const blasint* m, const blasint* n, const blasint* k, float* a, const blasint* lda, const float* tau,
             float* work, const blasint* lwork, blasint* info);
void dorgqr_(const blasint* m, const blasint* n, const blasint* k, double* a, const blasint* lda, const double* tau,
             double* work, const blasint* lwork, blasint* info);
void ssyevd_(const char* job, const char* uplo, const blasint* n, float* a, const blasint* lda, float* w, float* work,
             const blasint* lwork, blasint* iwork, const blasint* liwork, blasint* info);
void dsyevd_(const char* job, const char* uplo, const blasint* n, double* a, const blasint* lda, double* w,
             double* work, const blasint* lwork, blasint* iwork, const blasint* liwork, blasint* info);
void dsytrd_(const char* uplo, const blasint* n, double* a, const blasint* lda, double* d, double* e, double* tau,
             double* work, const blasint* lwork, blasint* info);
void dsterf_(const blasint* n, double* d, double* e, blasint* info);
void dstein_(const blasint* n, const double* d, const double* e, const blasint* m, const double* w,
             const blasint* iblock, const blasint* isplit, double* z, const blasint* ldz, double* work, blasint* iwork,
             blasint* ifail, blasint* info);
void dormtr_(const char* side, const char* uplo, const char* trans, const blasint* m, const blasint* n, const double* a,
             const blasint* lda, const double* tau, double* c, const blasint* ldc, double* work, const blasint* lwork,
             blasint* info);
}

namespace normalign {
namespace {

constexpr auto gesdd(float) { return sgesdd_; }
constexpr auto gesdd(double) { return dgesdd_; }
constexpr auto geqrf(float) { return sgeqrf_; }
constexpr auto geqrf(double) { return dgeqrf_; }
constexpr auto orgqr(float) { return sorgqr_; }
constexpr auto orgqr(double) { return dorgqr_; }
constexpr auto syevd(float) { return ssyevd_; }
constexpr auto syevd(double) { return dsyevd_; }

template <class T>
void check_operand(const char* caller, ConstView<T> a) {
  if (std::max(a.rows(), a.cols()) > std::numeric_limits<blasint>::max())
    throw InputError(
        text(caller, ": a is ", a.shape(), "; LAPACK takes at most ", std::numeric_limits<blasint>::max()));
  for (T value : a.span())
    if (!std::isfinite(value)) throw InputError(text(caller, ": a value is ", value, "; it must be finite"));
}

// Calls a LAPACK routine twice, call(work, size): first to ask how much working memory it wants, then with that.
template <class T, class Call>
void with_workspace(const Call& call) {
  const detail::SingleThreadedBlas one_thread;
  T best_size = 0;
  call(&best_size, -1);
  std::vector<T> work(static_cast<std::size_t>(best_size) + 1);
  call(work.data(), static_cast<blasint>(work.size()));
}

// Returns L of a = L Q; `a` becomes the reflections, whose factors go to `reflectors`.
template <class T>
Matrix<T> reflected(Matrix<T>& a, std::vector<T>& reflectors) {
  // By columns it is aᵀ = Qᵀ Lᵀ, a QR decomposition; Lᵀ's columns, our rows, are the beginnings of those of `a`.
  const Index m = a.rows(), r = std::min(m, a.cols());
  const blasint rows = static_cast<blasint>(a.cols()), cols = static_cast<blasint>(m);
  reflectors.resize(static_cast<std::size_t>(r));
  blasint info = 0;
  with_workspace<T>(
      [&](T* work, blasint size) { geqrf(T{})(&rows, &cols, a.data(), &rows, reflectors.data(), work, &size, &info); });
  Matrix<T> lower(m, r);
  for (Index i = 0; i < m; ++i)
    std::ranges::copy(a.row(i).first(static_cast<std::size_t>(std::min(i + 1, r))), lower.row(i).begin());
  return lower;
}

}  // namespace

template <class T>
Svd<T> svd(ConstView<T> a) {
  const Index m = a.rows(), n = a.cols(), r = std::min(m, n);
  Svd<T> result{std::vector<T>(static_cast<std::size_t>(r)), Matrix<T>(m, r), Matrix<T>(r, n)};
  if (r == 0) return result;
  check_operand("svd", a);
  // LAPACK stores by columns, so it sees aᵀ = rightᵀ diag(values) leftᵀ, and what it writes are our rows.
  Matrix<T> copy(a);
  const blasint rows = static_cast<blasint>(n), cols = static_cast<blasint>(m), rank = static_cast<blasint>(r);
  std::vector<blasint> integers(8 * static_cast<std::size_t>(r));
  blasint info = 0;
  with_workspace<T>([&](T* work, blasint size) {
    gesdd(T{})("S", &rows, &cols, copy.data(), &rows, result.values.data(), result.right.data(), &rows,
               result.left.data(), &rank, work, &size, integers.data(), &info);
  });
  if (info != 0) throw RunError(text("svd: LAPACK's gesdd gave up on a matrix of ", a.shape(), " with info ", info));
  return result;
}

template <class T>
Matrix<T> triangular_factor(ConstView<T> a) {
  if (a.size() == 0) return Matrix<T>(a.rows(), 0);
  check_operand("triangular_factor", a);
  Matrix<T> copy(a);
  std::vector<T> reflectors;
  return reflected(copy, reflectors);
}

template <class T>
Lq<T> lq(ConstView<T> a) {
  const Index m = a.rows(), n = a.cols(), r = std::min(m, n);
  if (r == 0) return {Matrix<T>(m, 0), Matrix<T>(0, n)};
  check_operand("lq", a);
  Matrix<T> copy(a);
  std::vector<T> reflectors;
  Matrix<T> lower = reflected(copy, reflectors);
  LargeVector<T> rows = copy.take();
  rows.resize(static_cast<std::size_t>(r * n));
  const blasint length = static_cast<blasint>(n), count = static_cast<blasint>(r);
  blasint info = 0;
  with_workspace<T>([&](T* work, blasint size) {
    orgqr(T{})(&length, &count, &count, rows.data(), &length, reflectors.data(), work, &size, &info);
  });
  return {std::move(lower), Matrix<T>(r, n, std::move(rows))};
}

template <class T>
SymmetricEigen<T> symmetric_eigen(ConstView<T> a) {
  const Index d = a.rows();
  if (a.cols() != d) throw InputError(text("symmetric_eigen: a is ", a.shape(), "; it must be square"));
  SymmetricEigen<T> result{std::vector<T>(static_cast<std::size_t>(d)), Matrix<T>(a)};
  if (d == 0) return result;
  check_operand("symmetric_eigen", a);
  // By columns our lower triangle is the upper one, and the eigenvectors that it writes as columns are our rows.
  const blasint n = static_cast<blasint>(d);
  std::vector<blasint> integers(3 + 5 * static_cast<std::size_t>(d));
  blasint info = 0;
  with_workspace<T>([&](T* work, blasint size) {
    const blasint integer_size = size < 0 ? -1 : static_cast<blasint>(integers.size());
    syevd(T{})("V", "U", &n, result.vectors.data(), &n, result.values.data(), work, &size, integers.data(),
               &integer_size, &info);
  });
  if (info != 0)
    throw RunError(text("symmetric_eigen: LAPACK's syevd gave up on a matrix of ", a.shape(), " with info ", info));
  return result;
}

LeadingEigen leading_eigen(ConstView<double> a) {
  const Index size = a.rows();
  if (a.cols() != size || size < 1)
    throw InputError(text("leading_eigen: a is ", a.shape(), "; it must be square, of at least one row"));
  check_operand("leading_eigen", a);
  const auto check_info = [&](const char* routine, blasint info) {
    if (info != 0)
      throw RunError(
          text("leading_eigen: LAPACK's ", routine, " gave up on a matrix of ", a.shape(), " with info ", info));
  };
  const auto count = static_cast<std::size_t>(size);
  double largest = 0;
  for (Index i = 0; i < size; ++i)
    for (Index j = 0; j <= i; ++j) largest = std::max(largest, std::abs(a(i, j)));
  if (largest == 0) {
    LeadingEigen zero{std::vector<double>(count), std::vector<double>(count)};
    zero.vector.front() = 1;
    return zero;
  }
  // stein fails on values near the ends of double's range: scaled by a power of two, exactly.
  const int exponent = std::ilogb(largest);
  Matrix<double> reflectors(a);
  for (double& value : reflectors.span()) value = std::scalbn(value, -exponent);
  // a = Q T Qᵀ with T tridiagonal. By columns our lower triangle is the upper one.
  std::vector<double> diagonal(count), beside(count), factors(count);
  const blasint n = static_cast<blasint>(size), one = 1;
  blasint info = 0;
  with_workspace<double>([&](double* work, blasint lwork) {
    dsytrd_("U", &n, reflectors.data(), &n, diagonal.data(), beside.data(), factors.data(), work, &lwork, &info);
  });
  check_info("sytrd", info);
  LeadingEigen result{diagonal, std::vector<double>(count)};
  std::vector<double> destroyed = beside;
  dsterf_(&n, result.values.data(), destroyed.data(), &info);
  check_info("sterf", info);
  // T as one block, whether or not it falls apart.
  std::vector<double> work(5 * count);
  std::vector<blasint> integers(count);
  blasint failed = 0;
  dstein_(&n, diagonal.data(), beside.data(), &one, &result.values.back(), &one, &n, result.vector.data(), &n,
          work.data(), integers.data(), &failed, &info);
  check_info("stein", info);
  with_workspace<double>([&](double* memory, blasint lwork) {
    dormtr_("L", "U", "N", &n, &one, reflectors.data(), &n, factors.data(), result.vector.data(), &n, memory, &lwork,
            &info);
  });
  check_info("ormtr", info);
  for (double& value : result.values) value = std::scalbn(value, exponent);
  return result;
}

template Svd<float> svd(ConstView<float>);
template Svd<double> svd(ConstView<double>);
template Matrix<float> triangular_factor(ConstView<float>);
template Matrix<double> triangular_factor(ConstView<double>);
template Lq<float> lq(ConstView<float>);
template Lq<double> lq(ConstView<double>);
template SymmetricEigen<float> symmetric_eigen(ConstView<float>);
template SymmetricEigen<double> symmetric_eigen(ConstView<double>);

}  // namespace normalign

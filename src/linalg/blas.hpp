// Matrix products through OpenBLAS, under one threading rule.
//
// BLAS itself never uses more than one thread here: the OpenMP build of OpenBLAS asks the calling thread's own
// OpenMP setting, so every call below sets that to one and restores it. Products too large for one thread run on
// OpenMP threads, the largest in output tiles that the shapes alone fix, others in ranges of output rows (see
// parallel_ranges.hpp). An inner extent is never cut; so the bits of a result depend neither on the number of threads
// nor on where the call was made.
#pragma once

#include <string>

#include "linalg/matrix.hpp"
#include "linalg/thread_limit.hpp"

namespace normalign {

/// Whether an operand of a product is taken as it is or transposed.
struct Transposes {
  bool a = false;
  bool b = false;
  bool operator==(const Transposes&) const = default;
};

/// The shape of op(a) op(b); throws InputError, opened by `caller`, when the inner extents differ.
Shape product_shape(const char* caller, Shape a, Shape b, Transposes transposes);

/// The most ranges of rows that a product of this shape, with this inner extent, is cut into: a second thread pays only
/// from some size on. One, too, where `gemm` takes tiles instead.
Index product_parts(Shape product, Index inner);

/// c <- alpha op(a) op(b) + beta c. With beta = 0 the old values of c are not read. c must not overlap a or b.
/// Throws InputError when the shapes do not fit.
template <class T>
void gemm(ConstView<T> a, ConstView<T> b, MatrixView<T> c, Transposes transposes = {}, T alpha = 1, T beta = 0);

/// y <- alpha op(a) x + beta y, with x and y as single rows or columns. Throws InputError on a misfit.
template <class T>
void gemv(ConstView<T> a, ConstView<T> x, MatrixView<T> y, bool transpose = false, T alpha = 1, T beta = 0);

/// c <- alpha aᵀa + beta c, both triangles written; a is n x d, c is d x d. Throws InputError on a misfit.
template <class T>
void syrk(ConstView<T> a, MatrixView<T> c, T alpha = 1, T beta = 0);

namespace detail {

/// The scope of every call of BLAS or LAPACK: on this thread alone.
class SingleThreadedBlas {
 public:
  /// Throws RunError where no address space is left for OpenBLAS's buffer.
  SingleThreadedBlas();

 private:
  ThreadLimit one_{1};
};

/// How many threads OpenBLAS would use for a call made inside a SingleThreadedBlas scope here and now; 1, or
/// the rule is broken. For tests.
int blas_threads_inside_scope();

}  // namespace detail

/// The library and the kernels it chose for this CPU, such as "OpenBLAS 0.3.21 (Zen)".
std::string blas_description();

}  // namespace normalign

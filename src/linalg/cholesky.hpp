// The Cholesky factorisation of a positive definite matrix, and solutions by it.
#pragma once

#include "base/stop.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// Overwrites the lower triangle of a (n x n, symmetric) by L, a = L Lᵀ; what stands above the diagonal is neither read
/// nor changed. Returns false where a is not positive definite up to rounding or holds a NaN; the lower triangle is
/// then undefined.
///
/// By columns of tiles that the shape alone fixes, each a product of all columns before it, so with the same bits at
/// any number of threads; n³/3 flops, no memory but one tile for each thread. `stop` is asked at every tile. Throws
/// InputError unless a is square, and what `stop` throws.
template <class T>
bool cholesky(MatrixView<T> a, const StopPoll& stop = {});

/// Overwrites b (n x k) by (L Lᵀ)⁻¹ b, with L the lower triangle of `factor` (n x n), as `cholesky` left it; 2 n² k
/// flops. Throws InputError on a misfit.
template <class T>
void cholesky_solve(ConstView<T> factor, MatrixView<T> b);

/// Overwrites b (n x k) by L⁻¹ b, or by L⁻ᵀ b, with L as above; n² k flops. Throws InputError on a misfit.
template <class T>
void triangular_solve(ConstView<T> factor, MatrixView<T> b, bool transpose = false);

}  // namespace normalign

#include "rfm/pivoted_cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/random.hpp"
#include "linalg/reduce.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

constexpr Index batch_rows = 64;

// Rows drawn with probability proportional to `diagonal`, one for each number uniform in (0, 1).
std::vector<Index> proposals(std::span<const double> diagonal, std::span<const double> uniform) {
  std::vector<double> sums(diagonal.size());
  std::partial_sum(diagonal.begin(), diagonal.end(), sums.begin());
  std::vector<Index> rows;
  for (const double u : uniform) {
    const auto at = std::ranges::upper_bound(sums, u * sums.back()) - sums.begin();
    rows.push_back(std::min(static_cast<Index>(at), static_cast<Index>(sums.size()) - 1));
  }
  return rows;
}

// The accepted of some proposals, and L of their residual matrix = L Lᵀ.
struct Accepted {
  std::vector<Index> which;
  Matrix<double> factor;
};

// Each proposal in turn, of probability diagonal(i) when it was drawn, is accepted with the ratio of its pivot, after
// those accepted before it, to that. `residual` holds the proposals' residual matrix.
Accepted accepted(ConstView<double> residual, std::span<const double> diagonal, std::span<const double> uniform) {
  const Index count = residual.rows();
  Matrix<double> factor(count, count);
  std::vector<Index> which;
  for (Index i = 0; i < count; ++i) {
    const auto size = static_cast<Index>(which.size());
    const std::span<double> row = factor.row(size);
    double pivot = residual(i, i);
    for (Index j = 0; j < size; ++j) {
      double value = residual(i, which[static_cast<std::size_t>(j)]);
      for (Index k = 0; k < j; ++k) value -= row[static_cast<std::size_t>(k)] * factor(j, k);
      row[static_cast<std::size_t>(j)] = value / factor(j, j);
      pivot -= row[static_cast<std::size_t>(j)] * row[static_cast<std::size_t>(j)];
    }
    if (!(uniform[static_cast<std::size_t>(i)] * diagonal[static_cast<std::size_t>(i)] < pivot)) continue;
    factor(size, size) = std::sqrt(pivot);
    which.push_back(i);
  }
  const auto size = static_cast<Index>(which.size());
  Matrix<double> packed(size, size);
  for (Index i = 0; i < size; ++i)
    for (Index j = 0; j <= i; ++j) packed(i, j) = factor(i, j);
  return {std::move(which), std::move(packed)};
}

}  // namespace

template <class T>
LowRank pivoted_cholesky(const Kernel& kernel, const MahalanobisPoints<T>& points,
                         const PivotedCholeskyOptions& options) {
  if (options.rank < 0) throw InputError(text("pivoted_cholesky: rank is ", options.rank, "; it must not be negative"));
  check_threads("pivoted_cholesky", options.threads);
  const ThreadLimit limit(options.threads);
  const Index n = points.size(), rank = std::min(options.rank, n);
  const double rounding = 10 * static_cast<double>(n) * static_cast<double>(std::numeric_limits<T>::epsilon());
  const double enough = std::max(options.residual_trace, rounding);
  std::vector<double> diagonal(static_cast<std::size_t>(n), 1);  // k(0) = 1
  LowRank result{Matrix<double>(rank, n), static_cast<double>(n)};
  Index taken = 0;
  for (std::uint32_t batch = 0; taken < rank && result.residual_trace > enough; ++batch) {
    const Index count = std::min(batch_rows, rank - taken);
    std::vector<double> choose(static_cast<std::size_t>(count)), accept = choose, drawn_from;
    const RandomRows random(options.seed, Stream::pivots, batch);
    random.uniform<double>(0, choose);
    random.uniform<double>(1, accept);
    const std::vector<Index> chosen = proposals(diagonal, choose);

    Matrix<T> coordinates(count, points.rank()), values(count, n);
    Matrix<double> before(taken, count), small(count, count);
    for (Index i = 0; i < count; ++i) {
      const Index at = chosen[static_cast<std::size_t>(i)];
      std::ranges::copy(points.coordinates().row(at), coordinates.row(i).begin());
      for (Index k = 0; k < taken; ++k) before(k, i) = result.factor(k, at);
      drawn_from.push_back(diagonal[static_cast<std::size_t>(at)]);
    }
    kernel_matrix<T>(kernel, MahalanobisPoints<T>(std::move(coordinates)), points, values, options.threads);
    Matrix<double> rows(count, n);
    std::ranges::copy(values.span(), rows.span().begin());
    // (taken x count)ᵀ, taken x n
    gemm<double>(before, result.factor.view().row_block(0, taken), rows, {.a = true}, -1, 1);
    for (Index i = 0; i < count; ++i)
      for (Index j = 0; j < count; ++j) small(i, j) = rows(i, chosen[static_cast<std::size_t>(j)]);

    const Accepted pivots = accepted(small, drawn_from, accept);
    const auto size = static_cast<Index>(pivots.which.size());
    if (size == 0) break;  // what is left is rounding
    const MatrixView<double> added = result.factor.view().row_block(taken, size);
    for (Index i = 0; i < size; ++i)
      std::ranges::copy(rows.row(pivots.which[static_cast<std::size_t>(i)]), added.row(i).begin());
    triangular_solve<double>(pivots.factor, added);
    for (Index i = 0; i < size; ++i) {
      const double* const row = added.row(i).data();
#pragma omp simd
      for (Index j = 0; j < n; ++j) {
        const double left = diagonal[static_cast<std::size_t>(j)] - row[j] * row[j];
        diagonal[static_cast<std::size_t>(j)] = left > 0 ? left : 0;
      }
    }
    for (const Index i : pivots.which) diagonal[static_cast<std::size_t>(chosen[static_cast<std::size_t>(i)])] = 0;
    result.residual_trace = total(std::span<const double>(diagonal));
    taken += size;
  }
  result.factor.resize(taken, n);
  return result;
}

template LowRank pivoted_cholesky(const Kernel&, const MahalanobisPoints<float>&, const PivotedCholeskyOptions&);
template LowRank pivoted_cholesky(const Kernel&, const MahalanobisPoints<double>&, const PivotedCholeskyOptions&);

}  // namespace normalign

#include "rfm/preconditioned_cg.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/row_blocks.hpp"
#include "rfm/pivoted_cholesky.hpp"

namespace normalign {
namespace {

// Products with the symmetric matrix K, of which each value below the diagonal serves twice.
template <class T, class Kept>
class KernelOperator {
 public:
  // Keeps values of K in up to `memory` bytes.
  KernelOperator(const Kernel& kernel, const MahalanobisPoints<T>& points, double memory, int threads)
      : kernel_(kernel), points_(points), threads_(threads), blocks_(kernel_blocks(points.size())) {
    const auto n = static_cast<double>(points.size());
    const double all = sizeof(Kept) * n * (n + static_cast<double>(kernel_block_rows)) / 2;
    kept_share_ = std::clamp(memory / all, 0.0, 1.0);
    kept_.resize(static_cast<std::size_t>(blocks_));
  }

  // product <- K p + shift p, both n x c.
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
        add_block(pair, is_kept(pair), p, sum, work);
        if (const Index other = blocks_ - 1 - pair; other != pair) add_block(other, is_kept(pair), p, sum, work);
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

  // Of every so many pairs of blocks one is kept, so that the threads have equal shares of work.
  bool is_kept(Index pair) const {
    const auto before = [&](Index i) { return std::floor(static_cast<double>(i) * kept_share_); };
    return before(pair + 1) > before(pair);
  }

  // Adds K's rows of a block up to the diagonal times p, and what is left of the diagonal transposed times p.
  void add_block(Index block, bool keep, ConstView<double> p, MatrixView<double> sum, Workspace& work) {
    const Index first = block * kernel_block_rows, rows = std::min(kernel_block_rows, points_.size() - first);
    std::vector<Kept>& kept = kept_[static_cast<std::size_t>(block)];
    const bool known = !kept.empty();
    if (keep && !known) kept.resize(static_cast<std::size_t>(rows * (first + rows)));
    for (Index col = 0; col < first + rows;) {
      const bool diagonal = col == first;
      const Index cols = diagonal ? rows : std::min(kernel_tile_cols, first - col);
      work.values.resize(rows, cols);
      if (!known) {
        work.tile.resize(rows, cols);
        points_.squared_distances(first, points_, col, work.tile);
        kernel_values(kernel_, work.tile.span());
        if (!keep) std::ranges::copy(work.tile.span(), work.values.span().begin());
      }
      if (keep) {
        Kept* const at = kept.data() + rows * col;
        if (!known) std::ranges::transform(work.tile.span(), at, [](T value) { return static_cast<Kept>(value); });
        std::copy_n(at, rows * cols, work.values.data());
      }
      // rows x cols, cols x c; (rows x cols)ᵀ, rows x c
      gemm<double>(work.values, p.row_block(col, cols), sum.row_block(first, rows), {}, 1, 1);
      if (!diagonal) gemm<double>(work.values, p.row_block(first, rows), sum.row_block(col, cols), {.a = true}, 1, 1);
      col += cols;
    }
  }

  const Kernel& kernel_;
  const MahalanobisPoints<T>& points_;
  int threads_;
  Index blocks_;
  double kept_share_ = 0;
  std::vector<std::vector<Kept>> kept_;  // by block
  std::vector<Matrix<double>> sums_;
  std::vector<std::exception_ptr> failures_;
};

// (FᵀF + mu I)⁻¹ = (I - Fᵀ (F Fᵀ + mu I)⁻¹ F) / mu.
class Preconditioner {
 public:
  Preconditioner(LowRank approximation, double regularisation) : factor_(std::move(approximation.factor)) {
    const auto n = static_cast<double>(factor_.cols());
    const Index k = factor_.rows();
    // With less the solution below would be rounding.
    mu_ = std::max({regularisation, approximation.residual_trace / n * 1e-3, 1e-12 * n});
    inner_ = Matrix<double>(k, k);
    // k x n, (k x n)ᵀ
    gemm<double>(factor_, factor_, inner_, {.b = true});
    for (Index i = 0; i < k; ++i) inner_(i, i) += mu_;
    if (!cholesky<double>(inner_))
      throw RunError(text("preconditioner: the matrix of rank ", k, " and shift ", mu_, " is not positive definite"));
  }

  Index rank() const { return factor_.rows(); }

  // z <- (FᵀF + mu I)⁻¹ r, both n x c.
  void solve(ConstView<double> r, MatrixView<double> z) const {
    Matrix<double> inner(rank(), r.cols());
    // k x n, n x c
    gemm<double>(factor_, r, inner);
    cholesky_solve<double>(inner_, inner);
    std::ranges::copy(r.span(), z.span().begin());
    // (k x n)ᵀ, k x c
    gemm<double>(factor_, inner, z, {.a = true}, -1 / mu_, 1 / mu_);
  }

 private:
  Matrix<double> factor_, inner_;  // F, k x n; L of F Fᵀ + mu I, k x k
  double mu_ = 0;
};

// The products of columns a_j b_j.
std::vector<double> column_products(ConstView<double> a, ConstView<double> b) {
  std::vector<double> sums(static_cast<std::size_t>(a.cols()));
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) sums[static_cast<std::size_t>(j)] += a(i, j) * b(i, j);
  return sums;
}

// to <- to + from diag(factors).
void add_scaled(std::span<const double> factors, ConstView<double> from, MatrixView<double> to) {
  for (Index i = 0; i < to.rows(); ++i)
    for (Index j = 0; j < to.cols(); ++j) to(i, j) += factors[static_cast<std::size_t>(j)] * from(i, j);
}

template <class T, class Kept>
RidgeSolution<T> solution(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                          const RidgeOptions& options) {
  const Index n = y.rows(), c = y.cols();
  const double affordable = std::floor(options.memory / 4 / (8 * static_cast<double>(std::max<Index>(n, 1))));
  const Index rank = static_cast<Index>(std::min(static_cast<double>(options.preconditioner_rank), affordable));
  const Preconditioner preconditioner(
      pivoted_cholesky<T>(
          kernel, points,
          {.rank = rank, .residual_trace = options.regularisation, .seed = options.seed, .threads = options.threads}),
      options.regularisation);
  const double used = 8 * static_cast<double>(preconditioner.rank()) * static_cast<double>(n);
  KernelOperator<T, Kept> matrix(kernel, points, options.memory - used, options.threads);

  RidgeReport report{.method = RidgeMethod::conjugate_gradients, .rank = preconditioner.rank()};
  Matrix<double> a(n, c), r(n, c), z(n, c), q(n, c);
  std::ranges::copy(y.span(), r.span().begin());
  const std::vector<double> squares = column_products(r, r);
  preconditioner.solve(r, z);
  Matrix<double> p = z;
  std::vector<double> rz = column_products(r, z), step(squares.size()), minus = step;
  const auto columns = squares.size();
  std::vector<bool> active(columns);
  for (std::size_t j = 0; j < columns; ++j) active[j] = squares[j] > 0;
  while (std::ranges::find(active, true) != active.end() && report.iterations < options.most_iterations) {
    ++report.iterations;
    matrix.multiply(p, options.regularisation, q);
    const std::vector<double> curvature = column_products(p, q);
    for (std::size_t j = 0; j < columns; ++j) {
      active[j] = active[j] && curvature[j] > 0;
      step[j] = active[j] ? rz[j] / curvature[j] : 0;
      minus[j] = -step[j];
    }
    add_scaled(step, p, a);
    add_scaled(minus, q, r);
    const std::vector<double> left = column_products(r, r);
    for (std::size_t j = 0; j < columns; ++j)
      active[j] = active[j] && left[j] > options.tolerance * options.tolerance * squares[j];
    preconditioner.solve(r, z);
    const std::vector<double> next = column_products(r, z);
    for (std::size_t j = 0; j < columns; ++j) step[j] = active[j] ? next[j] / rz[j] : 0;
    rz = next;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < c; ++j) p(i, j) = z(i, j) + step[static_cast<std::size_t>(j)] * p(i, j);
  }
  const std::vector<double> left = column_products(r, r);
  for (std::size_t j = 0; j < columns; ++j)
    if (squares[j] > 0) report.residual = std::max(report.residual, std::sqrt(left[j] / squares[j]));
  report.converged = report.residual <= options.tolerance;
  RidgeSolution<T> result{Matrix<T>(n, c), report};
  std::ranges::transform(a.span(), result.coefficients.span().begin(), [](double v) { return static_cast<T>(v); });
  return result;
}

}  // namespace

template <class T>
RidgeSolution<T> ridge_by_conjugate_gradients(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                              const RidgeOptions& options) {
  check(kernel);
  check(options);
  if (y.rows() != points.size())
    throw InputError(text("ridge: y is ", y.shape(), " but there are ", points.size(), " points"));
  const ThreadLimit limit(options.threads);
  const double rounding = 1e-8 * std::sqrt(static_cast<double>(points.size()));
  if (rounding <= 0.01 * options.regularisation) return solution<T, float>(kernel, points, y, options);
  return solution<T, T>(kernel, points, y, options);
}

template RidgeSolution<float> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<float>&,
                                                           ConstView<float>, const RidgeOptions&);
template RidgeSolution<double> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<double>&,
                                                            ConstView<double>, const RidgeOptions&);

}  // namespace normalign

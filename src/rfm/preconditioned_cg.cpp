#include "rfm/preconditioned_cg.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/infinity.hpp"
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
  // Keeps values of K in up to `memory` bytes, which `kept` gives; what stands there before does not matter.
  KernelOperator(const Kernel& kernel, const MahalanobisPoints<T>& points, double memory, int threads,
                 LargeVector<Kept>& kept)
      : kernel_(kernel),
        points_(points),
        threads_(threads),
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

  // The lower triangle of out <- that of K, n x n.
  void copy_to(MatrixView<float> out) {
    parallel_for(threads_, (blocks_ + 1) / 2, failures_, [&](Index pair) {
      Workspace work;
      const auto copy_block = [&](Index block) {
        visit_tiles(block, work, [&](RowBlock rows, RowBlock cols) {
          for (Index i = 0; i < rows.count; ++i)
            std::ranges::transform(work.values.row(i), &out(rows.first + i, cols.first),
                                   [](double value) { return static_cast<float>(value); });
        });
      };
      copy_block(pair);
      if (const Index other = blocks_ - 1 - pair; other != pair) copy_block(other);
    });
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
    visit_tiles(block, work, [&](RowBlock rows, RowBlock cols) {
      const ConstView<double> p_rows = p.row_block(rows.first, rows.count);
      const ConstView<double> p_cols = p.row_block(cols.first, cols.count);
      // rows x cols, cols x c; (rows x cols)ᵀ, rows x c
      gemm<double>(work.values, p_cols, sum.row_block(rows.first, rows.count), {}, 1, 1);
      if (rows.first != cols.first)
        gemm<double>(work.values, p_rows, sum.row_block(cols.first, cols.count), {.a = true}, 1, 1);
    });
  }

  // Calls visit(rows, cols) for each tile of a block of K's rows, from the left to the diagonal, with its values in
  // `work.values`.
  template <class Visit>
  void visit_tiles(Index block, Workspace& work, const Visit& visit) {
    const RowBlock rows = kernel_block(points_.size(), block);
    Place& place = places_[static_cast<std::size_t>(block)];
    for (Index col = 0; col < rows.first + rows.count;) {
      const Index cols = col == rows.first ? rows.count : std::min(kernel_tile_cols, rows.first - col);
      Kept* const at = place.kept ? kept_.data() + place.first + rows.count * col : nullptr;
      work.values.resize(rows.count, cols);
      if (!place.filled) {
        work.tile.resize(rows.count, cols);
        points_.squared_distances(rows.first, points_, col, work.tile);
        kernel_values(kernel_, work.tile.span());
        if (place.kept)
          std::ranges::transform(work.tile.span(), at, [](T value) { return static_cast<Kept>(value); });
        else
          std::ranges::copy(work.tile.span(), work.values.span().begin());
      }
      if (place.kept) std::copy_n(at, rows.count * cols, work.values.data());
      visit(rows, RowBlock{.first = col, .count = cols});
      col += cols;
    }
    place.filled = place.kept;
  }

  const Kernel& kernel_;
  const MahalanobisPoints<T>& points_;
  int threads_;
  Index blocks_;
  LargeVector<Kept>& kept_;
  std::vector<Place> places_;  // by block
  std::vector<Matrix<double>> sums_;
  std::vector<std::exception_ptr> failures_;
};

// (FᵀF + mu I)⁻¹ = (I - Fᵀ (F Fᵀ + mu I)⁻¹ F) / mu.
class LowRankPreconditioner {
 public:
  LowRankPreconditioner(LowRank approximation, double regularisation) : factor_(std::move(approximation.factor)) {
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

// (L Lᵀ)⁻¹ with a Cholesky factor L in float.
class FloatPreconditioner {
 public:
  explicit FloatPreconditioner(ConstView<float> factor) : factor_(factor) {}

  // z <- (L Lᵀ)⁻¹ r, both n x c.
  void solve(ConstView<double> r, MatrixView<double> z) const {
    Matrix<float> rounded = converted<float>(r);
    cholesky_solve<float>(factor_, rounded);
    std::ranges::copy(rounded.span(), z.span().begin());
  }

 private:
  ConstView<float> factor_;
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

template <class T>
void check_system(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                  const RidgeOptions& options) {
  check(kernel);
  check(options);
  if (y.rows() != points.size())
    throw InputError(text("ridge: y is ", y.shape(), " but there are ", points.size(), " points"));
}

// When conjugate gradients end: at a residual of `tolerance` times y's, per column, or after so many iterations.
struct Stop {
  double tolerance;
  Index most_iterations;
};

// Of a refinement. Where more iterations than that are needed the float factor is too far from the matrix.
constexpr Stop refinement_stop{.tolerance = 1e-11, .most_iterations = 40};

// The solution a of (K + shift I) a = y, from 0 on; the iterations, the residual and `converged` go into the report.
template <class T, class Operator, class Preconditioner>
RidgeSolution<T> conjugate_gradients(Operator& matrix, double shift, const Preconditioner& preconditioner,
                                     ConstView<T> y, Stop stop, RidgeReport report) {
  const Index n = y.rows(), c = y.cols();
  Matrix<double> a(n, c), r(n, c), z(n, c), q(n, c);
  std::ranges::copy(y.span(), r.span().begin());
  const std::vector<double> squares = column_products(r, r);
  preconditioner.solve(r, z);
  Matrix<double> p = z;
  std::vector<double> rz = column_products(r, z), step(squares.size()), minus = step;
  const auto columns = squares.size();
  std::vector<bool> active(columns);
  for (std::size_t j = 0; j < columns; ++j) active[j] = squares[j] > 0;
  while (std::ranges::find(active, true) != active.end() && report.iterations < stop.most_iterations) {
    ++report.iterations;
    matrix.multiply(p, shift, q);
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
      active[j] = active[j] && left[j] > stop.tolerance * stop.tolerance * squares[j];
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
  report.converged = report.residual <= stop.tolerance;
  return {converted<T>(a.view()), report};
}

template <class T, class Kept>
RidgeSolution<T> low_rank_solution(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                   const RidgeOptions& options) {
  const Index n = y.rows();
  const double affordable = std::floor(options.memory / 4 / (8 * static_cast<double>(std::max<Index>(n, 1))));
  const Index rank = static_cast<Index>(std::min(static_cast<double>(options.preconditioner_rank), affordable));
  const LowRankPreconditioner preconditioner(
      pivoted_cholesky<T>(
          kernel, points,
          {.rank = rank, .residual_trace = options.regularisation, .seed = options.seed, .threads = options.threads}),
      options.regularisation);
  const double used = 8 * static_cast<double>(preconditioner.rank()) * static_cast<double>(n);
  LargeVector<Kept> kept;
  KernelOperator<T, Kept> matrix(kernel, points, options.memory - used, options.threads, kept);
  return conjugate_gradients<T>(matrix, options.regularisation, preconditioner, y,
                                {.tolerance = options.tolerance, .most_iterations = options.most_iterations},
                                {.method = RidgeMethod::conjugate_gradients, .rank = preconditioner.rank()});
}

}  // namespace

template <class T>
RidgeSolution<T> ridge_by_conjugate_gradients(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                              const RidgeOptions& options) {
  check_system(kernel, points, y, options);
  const ThreadLimit limit(options.threads);
  const double rounding = 1e-8 * std::sqrt(static_cast<double>(points.size()));
  if (rounding <= 0.01 * options.regularisation) return low_rank_solution<T, float>(kernel, points, y, options);
  return low_rank_solution<T, T>(kernel, points, y, options);
}

std::optional<RidgeSolution<double>> ridge_by_refinement(const Kernel& kernel, const MahalanobisPoints<double>& points,
                                                         ConstView<double> y, const RidgeOptions& options,
                                                         RidgeWorkspace<double>& workspace) {
  check_system(kernel, points, y, options);
  const ThreadLimit limit(options.threads);
  KernelOperator<double, double> matrix(kernel, points, infinity, options.threads, workspace.tiles);
  Matrix<float>& factor = workspace.factor;
  factor.resize(y.rows(), y.rows());
  matrix.copy_to(factor);
  for (Index i = 0; i < y.rows(); ++i) factor(i, i) += static_cast<float>(options.regularisation);
  if (!cholesky<float>(factor)) return std::nullopt;
  RidgeSolution<double> solution =
      conjugate_gradients<double>(matrix, options.regularisation, FloatPreconditioner(factor), y, refinement_stop,
                                  {.method = RidgeMethod::refined_cholesky});
  if (!solution.report.converged) return std::nullopt;
  return solution;
}

template RidgeSolution<float> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<float>&,
                                                           ConstView<float>, const RidgeOptions&);
template RidgeSolution<double> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<double>&,
                                                            ConstView<double>, const RidgeOptions&);

}  // namespace normalign

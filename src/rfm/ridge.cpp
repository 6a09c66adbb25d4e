#include "rfm/ridge.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

#include "base/memory.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/row_blocks.hpp"
#include "rfm/preconditioned_cg.hpp"

namespace normalign {
namespace {

// Whether n x n values of type T fit.
template <class T>
bool fits(Index n, const RidgeOptions& options) {
  return sizeof(T) * static_cast<double>(n) * static_cast<double>(n) <= options.memory;
}

// Solves in place of y; false where the factorisation fails.
template <class T>
bool solve(const Kernel& kernel, const MahalanobisPoints<T>& points, MatrixView<T> y, const RidgeOptions& options,
           Matrix<T>& matrix) {
  const StopPoll stop("ridge", options.stop);
  const Index n = points.size();
  matrix.resize(n, n);
  kernel_matrix<T>(kernel, points, matrix, options.threads, stop);
  for (Index i = 0; i < n; ++i) matrix(i, i) += static_cast<T>(options.regularisation);
  const ThreadLimit limit(options.threads);
  if (!cholesky<T>(matrix, stop)) return false;
  cholesky_solve<T>(matrix, y);
  return true;
}

}  // namespace

void check(const RidgeOptions& options) {
  if (!(options.regularisation >= 0 && std::isfinite(options.regularisation)))
    throw InputError(text("ridge: regularisation is ", options.regularisation, "; it must be finite and not negative"));
  if (!(options.memory >= 0)) throw InputError(text("ridge: memory is ", options.memory, "; it must not be negative"));
  if (!(options.tolerance > 0 && options.tolerance < 1))
    throw InputError(text("ridge: tolerance is ", options.tolerance, "; it must be above 0 and below 1"));
  if (options.most_iterations < 1)
    throw InputError(text("ridge: most_iterations is ", options.most_iterations, "; it must be positive"));
  if (options.preconditioner_rank < 0)
    throw InputError(text("ridge: preconditioner_rank is ", options.preconditioner_rank, "; it must not be negative"));
  check_threads("ridge", options.threads);
}

template <class T>
RidgeSolution<T> ridge(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                       const RidgeOptions& options) {
  RidgeWorkspace<T> workspace;
  return ridge<T>(kernel, points, y, options, workspace);
}

template <class T>
RidgeSolution<T> ridge(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                       const RidgeOptions& options, RidgeWorkspace<T>& workspace) {
  const Index n = points.size();
  if (y.rows() != n) throw InputError(text("ridge: y is ", y.shape(), " but there are ", n, " points"));
  check(kernel);
  check(options);
  if (!fits<T>(n, options)) return ridge_by_conjugate_gradients<T>(kernel, points, y, options);
  if (workspace.matrix.size() < n * n && workspace.factor.size() < n * n)
    require_memory(sizeof(T) * static_cast<double>(n) * static_cast<double>(n),
                   text("ridge: the kernel matrix of ", n, " points"));
  RidgeSolution<T> solution{Matrix<T>(y), {}};
  if constexpr (std::is_same_v<T, double>) {
    if (iterations_worth_it(n, y.cols()) >= fewest_iterations)
      if (std::optional<RidgeSolution<double>> found = ridge_by_few_iterations(kernel, points, y, options, workspace))
        return *std::move(found);
    if (n >= std::max(refined_points, refined_points_per_column * y.cols())) {
      if (std::optional<RidgeSolution<double>> refined = ridge_by_refinement(kernel, points, y, options, workspace))
        return *std::move(refined);
      workspace = {};
      solution.report.in_double = true;
    }
  }
  if (solve<T>(kernel, points, solution.coefficients, options, workspace.matrix)) return solution;
  if constexpr (std::is_same_v<T, float>) {
    if (!fits<double>(n, options)) return ridge_by_conjugate_gradients<T>(kernel, points, y, options);
    Matrix<double> coefficients = converted<double>(y), matrix;
    if (solve<double>(kernel, MahalanobisPoints<double>(converted<double>(points.coordinates())), coefficients, options,
                      matrix))
      return {converted<T>(coefficients.view()), {.in_double = true}};
  }
  throw RunError(text("ridge: the kernel matrix of ", n, " points with regularisation ", options.regularisation,
                      " is not positive definite up to rounding"));
}

#define NORMALIGN_INSTANTIATE(T)                                                                                  \
  template RidgeSolution<T> ridge(const Kernel&, const MahalanobisPoints<T>&, ConstView<T>, const RidgeOptions&); \
  template RidgeSolution<T> ridge(const Kernel&, const MahalanobisPoints<T>&, ConstView<T>, const RidgeOptions&,  \
                                  RidgeWorkspace<T>&);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

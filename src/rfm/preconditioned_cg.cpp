#include "rfm/preconditioned_cg.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "linalg/cholesky.hpp"
#include "rfm/block_cg.hpp"
#include "rfm/factorised_nystrom.hpp"
#include "rfm/kernel_operator.hpp"

namespace normalign {
namespace {

// (L Lᵀ)⁻¹ with a Cholesky factor L in float.
class FloatPreconditioner {
 public:
  explicit FloatPreconditioner(ConstView<float> factor) : factor_(factor) {}

  // z <- (L Lᵀ)⁻¹ r, both n x c.
  void solve(ConstView<double> r, MatrixView<double> z) {
    rounded_.resize(r.rows(), r.cols());
    std::ranges::transform(r.span(), rounded_.span().begin(), [](double value) { return static_cast<float>(value); });
    cholesky_solve<float>(factor_, rounded_);
    std::ranges::copy(rounded_.span(), z.span().begin());
  }

 private:
  ConstView<float> factor_;
  Matrix<float> rounded_;
};

template <class T>
void check_system(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                  const RidgeOptions& options) {
  check(kernel);
  check(options);
  if (y.rows() != points.size())
    throw InputError(text("ridge: y is ", y.shape(), " but there are ", points.size(), " points"));
}

// When conjugate gradients end: at a residual of `tolerance` times y's, per column, or after so many iterations.
struct End {
  double tolerance;
  Index most_iterations;
  bool foresees = false;  // whether they end, too, where so many will not do
};

// What takes the place of a factorisation in double is to be as accurate.
constexpr double exact = 1e-11;

// Of a refinement. Where more iterations than that are needed the float factor is too far from the matrix.
constexpr End refinement_end{.tolerance = exact, .most_iterations = 40};

// The solution a of (K + shift I) a = y, from 0 on; the iterations, the residual and `converged` go into the report.
template <class T, class Operator, class Preconditioner>
RidgeSolution<T> conjugate_gradients(Operator& matrix, double shift, Preconditioner& preconditioner, ConstView<T> y,
                                     End end, RidgeReport report) {
  const Matrix<double> right = converted<double>(y);
  const std::vector<double> lengths = column_lengths(right);
  BlockConjugateGradients<Operator, Preconditioner> iteration(matrix, shift, preconditioner, right);
  const auto residual = [&] {
    const std::vector<double> left = iteration.residual_lengths();
    double worst = 0;
    for (std::size_t j = 0; j < left.size(); ++j)
      if (lengths[j] > 0) worst = std::max(worst, left[j] / lengths[j]);
    return worst;
  };
  report.residual = residual();
  // At the mean rate so far. The last iterations are the fastest, hence the half more.
  const auto is_hopeless = [&] {
    constexpr Index first_seen = 8;
    return end.foresees && report.iterations >= first_seen &&
           static_cast<double>(report.iterations) * std::log(end.tolerance) <
               1.5 * static_cast<double>(end.most_iterations) * std::log(report.residual);
  };
  while (report.residual > end.tolerance && report.iterations < end.most_iterations && !is_hopeless() &&
         iteration.step()) {
    ++report.iterations;
    report.residual = residual();
  }
  report.converged = report.residual <= end.tolerance;
  return {converted<T>(iteration.solution().view()), report};
}

// What a quarter of the memory holds for n points: neighbours first, of which each takes four floats a point.
FactorisedNystromOptions preconditioner_options(Index n, const RidgeOptions& options, const StopPoll& stop) {
  const double floats = std::floor(options.memory / 4 / (sizeof(float) * static_cast<double>(std::max<Index>(n, 1))));
  const double neighbours =
      std::min(static_cast<double>(FactorisedNystromOptions{}.neighbours), std::floor(floats / 8));
  return {.landmarks =
              static_cast<Index>(std::min(static_cast<double>(options.preconditioner_rank), floats - 4 * neighbours)),
          .neighbours = static_cast<Index>(neighbours),
          .seed = options.seed,
          .threads = options.threads,
          .stop = stop};
}

template <class T, class Kept>
RidgeSolution<T> iterated_solution(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                   const RidgeOptions& options, End end, LargeVector<Kept>& kept) {
  const ThreadLimit limit(options.threads);
  const StopPoll stop("ridge", options.stop);
  const FactorisedNystromOptions made_of = preconditioner_options(y.rows(), options, stop);
  FactorisedNystrom preconditioner(kernel, points, options.regularisation, made_of);
  const double used =
      sizeof(float) * static_cast<double>(y.rows()) * static_cast<double>(made_of.landmarks + 4 * made_of.neighbours);
  KernelOperator<T, Kept> matrix(kernel, points, options.memory - used, options.threads, kept, stop);
  return conjugate_gradients<T>(matrix, options.regularisation, preconditioner, y, end,
                                {.method = RidgeMethod::conjugate_gradients, .rank = preconditioner.landmarks()});
}

}  // namespace

template <class T>
RidgeSolution<T> ridge_by_conjugate_gradients(const Kernel& kernel, const MahalanobisPoints<T>& points, ConstView<T> y,
                                              const RidgeOptions& options) {
  check_system(kernel, points, y, options);
  const End end{.tolerance = options.tolerance, .most_iterations = options.most_iterations};
  const double rounding = 1e-8 * std::sqrt(static_cast<double>(points.size()));
  if (rounding <= 0.01 * options.regularisation) {
    LargeVector<float> kept;
    return iterated_solution<T, float>(kernel, points, y, options, end, kept);
  }
  LargeVector<T> kept;
  return iterated_solution<T, T>(kernel, points, y, options, end, kept);
}

Index iterations_worth_it(Index n, Index c) {
  // Nanoseconds on a core with AVX-512, over n²: a factorisation takes n³ / 450, the preconditioner 50,000 n, an
  // iteration n² (0.3 + 0.03 c).
  const double points = static_cast<double>(n), iteration = 0.3 + 0.03 * static_cast<double>(c);
  const double worth = (points / 450 - 50e3 / std::max(points, 1.0)) / iteration;
  return static_cast<Index>(std::max(worth, 0.0));
}

std::optional<RidgeSolution<double>> ridge_by_few_iterations(const Kernel& kernel,
                                                             const MahalanobisPoints<double>& points,
                                                             ConstView<double> y, const RidgeOptions& options,
                                                             RidgeWorkspace<double>& workspace) {
  check_system(kernel, points, y, options);
  const End end{.tolerance = exact, .most_iterations = iterations_worth_it(y.rows(), y.cols()), .foresees = true};
  RidgeOptions whole = options;
  whole.memory = infinity;
  RidgeSolution<double> solution = iterated_solution<double, double>(kernel, points, y, whole, end, workspace.tiles);
  if (!solution.report.converged) return std::nullopt;
  return solution;
}

std::optional<RidgeSolution<double>> ridge_by_refinement(const Kernel& kernel, const MahalanobisPoints<double>& points,
                                                         ConstView<double> y, const RidgeOptions& options,
                                                         RidgeWorkspace<double>& workspace) {
  check_system(kernel, points, y, options);
  const ThreadLimit limit(options.threads);
  const StopPoll stop("ridge", options.stop);
  KernelOperator<double, double> matrix(kernel, points, infinity, options.threads, workspace.tiles, stop);
  Matrix<float>& factor = workspace.factor;
  factor.resize(y.rows(), y.rows());
  matrix.copy_to(factor);
  for (Index i = 0; i < y.rows(); ++i) factor(i, i) += static_cast<float>(options.regularisation);
  if (!cholesky<float>(factor, stop)) return std::nullopt;
  FloatPreconditioner preconditioner(factor);
  RidgeSolution<double> solution = conjugate_gradients<double>(
      matrix, options.regularisation, preconditioner, y, refinement_end, {.method = RidgeMethod::refined_cholesky});
  if (!solution.report.converged) return std::nullopt;
  return solution;
}

template RidgeSolution<float> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<float>&,
                                                           ConstView<float>, const RidgeOptions&);
template RidgeSolution<double> ridge_by_conjugate_gradients(const Kernel&, const MahalanobisPoints<double>&,
                                                            ConstView<double>, const RidgeOptions&);

}  // namespace normalign

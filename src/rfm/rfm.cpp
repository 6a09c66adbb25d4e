#include "rfm/rfm.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "linalg/blas.hpp"
#include "linalg/lapack.hpp"
#include "linalg/row_blocks.hpp"
#include "rfm/agop.hpp"

namespace normalign {
namespace {

template <class T>
void check_finite(const char* name, ConstView<T> values) {
  for (const T value : values.span())
    if (!std::isfinite(value)) throw InputError(text("Rfm: ", name, " holds ", value, "; it must be finite"));
}

// (n - 1)⁻¹ sum of (x - mean)(x - mean)ᵀ; 0 for a single row.
template <class T>
Matrix<T> covariance(ConstView<T> x) {
  const Index n = x.rows(), d = x.cols();
  Matrix<T> result(d, d), centred(x);
  if (n < 2) return result;
  for (Index j = 0; j < d; ++j) {
    double sum = 0;
    for (Index i = 0; i < n; ++i) sum += static_cast<double>(x(i, j));
    const T mean = static_cast<T>(sum / static_cast<double>(n));
    for (Index i = 0; i < n; ++i) centred(i, j) -= mean;
  }
  // (n x d)ᵀ, n x d
  syrk<T>(centred, result, static_cast<T>(1.0 / static_cast<double>(n - 1)));
  return result;
}

// The metric with a trace of `inputs`, of its rows where that is 0; `beyond` is the trace of directions that it has no
// rows for.
template <class T>
Matrix<T> scaled(Matrix<T> metric, double beyond, Index inputs) {
  double trace = beyond;
  for (Index i = 0; i < metric.rows(); ++i) trace += static_cast<double>(metric(i, i));
  const auto wanted = static_cast<double>(inputs == 0 ? metric.rows() : inputs);
  if (trace > 1e-10)
    for (T& value : metric.span()) value = static_cast<T>(value * (wanted / trace));
  return metric;
}

}  // namespace

void check(const RfmOptions& options) {
  check(options.kernel);
  if (!(options.identity_share >= 0 && options.identity_share <= 1))
    throw InputError(text("Rfm: identity_share is ", options.identity_share, "; it must be from 0 to 1"));
  if (options.updates < 0) throw InputError(text("Rfm: updates is ", options.updates, "; it must not be negative"));
  if (options.agop_samples < 0)
    throw InputError(text("Rfm: agop_samples is ", options.agop_samples, "; it must not be negative"));
  if (!(options.power > 0 && std::isfinite(options.power)))
    throw InputError(text("Rfm: power is ", options.power, "; it must be positive and finite"));
  if (options.inputs < 0) throw InputError(text("Rfm: inputs is ", options.inputs, "; it must not be negative"));
  check(options.ridge);
}

template <class T>
Matrix<T> trace_normalised(Matrix<T> metric, Index inputs) {
  return scaled(std::move(metric), 0, inputs);
}

template <class T>
Matrix<T> initial_metric(ConstView<T> x, double identity_share, Index inputs) {
  Matrix<T> metric = covariance(x);
  for (T& value : metric.span()) value = static_cast<T>((1 - identity_share) * static_cast<double>(value));
  for (Index i = 0; i < metric.rows(); ++i) metric(i, i) += static_cast<T>(identity_share);
  const Index beyond = inputs == 0 ? 0 : inputs - x.cols();
  return scaled(std::move(metric), identity_share * static_cast<double>(beyond), inputs);
}

template <class T>
Matrix<T> semidefinite_power(ConstView<T> m, double p) {
  if (m.rows() != m.cols()) throw InputError(text("semidefinite_power: m is ", m.shape(), "; it must be square"));
  if (!(p > 0 && std::isfinite(p)))
    throw InputError(text("semidefinite_power: p is ", p, "; it must be positive and finite"));
  SymmetricEigen<T> eigen = symmetric_eigen(m);
  for (Index i = 0; i < m.rows(); ++i) {
    const double value = std::max(static_cast<double>(eigen.values[static_cast<std::size_t>(i)]), 0.0);
    const auto root = static_cast<T>(std::pow(value, p / 2));
    for (T& entry : eigen.vectors.row(i)) entry *= root;
  }
  Matrix<T> result(m.rows(), m.rows());
  // (d x d)ᵀ, d x d
  syrk<T>(eigen.vectors, result);
  return result;
}

std::vector<Index> bootstrap_counts(Index n, Index draws, RandomIntegers integers) {
  std::vector<Index> counts(static_cast<std::size_t>(n));
  for (Index i = 0; i < draws; ++i) ++counts[integers.below(static_cast<std::uint64_t>(n))];
  return counts;
}

template <class T>
Rfm<T>::Rfm(const RfmOptions& options) : options_(options) {
  check(options);
}

template <class T>
void Rfm<T>::fit(ConstView<T> x, ConstView<T> y, const Visit& visit) {
  fit(x, y, visit, StopPoll("Rfm", options_.ridge.stop));
}

template <class T>
void Rfm<T>::fit(ConstView<T> x, ConstView<T> y, const Visit& visit, const StopPoll& stop) {
  const Index n = x.rows();
  if (n < 1 || y.rows() != n)
    throw InputError(text("Rfm: x is ", x.shape(), " and y is ", y.shape(), "; both must have one row per sample"));
  if (options_.inputs != 0 && x.cols() > options_.inputs)
    throw InputError(
        text("Rfm: x is ", x.shape(), " and inputs is ", options_.inputs, "; x must not have more columns"));
  check_finite("x", x);
  check_finite("y", y);
  RidgeOptions ridge_options = options_.ridge;
  ridge_options.stop = stop.inner();
  Matrix<T> metric = initial_metric(x, options_.identity_share, options_.inputs);
  RidgeWorkspace<T> workspace;
  for (updates_ = 0;; ++updates_) {
    const MahalanobisPoints<T> points(x, mahalanobis_factor<T>(metric));
    RidgeSolution<T> solution = ridge<T>(options_.kernel, points, y, ridge_options, workspace);
    machine_ = KernelMachine<T>(options_.kernel, Matrix<T>(x), std::move(metric), std::move(solution.coefficients));
    const bool go_on = !visit || visit(updates_, machine_, solution.report);
    if (!go_on || updates_ == options_.updates) return;
    metric = trace_normalised(updated_metric(x, stop), options_.inputs);
  }
}

template <class T>
Matrix<T> Rfm<T>::updated_metric(ConstView<T> x, const StopPoll& stop) const {
  const Index n = x.rows();
  const int threads = options_.ridge.threads;
  const std::vector<Index> weights =
      options_.agop_samples == 0
          ? std::vector<Index>(static_cast<std::size_t>(n), 1)
          : bootstrap_counts(n, std::min(n, options_.agop_samples),
                             {options_.seed, Stream::bootstrap, static_cast<std::uint32_t>(updates_), options_.fit});
  Matrix<T> products = options_.centres_gradients ? centred_agop<T>(machine_, x, weights, threads, stop)
                                                  : agop<T>(machine_, x, weights, threads, stop);
  return options_.power == 1 ? products : semidefinite_power<T>(products, options_.power);
}

template <class T>
void Rfm<T>::fit(ConstView<T> x, ConstView<T> y, const Validation<T>& validation) {
  const StopPoll stop("Rfm", options_.ridge.stop);
  double best = -1;
  KernelMachine<T> best_machine;
  Index best_updates = 0;
  const auto keep_best = [&](Index updates, const KernelMachine<T>& machine, const RidgeReport&) {
    const Matrix<T> outputs = machine.outputs_at(validation.x, options_.ridge.threads, stop);
    if (const double found = accuracy<T>(outputs, validation.labels); found > best) {
      best = found;
      best_machine = machine;
      best_updates = updates;
    }
    return true;
  };
  fit(x, y, keep_best, stop);
  machine_ = std::move(best_machine);
  updates_ = best_updates;
}

template <class T>
double accuracy(ConstView<T> outputs, std::span<const std::int32_t> labels) {
  if (outputs.rows() < 1 || outputs.rows() != static_cast<Index>(labels.size()))
    throw InputError(text("accuracy: outputs are ", outputs.shape(), " and there are ", labels.size(),
                          " labels; there must be a row and one label per row"));
  Index right = 0;
  for (Index i = 0; i < outputs.rows(); ++i) {
    const std::span<const T> row = outputs.row(i);
    right += std::ranges::max_element(row) - row.begin() == labels[static_cast<std::size_t>(i)];
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(outputs.rows());
}

#define NORMALIGN_INSTANTIATE(T)                                  \
  template Matrix<T> trace_normalised(Matrix<T>, Index);          \
  template Matrix<T> initial_metric(ConstView<T>, double, Index); \
  template Matrix<T> semidefinite_power(ConstView<T>, double);    \
  template class Rfm<T>;                                          \
  template double accuracy(ConstView<T>, std::span<const std::int32_t>);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

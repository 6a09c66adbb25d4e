#include "geometry/linear_program.hpp"

#include <algorithm>
#include <cmath>
#include <coin/ClpEventHandler.hpp>
#include <coin/ClpSimplex.hpp>
#include <limits>
#include <optional>

#include "base/clock.hpp"
#include "base/infinity.hpp"
#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {
constexpr double residual_tolerance = 1e-8;
constexpr double gap_tolerance = 1e-9;

// CLP asks it at every iteration whether to go on.
class StopHandler : public ClpEventHandler {
 public:
  explicit StopHandler(StopPoll stop) : stop_(std::move(stop)) {}
  int event(Event which) override { return which == endOfIteration && stop_.has_ended() ? 0 : -1; }
  ClpEventHandler* clone() const override { return new StopHandler(*this); }

 private:
  StopPoll stop_;
};

std::span<const double> bounded(const double* values, Index count) { return {values, static_cast<std::size_t>(count)}; }

}  // namespace

struct LinearProgram::Model {
  Matrix<double> rows;          // m x n, of length 1 or 0
  Matrix<double> limits;        // 1 x m, divided by the lengths
  Matrix<double> low, high;     // 1 x n
  std::vector<double> lengths;  // m, as given; 1 for a row of zeros
  double seconds = infinity;    // for one answer
  StopPoll stop;
  bool has_start = false;  // the basis was given, and is the next answer's beginning
  ClpSimplex clp;

  void load();
  void end_by(const StopPoll& poll);
  std::optional<LinearSolution> verified_optimum(ConstView<double> objective) const;
  bool is_feasible() const;
  bool grows_without_end(ConstView<double> objective) const;
  LinearSolution solve(ConstView<double> objective, bool has_optimum);
};

void LinearProgram::Model::load() {
  const int m = static_cast<int>(rows.rows()), n = static_cast<int>(rows.cols());
  std::vector<double> values;
  std::vector<int> at;
  std::vector<CoinBigIndex> starts{0};
  for (int j = 0; j < n; ++j) {
    for (int i = 0; i < m; ++i)
      if (rows(i, j) != 0) {
        values.push_back(rows(i, j));
        at.push_back(i);
      }
    starts.push_back(static_cast<CoinBigIndex>(values.size()));
  }
  const std::vector<double> free(static_cast<std::size_t>(m), -infinity);
  clp.setLogLevel(0);
  clp.scaling(0);
  clp.setPrimalTolerance(1e-9);
  clp.setDualTolerance(1e-9);
  clp.loadProblem(n, m, starts.data(), at.data(), values.data(), low.data(), high.data(), nullptr, free.data(),
                  limits.data());
}

void LinearProgram::Model::end_by(const StopPoll& poll) {
  stop = poll;
  const StopHandler handler(poll);
  clp.passInEventHandler(&handler);
}

// CLP's answer where it is one: its point is feasible, and its multipliers y >= 0 prove that no point has a larger
// value than h'y + sum over j of the largest (c - G'y)_j x_j within the bounds.
std::optional<LinearSolution> LinearProgram::Model::verified_optimum(ConstView<double> objective) const {
  const Index m = rows.rows(), n = rows.cols();
  const std::span<const double> x = bounded(clp.primalColumnSolution(), n), y = bounded(clp.dualRowSolution(), m);
  LinearSolution found{.value = dot(objective.span(), x), .point = Matrix<double>(1, n)};
  std::ranges::copy(x, found.point.data());
  double largest = 1, objective_size = 1;
  for (const double value : x) largest = std::max(largest, std::abs(value));
  for (const double value : objective.span()) objective_size = std::max(objective_size, std::abs(value));

  std::vector<double> rest(objective.span().begin(), objective.span().end());
  double bound = 0;
  for (Index i = 0; i < m; ++i) {
    if (!(dot(rows.row(i), x) <= limits(0, i) + residual_tolerance * largest)) return std::nullopt;
    // CLP minimises -c'x, so its multipliers of G x <= h are not positive.
    const double multiplier = std::max(0.0, -y[static_cast<std::size_t>(i)]);
    found.multipliers.push_back(multiplier / lengths[static_cast<std::size_t>(i)]);
    if (multiplier == 0) continue;
    bound += multiplier * limits(0, i);
    for (Index j = 0; j < n; ++j) rest[static_cast<std::size_t>(j)] -= multiplier * rows(i, j);
  }
  for (Index j = 0; j < n; ++j) {
    const auto at = static_cast<std::size_t>(j);
    if (!(x[at] >= low(0, j) - residual_tolerance * largest && x[at] <= high(0, j) + residual_tolerance * largest))
      return std::nullopt;
    const double end = rest[at] > 0 ? high(0, j) : low(0, j);
    if (std::isfinite(end))
      bound += rest[at] * end;
    else if (std::abs(rest[at]) > residual_tolerance * objective_size)
      return std::nullopt;
    else
      bound += rest[at] * x[at];
  }
  if (!(std::abs(bound - found.value) <= gap_tolerance * std::max({1.0, std::abs(found.value), std::abs(bound)})))
    return std::nullopt;
  return found;
}

// Whether the least t with G x <= h + t, low <= x <= high is 0.
bool LinearProgram::Model::is_feasible() const {
  const Index m = rows.rows(), n = rows.cols();
  Matrix<double> relaxed(m, n + 1), from(1, n + 1), to(1, n + 1), objective(1, n + 1);
  for (Index i = 0; i < m; ++i) {
    std::ranges::copy(rows.row(i), relaxed.row(i).begin());
    relaxed(i, n) = -1;
  }
  std::ranges::copy(low.span(), from.data());
  std::ranges::copy(high.span(), to.data());
  to(0, n) = infinity;
  objective(0, n) = -1;
  LinearProgram program(relaxed, limits, from, to);
  program.end_by(stop);
  return program.model_->solve(objective, true).value > -residual_tolerance;
}

// Whether a direction of the feasible set, no entry above 1 in size, makes the objective grow.
bool LinearProgram::Model::grows_without_end(ConstView<double> objective) const {
  const Index n = rows.cols();
  Matrix<double> from(1, n), to(1, n);
  for (Index j = 0; j < n; ++j) {
    from(0, j) = std::isfinite(low(0, j)) ? 0 : -1;
    to(0, j) = std::isfinite(high(0, j)) ? 0 : 1;
  }
  double size = 0;
  for (const double value : objective.span()) size = std::max(size, std::abs(value));
  LinearProgram program(rows, Matrix<double>(1, rows.rows()), from, to);
  program.end_by(stop);
  return program.model_->solve(objective, true).value > residual_tolerance * size;
}

// `has_optimum`: the program is known to be feasible and bounded, so another status is a failure of CLP.
LinearSolution LinearProgram::Model::solve(ConstView<double> objective, bool has_optimum) {
  constexpr int clp_optimal = 0, clp_infeasible = 1, clp_unbounded = 2;
  constexpr int clp_sure = 0, clp_nothing_to_do = 6;  // secondary statuses; the latter without rows
  for (Index j = 0; j < objective.cols(); ++j) clp.setObjectiveCoefficient(static_cast<int>(j), -objective(0, j));
  const Clock::time_point start = Clock::now();
  for (int attempt = 0; attempt < 3; ++attempt) {
    // CLP takes a negative number for no limit.
    clp.setMaximumWallSeconds(seconds < infinity ? std::max(0.0, seconds - seconds_since(start)) : -1);
    {
      const detail::SingleThreadedBlas one_thread;
      // What changes between solves leaves the basis primal feasible most often.
      if (attempt > 0) clp.allSlackBasis(true);
      // A given basis is that of a program with other rows, and not primal feasible.
      if (attempt == 1 || (attempt == 0 && has_start))
        clp.dual();
      else
        clp.primal();
    }
    has_start = false;
    stop.check();
    const bool sure = clp.secondaryStatus() == clp_sure || clp.secondaryStatus() == clp_nothing_to_do;
    if (clp.status() == clp_optimal && sure) {
      if (auto found = verified_optimum(objective)) return *std::move(found);
    } else if (clp.status() == clp_infeasible && !has_optimum) {
      if (!is_feasible()) return {.status = LinearStatus::infeasible};
    } else if (clp.status() == clp_unbounded && !has_optimum) {
      if (grows_without_end(objective))
        return {.status = is_feasible() ? LinearStatus::unbounded : LinearStatus::infeasible};
    }
  }
  throw RunError(text("LinearProgram: CLP has no answer for ", rows.rows(), " rows and ", rows.cols(),
                      " variables that passes the check; its last status is ", clp.status(), ", secondary ",
                      clp.secondaryStatus()));
}

LinearProgram::LinearProgram(ConstView<double> rows, ConstView<double> limits, ConstView<double> low,
                             ConstView<double> high) {
  const Index m = rows.rows(), n = rows.cols();
  if (n < 1) throw InputError("LinearProgram: rows have no columns; there must be at least one variable");
  if (limits.shape() != Shape{1, m} || low.shape() != Shape{1, n} || high.shape() != Shape{1, n})
    throw InputError(text("LinearProgram: rows are ", rows.shape(), ", limits ", limits.shape(), ", low ", low.shape(),
                          " and high ", high.shape(), "; they must be m x n, 1 x m, 1 x n and 1 x n"));
  if (m > std::numeric_limits<int>::max() || n > std::numeric_limits<int>::max() - 1)
    throw InputError(text("LinearProgram: rows are ", rows.shape(), "; CLP counts with int"));
  if (!all_finite<double>(rows.span()) || !all_finite<double>(limits.span()))
    throw InputError("LinearProgram: a row or limit is not finite");
  for (Index j = 0; j < n; ++j)
    if (!(low(0, j) <= high(0, j)))
      throw InputError(text("LinearProgram: variable ", j, " has the bounds ", low(0, j), " and ", high(0, j),
                            "; the low one must not be above the high one"));
  model_ = std::make_unique<Model>();
  model_->rows = Matrix<double>(rows);
  model_->limits = Matrix<double>(limits);
  model_->low = Matrix<double>(low);
  model_->high = Matrix<double>(high);
  for (Index i = 0; i < m; ++i) {
    const double squared = dot(rows.row(i), rows.row(i)), length = squared > 0 ? std::sqrt(squared) : 1;
    for (double& value : model_->rows.row(i)) value /= length;
    model_->limits(0, i) /= length;
    model_->lengths.push_back(length);
  }
  model_->load();
}

LinearProgram::~LinearProgram() = default;
LinearProgram::LinearProgram(LinearProgram&&) noexcept = default;
LinearProgram& LinearProgram::operator=(LinearProgram&&) noexcept = default;

std::vector<std::uint8_t> LinearProgram::basis() const {
  const auto count = static_cast<std::size_t>(model_->rows.rows() + model_->rows.cols());
  const unsigned char* status = model_->clp.statusArray();
  return status ? std::vector<std::uint8_t>(status, status + count) : std::vector<std::uint8_t>(count);
}

void LinearProgram::start_from(std::span<const std::uint8_t> basis) {
  const auto count = static_cast<std::size_t>(model_->rows.rows() + model_->rows.cols());
  if (basis.size() != count)
    throw InputError(text("LinearProgram: the basis has ", basis.size(), " entries; it must have ", count));
  model_->clp.createStatus();
  std::ranges::copy(basis, model_->clp.statusArray());
  model_->has_start = true;
}

void LinearProgram::limit_seconds(double seconds) { model_->seconds = seconds; }

void LinearProgram::end_by(const StopPoll& stop) { model_->end_by(stop); }

void LinearProgram::set_limit(Index row, double limit) {
  if (row < 0 || row >= model_->rows.rows())
    throw InputError(text("LinearProgram: row is ", row, "; there are ", model_->rows.rows()));
  if (!std::isfinite(limit)) throw InputError(text("LinearProgram: limit is ", limit, "; it must be finite"));
  const double scaled = limit / model_->lengths[static_cast<std::size_t>(row)];
  model_->limits(0, row) = scaled;
  model_->clp.setRowUpper(static_cast<int>(row), scaled);
}

LinearSolution LinearProgram::maximise(ConstView<double> objective) {
  if (objective.shape() != Shape{1, model_->rows.cols()})
    throw InputError(text("LinearProgram: objective is ", objective.shape(), "; it must be 1x", model_->rows.cols()));
  if (!all_finite<double>(objective.span())) throw InputError("LinearProgram: an objective coefficient is not finite");
  return model_->solve(objective, false);
}

}  // namespace normalign

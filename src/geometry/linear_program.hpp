// Linear programs, solved by COIN-OR CLP and believed only after a check of our own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/stop.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// How a linear program ended.
enum class LinearStatus { optimal, infeasible, unbounded };

/// The solution of a linear program, where it has one.
struct LinearSolution {
  LinearStatus status = LinearStatus::optimal;
  double value = 0;           ///< the maximum, where there is one
  Matrix<double> point = {};  ///< 1 x n, where it is taken
  /// m: of the rows as given, >= 0, where there is a maximum: how much it grows with a row's limit.
  std::vector<double> multipliers = {};
};

/// maximise c'x over all x with G x <= h and low <= x <= high. One program is solved again and again under other
/// objectives and limits, each time from the last answer's basis; the answers depend on that history in their last
/// bits, and on nothing else.
///
/// No answer is taken on trust (with its scaling of rows on, CLP calls points optimal that are not): an optimum is
/// accepted when point and multipliers satisfy their constraints to 1e-8 on rows of length one and the duality gap is
/// at most 1e-9, all relative to what is larger than 1; infeasibility by the optimum of the relaxation that allows a
/// violation; unboundedness by a feasible point and a direction along which the objective grows.
class LinearProgram {
 public:
  /// `rows` is G, m x n, `limits` h, `low` and `high` 1 x n; bounds may be infinite. Throws InputError when shapes do
  /// not fit, there is no variable, G or h is not finite or a low bound is above its high one.
  LinearProgram(ConstView<double> rows, ConstView<double> limits, ConstView<double> low, ConstView<double> high);
  ~LinearProgram();
  LinearProgram(LinearProgram&&) noexcept;
  LinearProgram& operator=(LinearProgram&&) noexcept;

  /// Sets h_i. Throws InputError when there is no row i or the limit is not finite.
  void set_limit(Index row, double limit);
  /// The basis that the last answer was found at, to `start_from` in another program: n + m numbers, of variables and
  /// of rows, that only CLP knows the meaning of.
  std::vector<std::uint8_t> basis() const;
  /// Lets the next `maximise` begin at such a basis, of a program like this one; it costs time where it is a bad one.
  /// Throws InputError unless there are n + m numbers.
  void start_from(std::span<const std::uint8_t> basis);
  /// Gives each `maximise` from now on so many seconds; results near such an end depend on the machine.
  void limit_seconds(double seconds);
  /// Lets the poll end each `maximise` from now on, at every iteration, by what it throws.
  void end_by(const StopPoll& stop);
  /// The maximum for the objective c, 1 x n. Throws InputError when c does not fit or is not finite; RunError when no
  /// algorithm of CLP gives an answer that passes the check, or none in time.
  LinearSolution maximise(ConstView<double> objective);

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

}  // namespace normalign

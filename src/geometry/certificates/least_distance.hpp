// The point of a polytope next to a given point, in the Euclidean and in the maximum norm.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/infinity.hpp"
#include "base/stop.hpp"
#include "geometry/polytope.hpp"

namespace normalign {

/// What a search for the nearest point found.
enum class NearestStatus {
  found,   ///< the nearest point
  empty,   ///< there is no point
  beyond,  ///< every point is further away than the limit
  failed,  ///< the solver came to no answer
};

/// The outcome of such a search.
struct NearestPoint {
  NearestStatus status = NearestStatus::found;
  double distance = 0;        ///< where found
  Matrix<double> point = {};  ///< 1 x d, where found
  /// m: weights of the rows, not negative but for equalities, by which the distance (or that there is none within the
  /// limit) can be proved; empty where nothing is known.
  std::vector<double> multipliers = {};
  /// In the maximum norm, where a linear program was solved: the state of its d + 1 variables and m rows at the end, by
  /// which the next search in half-spaces like these is shorter.
  std::vector<std::uint8_t> basis = {};
};

/// {z : slopes z + offsets >= 0}, the first `equalities` rows with = 0. Rows of zeros hold or fail by their offset.
struct HalfSpaces {
  ConstView<double> slopes;   ///< m x d
  ConstView<double> offsets;  ///< 1 x m
  Index equalities = 0;
};

namespace detail {

/// Throws InputError when shapes do not fit, the equalities are not in 0, ..., m or the limit is negative.
void check(const HalfSpaces& set, ConstView<double> x, double limit);

/// The basis of a `NearestPoint` of d inputs for half-spaces with one more row, before row number `row`; an empty one
/// stays so.
std::vector<std::uint8_t> with_row(std::vector<std::uint8_t> basis, Index inputs, Index row);

}  // namespace detail

/// Finds nearest points in the Euclidean norm; keeps its working memory between calls.
///
/// The dual active-set method of Goldfarb and Idnani ("A numerically stable dual method for solving strictly convex
/// quadratic programs", Mathematical Programming 27, 1983) with the identity as Hessian: from the point itself it moves
/// on to one violated row after the other, the active rows factorised as Q R. The distance grows from step to step, so
/// it can stop as soon as a limit is passed.
///
/// No answer is taken on trust. Whatever the multipliers y (not negative for an inequality) of the rows, taken at
/// length one with values t at the point, no z of the set is nearer than -y't / |y'rows|. A point is `found` when it
/// satisfies all rows to 1e-9 and its distance is that bound to 1e-9; the set is `beyond` when the bound is above the
/// limit, `empty` when it is above 1000 times the scale, else `failed`. Tolerances are relative to the scale: the
/// larger of 1 and |x|.
class LeastDistance {
 public:
  /// The point of the half-spaces next to x, 1 x d. `failed`, with the multipliers that there are by then, when the
  /// answer does not pass the test above. Throws InputError when shapes do not fit, the equalities are not in 0, ..., m
  /// or the limit is negative, and what `stop` throws.
  NearestPoint operator()(const HalfSpaces& set, ConstView<double> x, double limit = infinity,
                          const StopPoll& stop = {});

 private:
  Index load(const HalfSpaces& set, ConstView<double> x, double limit);
  NearestPoint solve(ConstView<double> x, double limit, const StopPoll& stop);
  std::optional<NearestPoint> satisfy(Index row, double limit);
  Index most_violated() const;
  void split(Index row);
  void add(Index row, double multiplier, double length);
  void remove(std::size_t position);
  void polish();
  double bound(Index row, double multiplier) const;
  NearestPoint end(NearestStatus status, Index row, double multiplier) const;
  bool is_equality(Index row) const { return row < equalities_; }
  double height(Index row) const;

  double scale_ = 1;
  Index equalities_ = 0;
  Index given_ = 0;                    // rows
  std::vector<Index> kept_;            // the number that each row was given with
  std::vector<double> lengths_;        // what each row was divided by, its sign turned where the row was
  Matrix<double> rows_;                // m x d, of length one
  std::vector<double> at_point_;       // m: the values at x
  std::vector<double> step_;           // d: from x to the current point
  std::vector<Index> active_;          // rows that hold as equations, those of equalities first
  std::vector<double> multipliers_;    // of the active rows: step = sum of multiplier x row
  Matrix<double> q_;                   // one orthonormal row of d for each active row
  Matrix<double> r_;                   // row i: the coordinates of active row i in q, the first i + 1 of them not zero
  std::vector<double> inside_, rest_;  // of a row: its coordinates in q, and what is orthogonal to q
  std::vector<double> weights_;        // of the active rows, whose sum is the part inside
};

/// The point of the half-spaces next to x (1 x d) in the maximum norm, by a linear program. Throws InputError as
/// LeastDistance does; `failed` when the linear program has no answer, or none within so many seconds. `start`, where
/// not empty: the basis of half-spaces that these are like. What `stop` throws ends it.
NearestPoint least_linf_distance(const HalfSpaces& set, ConstView<double> x, double limit = infinity,
                                 double seconds = infinity, std::span<const std::uint8_t> start = {},
                                 const StopPoll& stop = {});

}  // namespace normalign

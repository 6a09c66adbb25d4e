#include "geometry/certificates/least_distance.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "linalg/reduce.hpp"

namespace normalign {
namespace {
// A row may be violated by so much while the search goes on, and in the answer.
constexpr double search_tolerance = 1e-11, answer_tolerance = 1e-9;
// Of rows of length one, what may be left where there should be nothing.
constexpr double rounding = 1e-13;
// A set is empty when it is proved to be further away than this.
constexpr double far_away = 1e3;

using Values = std::span<double>;
using Reading = std::span<const double>;

void add_multiple(double factor, Reading a, Values to) {
#pragma omp simd
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * a[i];
}

}  // namespace

void detail::check(const HalfSpaces& set, ConstView<double> x, double limit) {
  const auto& [slopes, offsets, equalities] = set;
  if (x.shape() != Shape{1, slopes.cols()} || offsets.shape() != Shape{1, slopes.rows()})
    throw InputError(text("LeastDistance: slopes are ", slopes.shape(), ", offsets ", offsets.shape(), " and x ",
                          x.shape(), "; they must be m x d, 1 x m and 1 x d"));
  if (equalities < 0 || equalities > slopes.rows())
    throw InputError(text("LeastDistance: equalities is ", equalities, "; it must be from 0 to ", slopes.rows()));
  if (!(limit >= 0)) throw InputError(text("LeastDistance: limit is ", limit, "; it must not be negative"));
}

NearestPoint LeastDistance::operator()(const HalfSpaces& set, ConstView<double> x, double limit, const StopPoll& stop) {
  detail::check(set, x, limit);
  if (const Index row = load(set, x, limit); row >= 0) {
    NearestPoint result{.status = NearestStatus::empty,
                        .multipliers = std::vector<double>(static_cast<std::size_t>(given_))};
    result.multipliers[static_cast<std::size_t>(row)] = set.offsets(0, row) < 0 ? 1 : -1;
    return result;
  }
  return solve(x, limit, stop);
}

// Rows that no point within the limit can violate are left out. A row of zeros that fails, or -1.
Index LeastDistance::load(const HalfSpaces& set, ConstView<double> x, double limit) {
  const Index m = set.slopes.rows(), d = set.slopes.cols();
  scale_ = std::max(1.0, std::sqrt(dot(x.span(), x.span())));
  given_ = m;
  kept_.clear();
  lengths_.clear();
  rows_.resize(m, d);
  at_point_.clear();
  equalities_ = 0;
  for (Index i = 0; i < m; ++i) {
    const Reading slope = set.slopes.row(i);
    const double length = std::sqrt(dot(slope, slope)), offset = set.offsets(0, i);
    if (length == 0) {
      if (offset < -search_tolerance || (i < set.equalities && offset > search_tolerance)) return i;
      continue;
    }
    const Values row = rows_.row(static_cast<Index>(at_point_.size()));
    std::ranges::transform(slope, row.begin(), [&](double value) { return value / length; });
    const double value = dot<double>(row, x.span()) + offset / length;
    if (i >= set.equalities && value >= limit) continue;
    at_point_.push_back(value);
    kept_.push_back(i);
    lengths_.push_back(length);
    if (i < set.equalities) ++equalities_;
  }
  rows_.resize(static_cast<Index>(at_point_.size()), d);
  active_.clear();
  multipliers_.clear();
  step_.assign(static_cast<std::size_t>(d), 0);
  rest_.resize(static_cast<std::size_t>(d));
  q_.resize(d, d);
  r_.resize(d, d);
  return -1;
}

NearestPoint LeastDistance::solve(ConstView<double> x, double limit, const StopPoll& stop) {
  for (Index row = 0; row < equalities_; ++row) {
    // Turned so that it is violated, an equality is taken in like an inequality.
    if (height(row) > 0) {
      for (double& value : rows_.row(row)) value = -value;
      at_point_[static_cast<std::size_t>(row)] *= -1;
      lengths_[static_cast<std::size_t>(row)] *= -1;
    }
    if (const auto end = satisfy(row, limit)) return *end;
  }
  // Every row is taken in and dropped a few times at most; rounding could make it go round in circles.
  Index left = 50 * (rows_.rows() + rows_.cols());
  for (Index row = most_violated(); row >= 0; row = most_violated()) {
    if (left-- == 0) return end(NearestStatus::failed, -1, 0);
    // Most searches are shorter than a look at the clock is worth.
    if (left % 16 == 0) stop.check();
    if (const auto end = satisfy(row, limit)) return *end;
  }
  polish();
  const double distance = std::sqrt(dot<double>(step_, step_));
  double least = 0;
  for (Index row = 0; row < rows_.rows(); ++row)
    least = std::min(least, is_equality(row) ? -std::abs(height(row)) : height(row));
  if (least < -answer_tolerance * scale_ || !(bound(-1, 0) >= distance - answer_tolerance * scale_))
    return end(NearestStatus::failed, -1, 0);
  if (distance > limit) return end(NearestStatus::beyond, -1, 0);
  NearestPoint result = end(NearestStatus::found, -1, 0);
  result.distance = distance;
  result.point = Matrix<double>(x);
  add_multiple(1, step_, result.point.span());
  return result;
}

// The value of a row at the current point.
double LeastDistance::height(Index row) const {
  return at_point_[static_cast<std::size_t>(row)] + dot<double>(rows_.row(row), step_);
}

Index LeastDistance::most_violated() const {
  Index found = -1;
  double least = -search_tolerance * scale_;
  for (Index row = equalities_; row < rows_.rows(); ++row) {
    const double value = height(row);
    if (value < least && std::ranges::find(active_, row) == active_.end()) {
      least = value;
      found = row;
    }
  }
  return found;
}

// Moves to the nearest point of the active rows and this one, dropping active rows that stand in the way. Returns what
// is known by then when the limit is passed or no such point exists.
std::optional<NearestPoint> LeastDistance::satisfy(Index row, double limit) {
  const double reach = std::min(limit, far_away * scale_);
  double multiplier = 0;
  for (;;) {
    split(row);
    const double violation = -height(row), squared = dot<double>(rest_, rest_);
    double largest = 1;
    for (const double weight : weights_) largest = std::max(largest, std::abs(weight));
    // How far to go: along the rest until the row holds, or until a multiplier of an inequality would turn negative.
    const double to_row = squared > rounding * rounding ? violation / squared : infinity;
    double to_blocking = infinity;
    std::size_t blocking = 0;
    for (std::size_t i = 0; i < active_.size(); ++i)
      if (!is_equality(active_[i]) && weights_[i] > rounding * largest && multipliers_[i] / weights_[i] < to_blocking) {
        to_blocking = multipliers_[i] / weights_[i];
        blocking = i;
      }
    const bool completes = to_row <= to_blocking;
    // The step is a multiple of this row and a sum of active ones, to which the rest is orthogonal.
    const double squared_end = dot<double>(step_, step_) + violation * (2 * multiplier + to_row);
    if (completes && !(squared_end <= reach * reach)) {
      // A dependent equality that holds already.
      if (is_equality(row) && violation <= search_tolerance * scale_) return std::nullopt;
      // Any length of this last step proves a bound; without an end to it, one at which the step is all that counts.
      const double length = std::isfinite(to_row) ? to_row : 1e20;
      for (std::size_t i = 0; i < active_.size(); ++i) multipliers_[i] -= length * weights_[i];
      const double proved = bound(row, multiplier + length);
      const NearestStatus status = proved >= 0.999 * far_away * scale_           ? NearestStatus::empty
                                   : proved >= limit - answer_tolerance * scale_ ? NearestStatus::beyond
                                                                                 : NearestStatus::failed;
      return end(status, row, multiplier + length);
    }
    const double length = std::min(to_row, to_blocking);
    for (std::size_t i = 0; i < active_.size(); ++i) multipliers_[i] -= length * weights_[i];
    multiplier += length;
    if (std::isfinite(to_row)) add_multiple(length, rest_, step_);
    if (completes) {
      add(row, multiplier, std::sqrt(squared));
      return std::nullopt;
    }
    remove(blocking);
  }
}

// The outcome, with the multipliers of the active rows and that of one more row where it is not -1.
NearestPoint LeastDistance::end(NearestStatus status, Index row, double multiplier) const {
  NearestPoint result{.status = status};
  result.multipliers.assign(static_cast<std::size_t>(given_), 0);
  const auto include = [&](Index i, double factor) {
    const auto at = static_cast<std::size_t>(i);
    result.multipliers[static_cast<std::size_t>(kept_[at])] =
        (is_equality(i) ? factor : std::max(factor, 0.0)) / lengths_[at];
  };
  for (std::size_t i = 0; i < active_.size(); ++i) include(active_[i], multipliers_[i]);
  if (row >= 0) include(row, multiplier);
  return result;
}

// The row as a combination of the active ones and a rest that is orthogonal to them.
void LeastDistance::split(Index row) {
  const std::size_t count = active_.size();
  std::ranges::copy(rows_.row(row), rest_.begin());
  inside_.assign(count, 0);
  // Once more for what rounding leaves.
  for (int pass = 0; pass < 2; ++pass)
    for (std::size_t i = 0; i < count; ++i) {
      const double part = dot<double>(q_.row(static_cast<Index>(i)), rest_);
      inside_[i] += part;
      add_multiple(-part, q_.row(static_cast<Index>(i)), rest_);
    }
  weights_ = inside_;
  for (std::size_t i = count; i-- > 0;) {
    const Reading column = std::as_const(r_).row(static_cast<Index>(i));
    weights_[i] /= column[i];
    add_multiple(-weights_[i], column.first(i), Values(weights_).first(i));
  }
}

// Takes the row that was split into the factors; `length` is that of its rest.
void LeastDistance::add(Index row, double multiplier, double length) {
  const auto at = static_cast<Index>(active_.size());
  std::ranges::transform(rest_, q_.row(at).begin(), [&](double value) { return value / length; });
  std::ranges::copy(inside_, r_.row(at).begin());
  r_(at, at) = length;
  active_.push_back(row);
  multipliers_.push_back(multiplier);
}

void LeastDistance::remove(std::size_t position) {
  active_.erase(active_.begin() + static_cast<Index>(position));
  multipliers_.erase(multipliers_.begin() + static_cast<Index>(position));
  const auto first = static_cast<Index>(position), count = static_cast<Index>(active_.size());
  for (Index i = first; i < count; ++i)
    std::ranges::copy(r_.row(i + 1).first(static_cast<std::size_t>(i) + 2), r_.row(i).begin());
  // Each of the moved rows has one coordinate too many, which a rotation of two rows of q takes away.
  for (Index i = first; i < count; ++i) {
    const double length = std::hypot(r_(i, i), r_(i, i + 1)), c = r_(i, i) / length, s = r_(i, i + 1) / length;
    const auto rotate = [&](double& a, double& b) {
      const double old = a;
      a = c * old + s * b;
      b = c * b - s * old;
    };
    for (Index j = i; j < count; ++j) rotate(r_(j, i), r_(j, i + 1));
    for (Index k = 0; k < q_.cols(); ++k) rotate(q_(i, k), q_(i + 1, k));
  }
}

// The point and its multipliers anew from the active rows and their factors, without what the steps have gathered.
void LeastDistance::polish() {
  const std::size_t count = active_.size();
  inside_.assign(count, 0);
  std::ranges::fill(step_, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const Reading column = std::as_const(r_).row(static_cast<Index>(i));
    const double height_at_point = at_point_[static_cast<std::size_t>(active_[i])];
    inside_[i] = (-height_at_point - dot(column.first(i), Reading(inside_).first(i))) / column[i];
    add_multiple(inside_[i], q_.row(static_cast<Index>(i)), step_);
  }
  multipliers_ = inside_;
  for (std::size_t i = count; i-- > 0;) {
    const Reading column = std::as_const(r_).row(static_cast<Index>(i));
    multipliers_[i] /= column[i];
    add_multiple(-multipliers_[i], column.first(i), Values(multipliers_).first(i));
  }
}

// The distance that the multipliers of the active rows, and that of one more row where it is not -1, prove.
double LeastDistance::bound(Index row, double multiplier) const {
  std::vector<double> sum(step_.size());
  double height_sum = 0;
  const auto include = [&](Index i, double factor) {
    if (!is_equality(i)) factor = std::max(factor, 0.0);
    height_sum -= factor * at_point_[static_cast<std::size_t>(i)];
    add_multiple(factor, rows_.row(i), sum);
  };
  for (std::size_t i = 0; i < active_.size(); ++i) include(active_[i], multipliers_[i]);
  if (row >= 0) include(row, multiplier);
  if (!(height_sum > 0)) return 0;
  const double length = std::sqrt(dot<double>(sum, sum));
  return length > 0 ? height_sum / length : infinity;
}

}  // namespace normalign

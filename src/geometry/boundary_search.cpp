#include "geometry/boundary_search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "geometry/norm.hpp"
#include "geometry/steepness.hpp"
#include "linalg/reduce.hpp"

namespace normalign {

BoundarySearch::BoundarySearch(PiecewiseAffineNetwork margins, ConstView<double> x, Norm norm)
    : margins_(std::move(margins)),
      x_(x),
      norm_(norm),
      rows_(margins_),
      code_(margins_.codes(x).front()),
      seen_(static_cast<Index>(code_.size())) {}

bool BoundarySearch::is_adversarial(ConstView<double> z) const {
  const Matrix<double> f = margins_(z);
  return std::ranges::max(f.span()) >= 0;
}

// From here on the rows are those of that region.
void BoundarySearch::enter(std::span<const std::uint8_t> code) {
  std::ranges::copy(code, code_.begin());
  rows_.compute(code_);
}

double BoundarySearch::value_at(ConstView<double> z, Index row) const {
  return dot(rows_.slopes().row(row), z.span()) + rows_.offsets()(0, row);
}

// The nearest point of the first so many rows, when it is no further than the upper bound.
NearestPoint BoundarySearch::project(Index count) {
  const HalfSpaces set{.slopes = rows_.slopes().row_block(0, count), .offsets = {rows_.offsets().data(), 1, count}};
  return norm_ == Norm::l2 ? least_distance_(set, x_, found_.upper) : least_linf_distance(set, x_, found_.upper);
}

// The nearest points of the region whose rows are there where an output is 0; whether one is nearer than all before. No
// point of the region is nearer than the key.
bool BoundarySearch::cross(double key) {
  bool better = false;
  for (Index j = 0; j < margins_.outputs(); ++j) {
    const Index row = rows_.output(j);
    const double value = value_at(x_, row), length = dual_length(rows_.slopes().row(row), norm_);
    const double least = std::max(key, value < 0 ? -value / length : 0);
    if (!(least < found_.upper)) continue;
    rows_.choose(j);
    NearestPoint nearest = project(rows_.units() + 1);
    if (nearest.status != NearestStatus::found || !(nearest.distance < found_.upper)) continue;
    found_.upper = nearest.distance;
    found_.adversarial = std::move(nearest.point);
    better = true;
  }
  return better;
}

// From the best point so far, and the region it was found in, to better ones in regions next to it.
void BoundarySearch::improve() {
  for (bool better = true; better;) {
    better = false;
    const ActivationCode here = code_;
    std::vector<Index> walls;
    for (Index u = 0; u < rows_.units(); ++u) {
      const double length = norm_length(rows_.slopes().row(u), Norm::l2);
      if (length > 0 && std::abs(value_at(found_.adversarial, u)) <= 1e-7 * length) walls.push_back(u);
    }
    for (const Index u : walls) {
      ActivationCode there = here;
      there[static_cast<std::size_t>(u)] ^= 1;
      enter(there);
      if (cross(0)) {
        better = true;
        break;
      }
    }
  }
}

bool BoundarySearch::start_from(Matrix<double> point) {
  if (!is_adversarial(point)) return false;
  // Halving the way from x brings it to the boundary.
  Matrix<double> near(x_), middle(x_), way(x_);
  for (int step = 0; step < 40; ++step) {
    for (Index i = 0; i < x_.cols(); ++i) middle(0, i) = 0.5 * (near(0, i) + point(0, i));
    (is_adversarial(middle) ? point : near) = middle;
  }
  for (Index i = 0; i < x_.cols(); ++i) way(0, i) = point(0, i) - x_(0, i);
  const double upper = norm_length(way.span(), norm_);
  if (!(upper < found_.upper)) return true;
  found_.upper = upper;
  found_.adversarial = point;
  enter(margins_.codes(point).front());
  cross(0);
  improve();
  return true;
}

void BoundarySearch::attack() {
  for (Index j = 0; j < margins_.outputs(); ++j) {
    Matrix<double> y(x_);
    for (int step = 0; step < 30; ++step) {
      if (start_from(y)) break;
      enter(margins_.codes(y).front());
      // A little beyond where output j would be 0, were the network affine.
      const auto slope = rows_.slopes().row(rows_.output(j));
      const double length = dual_length(slope, norm_);
      if (length == 0) break;
      const double way = -1.02 * value_at(y, rows_.output(j)) / length;
      for (Index i = 0; i < y.cols(); ++i) {
        const double v = slope[static_cast<std::size_t>(i)];
        y(0, i) += way * (norm_ == Norm::l2 ? v / length : v > 0 ? 1 : v < 0 ? -1 : 0);
      }
    }
  }
}

// Looks at the region whose rows are there: its pieces of the decision boundary, and its neighbours.
void BoundarySearch::expand(double key) {
  ++found_.regions;
  const ActivationCode here = code_;
  if (cross(key)) {
    improve();
    enter(here);
  }
  for (Index u = 0; u < rows_.units(); ++u) {
    const double length = dual_length(rows_.slopes().row(u), norm_);
    if (length == 0) continue;
    const double least = std::max(key, value_at(x_, u) / length);
    if (!(least < found_.upper)) continue;
    code_[static_cast<std::size_t>(u)] ^= 1;
    const auto [region, is_new] = seen_.insert(code_);
    code_[static_cast<std::size_t>(u)] ^= 1;
    if (is_new) queue_.push({.key = least, .region = region, .projected = false});
  }
}

// Whether no straight way from x through the region, whose nearest point is given, reaches an adversarial point within
// the upper bound U. At p in the region, an output's value and its steepness times what is left of the way, U - |p -
// x|, must add up to 0; all such p are behind the plane through the nearest point.
bool BoundarySearch::is_dead_end(const NearestPoint& nearest) {
  const double upper = found_.upper, d = nearest.distance;
  if (!std::isfinite(upper) || d == 0) return false;
  if (steep_radius_ != upper) {
    steepest_ = steepness(margins_, x_, upper, norm_);
    steep_radius_ = upper;
  }
  for (Index j = 0; j < margins_.outputs(); ++j) {
    const Index row = rows_.output(j);
    const std::span<const double> slope = rows_.slopes().row(row);
    const double steepest = steepest_[static_cast<std::size_t>(j)];
    // The largest sum. It is taken on the plane, the steepness being no less than the slope: in l2 off the nearest
    // point by b, where value(nearest) + across b + steepest (U - sqrt(d^2 + b^2)) is largest. In linf without the
    // plane, by |p - x| >= d alone.
    double most = 0;
    if (norm_ == Norm::l2) {
      const double along = (value_at(nearest.point, row) - value_at(x_, row)) / d;
      const double squared_across = std::max(0.0, dot(slope, slope) - along * along);
      most = value_at(nearest.point, row) + steepest * upper -
             d * std::sqrt(std::max(0.0, steepest * steepest - squared_across));
    } else {
      most = value_at(x_, row) + dual_length(slope, norm_) * d + steepest * (upper - d);
    }
    if (most >= -1e-9 * (1 + steepest * upper)) return false;
  }
  return true;
}

Certificate BoundarySearch::run(Index regions, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  queue_.push({.key = 0, .region = seen_.insert(margins_.codes(x_).front()).first, .projected = true});
  found_.lower = found_.upper;
  while (!queue_.empty()) {
    const Entry next = queue_.top();
    if (next.key >= found_.upper) break;
    if (found_.regions >= regions || std::chrono::duration<double>(Clock::now() - start).count() > seconds) {
      found_.lower = next.key;
      return std::move(found_);
    }
    queue_.pop();
    seen_.read(next.region, code_);
    rows_.compute(code_);
    double key = next.key;
    if (!next.projected) {
      const NearestPoint nearest = project(rows_.units());
      if (nearest.status != NearestStatus::found) continue;
      key = std::max(key, nearest.distance);
      if (is_dead_end(nearest)) continue;
      if (!queue_.empty() && key > queue_.top().key) {
        queue_.push({.key = key, .region = next.region, .projected = true});
        continue;
      }
    }
    expand(key);
  }
  found_.exact = true;
  found_.lower = found_.upper;
  return std::move(found_);
}

}  // namespace normalign

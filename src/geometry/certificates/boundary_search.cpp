#include "geometry/certificates/boundary_search.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "linalg/norm.hpp"
#include "linalg/reduce.hpp"
#include "robustness/pgd.hpp"

namespace normalign::detail {
namespace {

// Nothing is looked for further away than so many times the scale, the larger of 1 and |x|, as in LeastDistance.
constexpr double far_away = 1e3;
// All within a reach are looked for, the first so many times the scale, before the reach grows by a factor: the bounds
// of parts are the tighter the smaller the ball, and the upper bound may be far too large.
constexpr double first_reach = 1.0 / 64, reach_growth = 1.5;

}  // namespace

BoundarySearch::BoundarySearch(PiecewiseAffineNetwork margins, ConstView<double> x, Norm norm)
    : margins_(std::move(margins)),
      x_(x),
      norm_(norm),
      scale_(std::max(1.0, norm_length(x.span(), Norm::l2))),
      rows_(margins_),
      code_(margins_.codes(x).front()),
      bounds_(margins_, x, norm) {}

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

// The nearest point of the set, when it is no further than the limit.
NearestPoint BoundarySearch::project(const HalfSpaces& set) {
  return norm_ == Norm::l2 ? least_distance_(set, x_, limit()) : least_linf_distance(set, x_, limit());
}

// The nearest points of the region whose rows are there where an output is 0; whether one is nearer than all before.
bool BoundarySearch::cross() {
  bool better = false;
  const Index count = rows_.units() + 1;
  for (Index j = 0; j < margins_.outputs(); ++j) {
    const Index row = rows_.output(j);
    const double value = value_at(x_, row), length = dual_length(rows_.slopes().row(row), norm_);
    if (!((value < 0 ? -value / length : 0) < found_.upper)) continue;
    rows_.choose(j);
    NearestPoint nearest =
        project({.slopes = rows_.slopes().row_block(0, count), .offsets = {rows_.offsets().data(), 1, count}});
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
      if (cross()) {
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
  cross();
  improve();
  return true;
}

// Follows the slope of each output to where it would be 0 were the network affine, again and again.
void BoundarySearch::attack_by_slopes() {
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

// Climbs the largest output in ever larger balls until an adversarial point turns up.
void BoundarySearch::attack_in_balls() {
  const auto climb = [&](ConstView<double> z, MatrixView<double> gradient) {
    const Matrix<double> f = margins_(z);
    enter(margins_.codes(z).front());
    const Index best = std::ranges::max_element(f.span()) - f.span().begin();
    std::ranges::copy(rows_.slopes().row(rows_.output(best)), gradient.data());
  };
  for (double radius = first_reach * scale_; radius <= far_away * scale_; radius *= 2) {
    const PgdOptions options{.norm = norm_, .radius = radius, .step = radius / 16, .steps = 40, .random_start = false};
    if (start_from(pgd<double>(x_, options, climb))) return;
  }
}

void BoundarySearch::attack() {
  attack_by_slopes();
  if (!std::isfinite(found_.upper)) attack_in_balls();
}

void BoundarySearch::push(Part part) {
  part.number = pushed_++;
  queue_.push_back(std::move(part));
  std::push_heap(queue_.begin(), queue_.end());
}

// Looks for the nearest point of what is known to contain the part. Unless that is a point of the part itself, a new
// upper bound, or too far, two smaller parts take its place: one with a unit off, one with it on.
void BoundarySearch::divide(Part part) {
  const bool is_cap = !part.direction.empty();
  if (!bounds_.compute(part.signs, {.radius = limit(), .least = is_cap ? part.key : 0, .direction = part.direction},
                       part.output))
    return;
  NearestPoint nearest = project(bounds_.half_spaces());
  if (nearest.status != NearestStatus::found || !(nearest.distance < limit())) return;
  const Index unit = bounds_.loosest_unit(nearest.point);
  const double value = margins_(nearest.point)(0, part.output);
  if (unit < 0 || value >= -1e-12 * scale_ * bounds_.output_slope()) {
    found_.upper = nearest.distance;
    found_.adversarial = std::move(nearest.point);
    return;
  }
  if (nearest.distance > part.key) {
    part.key = nearest.distance;
    if (norm_ == Norm::l2) {
      part.direction.assign(nearest.point.span().begin(), nearest.point.span().end());
      for (Index i = 0; i < x_.cols(); ++i) {
        double& value_i = part.direction[static_cast<std::size_t>(i)];
        value_i = (value_i - x_(0, i)) / nearest.distance;
      }
    }
  }
  for (const UnitSign sign : {UnitSign::off, UnitSign::on}) {
    Part half = part;
    half.signs[static_cast<std::size_t>(unit)] = sign;
    push(std::move(half));
  }
}

Certificate BoundarySearch::run(Index parts, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto is_over = [&] {
    return found_.parts >= parts || std::chrono::duration<double>(Clock::now() - start).count() > seconds;
  };
  reach_ = first_reach * scale_;
  for (;;) {
    queue_.clear();
    for (Index j = 0; j < margins_.outputs(); ++j)
      push({.key = 0, .number = 0, .output = j, .signs = std::vector(code_.size(), UnitSign::any), .direction = {}});
    while (!queue_.empty() && queue_.front().key < limit()) {
      if (is_over()) {
        found_.lower = std::max(found_.lower, queue_.front().key);
        return std::move(found_);
      }
      std::pop_heap(queue_.begin(), queue_.end());
      Part part = std::move(queue_.back());
      queue_.pop_back();
      ++found_.parts;
      divide(std::move(part));
    }
    if (found_.upper <= reach_ || reach_ > far_away * scale_) break;
    found_.lower = reach_;
    reach_ *= reach_growth;
  }
  found_.exact = true;
  found_.lower = found_.upper;
  return std::move(found_);
}

}  // namespace normalign::detail

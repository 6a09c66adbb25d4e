#include "geometry/certificates/boundary_search.hpp"

#include <algorithm>
#include <cmath>

#include "base/infinity.hpp"
#include "base/scoped_value.hpp"
#include "geometry/certificates/margin_attack.hpp"
#include "geometry/certificates/planar_pieces.hpp"
#include "geometry/certificates/rounding.hpp"
#include "linalg/norm.hpp"
#include "linalg/reduce.hpp"

namespace normalign::detail {
namespace {

// All within a reach are looked for, before the reach grows by a factor: the bounds of parts are the tighter the
// smaller the ball, and the upper bound may be far too large. Where nothing is found the factor becomes large. For a
// large network the last reach that is gone through is what counts.
constexpr double first_share = 1.0 / 8, reach_growth = 1.5, slow_growth = 1.1, far_growth = 16;
constexpr Index near_reaches = 12, most_reaches = 32;
// A part whose distance is proved to be at least so many times the upper bound needs no second look.
constexpr double near_enough = 1 - 2e-10;
// Of one or two inputs, after so many parts within one reach all regions of the plane within it are gone through, if
// they are not too many: a region takes a fraction of a part's time.
constexpr Index parts_before_plane = 300, regions_per_part = 10, most_regions = 10'000'000;
// The relative difference of bounds that are called exact.
constexpr double exact_difference = 1e-9;

// How far x is from the nearest zero of some rows that it is not on itself; infinite where there is none.
double nearest_zero(const RegionRows& rows, Index first, Index count, Norm norm) {
  double least = infinity;
  for (Index row = first; row < first + count; ++row) {
    const double length = dual_length(rows.slopes().row(row), norm), way = std::abs(rows.offsets()(0, row)) / length;
    if (length > 0 && way > 0 && std::isfinite(way)) least = std::min(least, way);
  }
  return least;
}

// A length of which steps are made where x's own region tells nothing.
double length_at(const RegionRows& rows, Index outputs, Norm norm) {
  const double margin = nearest_zero(rows, rows.output(0), outputs, norm);
  const double least = std::isfinite(margin) ? margin : nearest_zero(rows, 0, rows.units(), norm);
  return std::isfinite(least) ? least : 1;
}

// At least the length of a difference of stored numbers, by rounding little more.
double length_above(std::span<const double> way, Norm norm) {
  const auto count = static_cast<Index>(way.size());
  const double length = norm == Norm::l2 ? euclidean_length(way) : norm_length(way, norm);
  return length * (1 + rounding_of<double>(norm == Norm::l2 ? count + 4 : 2));
}

}  // namespace

BoundarySearch::BoundarySearch(const CentredMargins& margins, ConstView<double> x, Norm norm, double seconds,
                               StopPoll stop)
    : stop_(std::move(stop)),
      end_(seconds < 1e9
               ? Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))
               : Clock::time_point::max()),
      margins_(&margins),
      network_(&margins.network()),
      x_(x),
      norm_(norm),
      origin_(1, network_->inputs()),
      rows_(*network_),
      code_(network_->codes(origin_).front()),
      bounds_(margins, norm, stop_) {
  rows_.compute(code_);
  scale_ = length_at(rows_, network_->outputs(), norm);
  const Matrix<double> f = (*network_)(origin_);
  size_ = norm_length(f.span(), Norm::linf);
}

bool BoundarySearch::is_beyond(ConstView<double> step) const {
  const Matrix<double> f = (*network_)(step);
  return std::ranges::max(f.span()) >= 0;
}

// From here on the rows are those of that region.
void BoundarySearch::enter(std::span<const std::uint8_t> code) {
  stop_.check();
  std::ranges::copy(code, code_.begin());
  rows_.compute(code_);
}

double BoundarySearch::value_at(ConstView<double> step, Index row) const {
  return dot(rows_.slopes().row(row), step.span()) + rows_.offsets()(0, row);
}

// The shortest step of the set, when it is no longer than the limit, with every row moved inward by a distance. Solvers
// have tolerances: they get the set in a unit of length that is a power of two next to the limit.
NearestPoint BoundarySearch::project(const HalfSpaces& set, double inward, std::span<const std::uint8_t> start) {
  int exponent = 0;
  std::frexp(std::isfinite(limit()) ? limit() : scale_, &exponent);
  Matrix<double> offsets(set.offsets);
  for (Index row = 0; row < offsets.cols(); ++row) {
    const double moved = inward > 0 ? inward * dual_length(set.slopes.row(row), norm_) : 0;
    offsets(0, row) = std::ldexp(offsets(0, row) - moved, -exponent);
  }
  const HalfSpaces scaled{.slopes = set.slopes, .offsets = offsets};
  const double most = std::ldexp(limit(), -exponent);
  NearestPoint result = norm_ == Norm::l2 ? least_distance_(scaled, origin_, most, stop_)
                                          : least_linf_distance(scaled, origin_, most, seconds_left(), start, stop_);
  result.distance = std::ldexp(result.distance, exponent);
  for (double& value : result.point.span()) value = std::ldexp(value, exponent);
  return result;
}

// Takes the step as the upper bound, where it is proved to lead to an adversarial point and is shorter than all before.
bool BoundarySearch::take(ConstView<double> step, Proof proof) {
  const Matrix<double> way = margins_->in_inputs(step);
  const double upper = length_above(way.span(), norm_);
  if (!(upper < found_.upper)) return false;
  // What rounding cannot bring to the boundary needs no proof.
  const Matrix<double> here = (*network_)(step);
  if (std::ranges::max(here.span()) < -1e-9 * size_) return false;
  if (!margins_->is_adversarial(x_, way, proof)) return false;
  found_.upper = upper;
  found_.adversarial = x_;
  for (Index i = 0; i < way.cols(); ++i) found_.adversarial(0, i) += way(0, i);
  best_step_ = Matrix<double>(step);
  return true;
}

// Takes the shortest step of a set whose points are adversarial but for rounding, or one a little further inside.
bool BoundarySearch::take_nearest(const HalfSpaces& set, Proof proof) {
  const double before = found_.upper;
  for (double inward = 0; inward < 1e-7 && !is_late(); inward = inward == 0 ? 1e-16 : 8 * inward) {
    const NearestPoint nearest = project(set, inward * limit());
    if (nearest.status != NearestStatus::found || !(nearest.distance < before * near_enough)) return false;
    if (take(nearest.point, proof)) return true;
  }
  return false;
}

// The nearest points of the region whose rows are there where an output is 0; whether one is nearer than all before.
bool BoundarySearch::cross() {
  bool better = false;
  for (Index j = 0; j < network_->outputs(); ++j) better |= cross(j, Proof::rounded);
  return better;
}

bool BoundarySearch::cross(Index output, Proof proof) {
  const Index count = rows_.units() + 1, row = rows_.output(output);
  const double value = rows_.offsets()(0, row), length = dual_length(rows_.slopes().row(row), norm_);
  if (!((value < 0 ? -value / length : 0) < limit())) return false;
  rows_.choose(output);
  return take_nearest({.slopes = rows_.slopes().row_block(0, count), .offsets = {rows_.offsets().data(), 1, count}},
                      proof);
}

// From the best point so far, and the region it was found in, to better ones in regions next to it.
void BoundarySearch::improve() {
  for (bool better = true; better && !is_late();) {
    better = false;
    const ActivationCode here = code_;
    std::vector<Index> walls;
    for (Index u = 0; u < rows_.units(); ++u) {
      const double length = norm_length(rows_.slopes().row(u), Norm::l2);
      if (length > 0 && std::abs(value_at(best_step_, u)) <= 1e-7 * length * limit()) walls.push_back(u);
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

bool BoundarySearch::start_from(ConstView<double> input) {
  if (!margins_->is_adversarial(input, Matrix<double>(1, input.cols()), Proof::exact)) return false;
  Matrix<double> way(input);
  for (Index i = 0; i < way.cols(); ++i) way(0, i) -= x_(0, i);
  const double upper = length_above(way.span(), norm_);
  if (upper < found_.upper) {
    found_.upper = upper;
    found_.adversarial = Matrix<double>(input);
    best_step_ = margins_->coordinates(input);
  }
  start_from_step(margins_->coordinates(input));
  return true;
}

// Halving brings a step that leads beyond the boundary back to it, and better ones are looked for there.
bool BoundarySearch::start_from_step(Matrix<double> step) {
  if (!is_beyond(step)) return false;
  Matrix<double> near(origin_), middle(origin_);
  for (int halving = 0; halving < 40; ++halving) {
    for (Index i = 0; i < step.cols(); ++i) middle(0, i) = 0.5 * (near(0, i) + step(0, i));
    (is_beyond(middle) ? step : near) = middle;
  }
  if (!take(step, Proof::rounded)) return std::isfinite(found_.upper);
  // A linear program over all walls would take the time of a hundred attacks.
  if (norm_ == Norm::linf && is_large()) return true;
  enter(network_->codes(step).front());
  cross();
  improve();
  return true;
}

// Follows the slope of each output to where it would be 0 were the network affine, again and again.
void BoundarySearch::attack_by_slopes() {
  for (Index j = 0; j < network_->outputs(); ++j) {
    Matrix<double> y(origin_);
    for (int step = 0; step < 30 && !is_late(); ++step) {
      if (start_from_step(y)) break;
      enter(network_->codes(y).front());
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

// Looks in ever larger balls until an adversarial point turns up.
void BoundarySearch::attack_in_balls() {
  double radius = scale_ / 64;
  for (int ball = 0; ball < 24 && !is_late(); ++ball, radius *= 2) {
    const auto step = adversarial_step(*network_, norm_, radius, 1, 40, [this] { return is_late(); });
    if (step && start_from_step(*step)) return;
  }
}

// Looks within the upper bound for nearer ones, until within some per cent there are none.
void BoundarySearch::attack_nearer() {
  double without = 0;
  while (without < 0.97 * found_.upper && !is_late()) {
    const double radius = std::max(0.9 * found_.upper, 0.5 * (without + found_.upper));
    const double before = found_.upper;
    const auto step =
        adversarial_step(*network_, norm_, radius * margins_->stretch(), 3, 50, [this] { return is_late(); });
    if (!step || !start_from_step(*step) || !(found_.upper < before)) without = radius;
  }
}

// Takes at most half of the time.
void BoundarySearch::attack() {
  const Clock::time_point now = Clock::now();
  const ScopedValue half(end_, end_ == Clock::time_point::max() ? end_ : now + (end_ - now) / 2);
  attack_by_slopes();
  if (!std::isfinite(found_.upper)) attack_in_balls();
  if (std::isfinite(found_.upper) && is_large()) attack_nearer();
}

void BoundarySearch::push(Part part) {
  part.number = pushed_++;
  queue_.push_back(std::move(part));
  std::push_heap(queue_.begin(), queue_.end());
}

double BoundarySearch::growth() const { return is_large() ? slow_growth : reach_growth; }

// Whether a part waits that may be nearer than the upper bound.
bool BoundarySearch::has_near_part() const { return !queue_.empty() && queue_.front().key < near_enough * limit(); }

// The nearest point of what is known to contain the part, and what proves that it is.
NearestPoint BoundarySearch::prove(Part& part) {
  const HalfSpaces set = bounds_.half_spaces();
  NearestPoint nearest = project(set, 0, part.basis);
  part.basis = std::move(nearest.basis);
  if (nearest.multipliers.empty()) return nearest;
  ProvedDistance proved = proved_distance(set, nearest.multipliers, norm_, limit());
  part.key = std::max(part.key, std::min(proved.distance, limit()));
  if (proved.along > part.along) {
    part.along = proved.along;
    part.direction = std::move(proved.direction);
  }
  return nearest;
}

// Looks for the nearest point of what is known to contain the part, and proves how far that is at least. Unless the
// part is done with, two smaller ones take its place: one with a unit off, one with it on.
void BoundarySearch::divide(Part part) {
  if (!bounds_.compute(part.signs, {.radius = limit(), .least = part.along, .direction = part.direction}, part.output))
    return close(limit());
  const NearestPoint nearest = prove(part);
  const bool has_point = nearest.status == NearestStatus::found;
  const Index unit = bounds_.loosest_unit(has_point ? nearest.point : origin_);
  if (unit < 0) {
    // One region is left, whose own rows are not moved outward.
    enter(bounds_.code());
    cross(part.output, Proof::exact);
    if (part.key < near_enough * limit()) part.key = std::max(part.key, exact_key(part.output));
  } else if (has_point && !take(nearest.point, Proof::rounded)) {
    // On the boundary itself rounding decides.
    Matrix<double> further(nearest.point);
    for (double& value : further.span()) value *= 1 + 1e-12;
    take(further, Proof::rounded);
  }
  if (unit < 0 || part.key >= near_enough * limit()) return close(part.key);
  // The new row comes after those of the signs before it; the output's is the last one.
  const std::span<const UnitSign> before = std::span(part.signs).first(static_cast<std::size_t>(unit));
  const Index row = std::ssize(before) - std::ranges::count(before, UnitSign::any);
  part.basis = with_row(std::move(part.basis), network_->inputs(), row);
  for (const UnitSign sign : {UnitSign::off, UnitSign::on}) {
    Part half = part;
    half.signs[static_cast<std::size_t>(unit)] = sign;
    push(std::move(half));
  }
}

// What the region whose rows are there proves about steps with that margin >= 0, without rounding.
double BoundarySearch::exact_key(Index output) {
  const Index count = rows_.units() + 1;
  rows_.choose(output);
  const NearestPoint nearest =
      project({.slopes = rows_.slopes().row_block(0, count), .offsets = {rows_.offsets().data(), 1, count}});
  if (nearest.multipliers.empty()) return 0;
  const double distance = margins_->exact_distance(code_, output, nearest.multipliers, norm_);
  return std::min(distance, limit()) * margins_->stretch() * (1 - 2 * std::numeric_limits<double>::epsilon());
}

// No step whose coordinates are shorter leads to an adversarial input.
void BoundarySearch::raise_lower(double length) {
  length = std::min(length, limit());
  found_.lower = std::max(found_.lower, length / margins_->stretch() * (1 - std::numeric_limits<double>::epsilon()));
}

// Bounds by backward passes alone, of balls that grow: that within the nearest wall of x's own region, whatever the
// time, then from a part of the upper bound on. The first reach that these leave open.
double BoundarySearch::first_reach() {
  enter(network_->codes(origin_).front());
  const double wall = std::min(nearest_zero(rows_, 0, rows_.units(), norm_),
                               nearest_zero(rows_, rows_.output(0), network_->outputs(), norm_));
  const auto try_ball = [&](double radius) {
    const bool is_proved = radius > 0 && radius < infinity && bounds_.are_negative(radius);
    if (is_proved) raise_lower(radius);
    return is_proved;
  };
  try_ball(std::min(wall * (1 - 1e-9), limit()));
  if (!std::isfinite(found_.upper)) return scale_;
  double radius = first_share * found_.upper;
  while (radius < limit() && !is_late() && try_ball(radius)) radius *= growth();
  if (!is_large()) return radius;
  // For a large network most of what can be proved is proved here.
  double proved = radius / growth(), open = radius;
  for (int halving = 0; halving < 4 && !is_late(); ++halving) {
    const double middle = std::sqrt(proved * open);
    (try_ball(middle) ? proved : open) = middle;
  }
  return proved * growth();
}

// Of each output all steps wait, as one part.
void BoundarySearch::start_parts() {
  queue_.clear();
  closed_ = infinity;
  for (Index j = 0; j < network_->outputs(); ++j)
    push({.key = 0,
          .number = 0,
          .output = j,
          .signs = std::vector(code_.size(), UnitSign::any),
          .direction = {},
          .along = 0,
          .basis = {}});
}

// Divides parts until none within the limit waits, or so many were visited, or it is late.
void BoundarySearch::search_parts(Index parts) {
  while (has_near_part() && parts-- > 0 && !is_late()) {
    std::pop_heap(queue_.begin(), queue_.end());
    Part part = std::move(queue_.back());
    queue_.pop_back();
    ++found_.parts;
    divide(std::move(part));
  }
}

// Goes through the pieces of the plane within the limit instead, at most so many; where that decides, none waits.
bool BoundarySearch::search_plane(Index parts) {
  if (parts <= 0) return false;
  const Index regions = std::min(parts, most_regions / regions_per_part) * regions_per_part;
  const auto pieces = planar_pieces(*margins_, norm_, limit(), regions, [this] { return is_late(); });
  if (!pieces) return false;
  for (const PlanarPiece& piece : *pieces) {
    if (piece.distance >= near_enough * limit() || parts-- == 0) break;
    ++found_.parts;
    enter(piece.code);
    cross(piece.output, Proof::exact);
  }
  const double nearest = pieces->empty() ? infinity : pieces->front().distance;
  raise_lower(nearest);
  if (nearest < near_enough * limit()) return false;
  queue_.clear();
  closed_ = nearest;
  return true;
}

Certificate BoundarySearch::run(Index parts) {
  if (margins_->are_negative_everywhere()) return {.exact = true, .lower = infinity};
  reach_ = first_reach();
  const bool has_plane = network_->inputs() <= 2;
  bool is_planar = false;
  for (Index round = 0; round < most_reaches && found_.upper > 0; ++round) {
    start_parts();
    const auto left = [&] { return parts - found_.parts; };
    if (!is_planar) search_parts(has_plane ? std::min(left(), parts_before_plane) : left());
    if (has_plane && (has_near_part() || closed_ < near_enough * limit())) {
      is_planar = search_plane(left());
      // Far out, where nothing is known to be, parts are not gone through in its place.
      if (!is_planar && std::isfinite(found_.upper)) search_parts(left());
    }
    raise_lower(std::min(closed_, queue_.empty() ? infinity : queue_.front().key));
    if (has_near_part() || found_.upper * margins_->stretch() <= reach_) break;
    reach_ *= std::isfinite(found_.upper) || round < near_reaches ? growth() : far_growth;
  }
  // The two were rounded each to its side.
  found_.lower = std::min(found_.lower, found_.upper);
  found_.exact = std::isfinite(found_.upper) && found_.upper - found_.lower <= exact_difference * found_.upper;
  return std::move(found_);
}

}  // namespace normalign::detail

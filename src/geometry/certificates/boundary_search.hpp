// The search for the decision boundary around one input that certificates are made by.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "base/infinity.hpp"
#include "geometry/certificates/centred_margins.hpp"
#include "geometry/certificates/certificate.hpp"
#include "geometry/certificates/least_distance.hpp"
#include "geometry/certificates/part_bounds.hpp"
#include "geometry/certificates/proved_distance.hpp"
#include "geometry/region_rows.hpp"

namespace normalign::detail {

/// Looks for the step from x to the nearest point where a margin is >= 0; such points are called adversarial here.
class BoundarySearch {
 public:
  /// The margins, those at x (1 x d), are borrowed. The clock of `seconds` starts here. What `stop` throws ends all
  /// functions.
  BoundarySearch(const CentredMargins& margins, ConstView<double> x, Norm norm, double seconds = infinity,
                 StopPoll stop = {});

  /// Takes an adversarial input (1 x d), and better ones near it, as the upper bound; false when the input is none.
  bool start_from(ConstView<double> input);
  /// Looks for adversarial points, in half of the time that there is at most: along the slope of each margin; where
  /// that finds none, by APGD in ever larger balls; and in large networks by APGD in ever smaller ones.
  void attack();
  /// Visits parts in the order of their distance, within a growing reach, until the bounds meet or so many were
  /// visited. May be called once.
  Certificate run(Index parts);

 private:
  // Steps with some signs of hidden units in common and a margin >= 0.
  struct Part {
    double key;  // no such step is shorter
    Index number;
    Index output;
    std::vector<UnitSign> signs;
    std::vector<double> direction;  // where not empty, of all such steps within the limit z·direction >= along
    double along;
    std::vector<std::uint8_t> basis;  // of the linear program of what it is part of
    bool operator<(const Part& other) const { return key != other.key ? key > other.key : number > other.number; }
  };

  // Asked at every step, however small.
  bool is_late() const {
    stop_.check();
    return Clock::now() > end_;
  }
  double seconds_left() const {
    return end_ == Clock::time_point::max() ? infinity : std::max(0.0, -seconds_since(end_));
  }
  bool is_beyond(ConstView<double> step) const;
  void enter(std::span<const std::uint8_t> code);
  double value_at(ConstView<double> step, Index row) const;
  NearestPoint project(const HalfSpaces& set, double inward = 0, std::span<const std::uint8_t> start = {});
  bool take(ConstView<double> step, Proof proof);
  bool take_nearest(const HalfSpaces& set, Proof proof);
  bool start_from_step(Matrix<double> step);
  bool cross();
  bool cross(Index output, Proof proof);
  double exact_key(Index output);
  void improve();
  void attack_by_slopes();
  void attack_in_balls();
  void attack_nearer();
  // Whether all walls of a region make a linear program of seconds.
  bool is_large() const { return rows_.units() * network_->inputs() > Index{1} << 16; }
  // How long a step's coordinates may be to be of interest.
  double limit() const { return std::min(found_.upper * margins_->stretch(), reach_); }
  void push(Part part);
  NearestPoint prove(Part& part);
  void divide(Part part);
  double growth() const;
  double first_reach();
  bool has_near_part() const;
  void start_parts();
  void search_parts(Index parts);
  bool search_plane(Index parts);
  void close(double key) { closed_ = std::min(closed_, key); }
  void raise_lower(double length);

  StopPoll stop_;
  Clock::time_point end_;
  const CentredMargins* margins_;
  const PiecewiseAffineNetwork* network_;  // of the step
  Matrix<double> x_;
  Norm norm_;
  Matrix<double> origin_;  // a step of zeros
  double scale_;           // a length at x: of the step to the nearest zero of a margin, were the network affine
  double size_;            // of the largest margin at x
  RegionRows rows_;
  ActivationCode code_;  // of the region that rows_ are of
  PartBounds bounds_;
  std::vector<Part> queue_;  // a heap, the least key first
  Index pushed_ = 0;
  double reach_ = infinity;   // how far is looked
  double closed_ = infinity;  // of the parts that were not divided: no step is shorter
  Matrix<double> best_step_;  // to the adversarial point
  LeastDistance least_distance_;
  Certificate found_;  // so far
};

}  // namespace normalign::detail

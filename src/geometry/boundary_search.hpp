// The search for the decision boundary around one input that certificates are made by.
#pragma once

#include <queue>
#include <span>
#include <vector>

#include "geometry/certificate.hpp"
#include "geometry/code_table.hpp"
#include "geometry/least_distance.hpp"
#include "geometry/region_rows.hpp"

namespace normalign {

/// Looks for the point next to x where an output of `margins` is >= 0; such points are called adversarial here.
class BoundarySearch {
 public:
  /// x (1 x d) is borrowed.
  BoundarySearch(PiecewiseAffineNetwork margins, ConstView<double> x, Norm norm);

  /// Takes an adversarial point, and better ones near it, as the upper bound; false when the point is none.
  bool start_from(Matrix<double> point);
  /// Looks for adversarial points along the slope of each output.
  void attack();
  /// Visits regions in the order of their distance until the bounds meet or a limit ends it. Once for each search.
  Certificate run(Index regions, double seconds);

 private:
  struct Entry {
    double key;      // no point of the region is nearer
    Index region;    // in seen_
    bool projected;  // the key is its distance
    bool operator<(const Entry& other) const { return key != other.key ? key > other.key : region > other.region; }
  };

  bool is_adversarial(ConstView<double> z) const;
  void enter(std::span<const std::uint8_t> code);
  double value_at(ConstView<double> z, Index row) const;
  NearestPoint project(Index count);
  bool cross(double key);
  void improve();
  void expand(double key);
  bool is_dead_end(const NearestPoint& nearest);

  PiecewiseAffineNetwork margins_;
  ConstView<double> x_;
  Norm norm_;
  RegionRows rows_;
  ActivationCode code_;  // of the region that rows_ are of
  CodeTable seen_;
  std::priority_queue<Entry> queue_;
  LeastDistance least_distance_;
  Certificate found_;             // so far
  std::vector<double> steepest_;  // of each output, within
  double steep_radius_ = -1;      // this
};

}  // namespace normalign

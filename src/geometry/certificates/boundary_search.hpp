// The search for the decision boundary around one input that certificates are made by.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/infinity.hpp"
#include "geometry/certificates/certificate.hpp"
#include "geometry/certificates/least_distance.hpp"
#include "geometry/certificates/part_bounds.hpp"
#include "geometry/region_rows.hpp"

namespace normalign::detail {

/// Looks for the point next to x where an output of `margins` is >= 0; such points are called adversarial here.
class BoundarySearch {
 public:
  /// x (1 x d) is borrowed.
  BoundarySearch(PiecewiseAffineNetwork margins, ConstView<double> x, Norm norm);

  /// Takes an adversarial point, and better ones near it, as the upper bound; false when the point is none.
  bool start_from(Matrix<double> point);
  /// Looks for adversarial points: along the slope of each output, and where that finds none by projected gradient
  /// ascent in ever larger balls.
  void attack();
  /// Visits parts in the order of their distance, within a growing reach, until the bounds meet or a limit ends it.
  /// May be called once.
  Certificate run(Index parts, double seconds);

 private:
  // Points with some signs of hidden units in common and an output >= 0.
  struct Part {
    double key;  // no such point is nearer
    Index number;
    Index output;
    std::vector<UnitSign> signs;
    std::vector<double> direction;  // in l2 and where the key is not 0: of all such points (z - x)·direction >= key
    bool operator<(const Part& other) const { return key != other.key ? key > other.key : number > other.number; }
  };

  bool is_adversarial(ConstView<double> z) const;
  void enter(std::span<const std::uint8_t> code);
  double value_at(ConstView<double> z, Index row) const;
  NearestPoint project(const HalfSpaces& set);
  bool cross();
  void improve();
  void attack_by_slopes();
  void attack_in_balls();
  double limit() const { return std::min(found_.upper, reach_); }
  void push(Part part);
  void divide(Part part);

  PiecewiseAffineNetwork margins_;
  ConstView<double> x_;
  Norm norm_;
  double scale_;
  RegionRows rows_;
  ActivationCode code_;  // of the region that rows_ are of
  PartBounds bounds_;
  std::vector<Part> queue_;  // a heap, the least key first
  Index pushed_ = 0;
  double reach_ = infinity;  // how far is looked
  LeastDistance least_distance_;
  Certificate found_;  // so far
};

}  // namespace normalign::detail

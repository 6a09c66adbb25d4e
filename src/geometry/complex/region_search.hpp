// The tree of activation codes, walked to its leaves: regions as cones.
#pragma once

#include <functional>

#include "geometry/complex/cone.hpp"

namespace normalign::detail {

/// A region as the search finds it; everything is borrowed.
struct FoundRegion {
  const Cone& cone;
  std::span<const Word> code;   ///< N bits
  std::span<const Word> known;  ///< its walls, all but those of pairs of classes
  double done = 0;              ///< of the search, from 0 to 1
};

/// Cuts the input space, or a box in it, by the hidden units of a network, depth first: a layer's rows on a region are
/// computed once, and only one way into the tree is held at a time.
class RegionSearch {
 public:
  /// The network must outlive the search. Throws InputError on more than 16 inputs in a box, or a first layer
  /// of a rank above 30 without one.
  RegionSearch(const PiecewiseAffineNetwork& network, double box, bool exact);
  RegionSearch(const RegionSearch&) = delete;
  RegionSearch& operator=(const RegionSearch&) = delete;

  /// Calls visit(region) for each region, once, but in the whole space for several parts of the only region of a
  /// network without hidden layers; `cutter`, `rays` and the rows of all layers are then that region's. Throws
  /// InputError on rows beyond what a double holds.
  void run(const std::function<void(const FoundRegion&)>& visit);

  /// What the search works with.
  WallRows& rows() { return rows_; }
  Rays& rays() { return rays_; }
  ConeCutter& cutter() { return cutter_; }
  /// How many regions there are at least: as many as the cones that the search begins with.
  double least_regions() const;
  /// The dimension of the space that walls do not cut at all: directions that lie in every one.
  Index free_directions() const { return static_cast<Index>(rows_.numbers().inputs + 1 - dimension_); }

 private:
  std::span<const Word> known_before(std::size_t unit) const {
    return std::span(known_).subspan(unit * words_, words_);
  }
  void add_box(double box);
  void add_basis();
  void descend(const Cone& part, Index layer, std::size_t unit, double share);

  const PiecewiseAffineNetwork* network_;  // borrowed
  WallRows rows_;
  Rays rays_;
  RowBasis basis_;  // of the first layer, in the whole space
  std::size_t dimension_, words_;
  ConeCutter cutter_;
  std::vector<Word> known_;     // before each unit, and after all, the walls that cones have
  std::vector<Word> is_basis_;  // units that the first cones are cut by already
  std::vector<Word> code_;
  double done_ = 0;
  const std::function<void(const FoundRegion&)>* visit_ = nullptr;
};

}  // namespace normalign::detail

// A polyhedral cone given by its extreme rays and the walls that each of them lies on.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "geometry/complex/rays.hpp"

namespace normalign::detail {

/// A cone that is all sums of its rays with factors of 0 or more. It has no line in it, but for those that are in every
/// wall, and none of its rays is a sum of others.
struct Cone {
  std::vector<std::int32_t> rays;
};

/// The facets of a cone, one for each face of largest dimension below its own. Rays are numbered within the cone.
struct ConeFacets {
  std::size_t rays = 0;
  std::vector<std::size_t> walls;  ///< of each facet the first that it lies on
  std::vector<Word> members;       ///< of each facet the set of its rays

  /// How many there are.
  std::size_t count() const { return walls.size(); }
  /// The set of a facet's rays.
  std::span<const Word> members_of(std::size_t facet) const {
    return std::span(members).subspan(facet * words_for(rays), words_for(rays));
  }
};

/// Cuts cones of one dimension. Functions are told the walls that a cone is `known` to have: all that it was cut by,
/// and none whose function is not affine on it.
class ConeCutter {
 public:
  /// `rays` must outlive the cutter. The dimension counts t, and no direction that is in every wall.
  ConeCutter(Rays& rays, std::size_t dimension) : rays_(&rays), dimension_(dimension) {}

  /// On which sides of a wall a cone has rays.
  struct Sides {
    bool above = false, below = false;
  };
  Sides sides(const Cone& cone, std::size_t wall, std::span<const Word> known);
  /// The parts where the wall's function is at most and at least 0, of a cone that has rays on both sides.
  std::pair<Cone, Cone> cut(const Cone& cone, std::size_t wall, std::span<const Word> known);
  /// The facets of a cone that the known walls bound.
  ConeFacets facets(const Cone& cone, std::span<const Word> known) const;

 private:
  Rays* rays_;  // borrowed
  std::size_t dimension_;
  std::vector<std::size_t> above_, below_;
  std::vector<Word> tight_;
};

/// The volume of a polytope, by its vertices, n x d, and its facets.
double volume(ConstView<double> vertices, const ConeFacets& facets);

}  // namespace normalign::detail

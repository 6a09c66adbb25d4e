// The regions of a network with three inputs, in a box, as polygons: their walls, where the decision changes, and what
// a plane cuts out of them.
#pragma once

#include "geometry/complex/regions.hpp"
#include "geometry/complex/space_polygon.hpp"
#include "geometry/region_rows.hpp"

namespace normalign {

/// The half-spaces of one region at a time, and polygons clipped to it. Computed in double: corners are right up to the
/// rounding of the region's rows, and a polygon that is thinner may be missing.
class RegionClipper {
 public:
  /// The network must outlive it. Throws InputError unless it has three inputs and the box is finite and above 0.
  RegionClipper(const PiecewiseAffineNetwork& network, double box);

  /// Goes to the region of that code.
  void enter(std::span<const std::uint8_t> code);
  /// The part of a plane in the region and the box.
  SpacePolygon section(const SpacePlane& plane) const;
  /// The facet of the region on the wall of a hidden unit, counted through all layers; empty where it has none there.
  SpacePolygon wall(Index unit) const;
  /// Where the classes i < j tie in the region and no other wins.
  SpacePolygon tie(std::int32_t i, std::int32_t j) const;
  /// The part of a polygon in which a class wins, by the outputs as they are in this region.
  SpacePolygon won(SpacePolygon polygon, std::int32_t label) const;

 private:
  SpacePlane plane(Index row) const;
  SpacePlane lead(std::int32_t label, std::int32_t other) const;

  detail::RegionRows rows_;
  double box_;
  std::int32_t classes_;
  bool has_one_output_;
};

/// A polygon and the regions on its sides; inside one region both are that one.
struct RegionPolygon {
  SpacePolygon corners;
  std::int32_t first = 0;
  std::int32_t second = 0;
  /// Of the decision boundary the classes on its sides, `one` < `other`; else both are 0.
  std::int32_t one = 0;
  std::int32_t other = 0;
};

/// The facets between regions, each once, in the order of complex.facets. The complex must be that of the network in
/// the box. Throws InputError as `RegionClipper` does.
std::vector<RegionPolygon> wall_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                         double box);

/// The decision boundary: what lies inside regions, by region, and what lies on facets, where the winning class differs
/// between the two sides. Parameters and exceptions as of `wall_polygons`.
std::vector<RegionPolygon> decision_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                             double box);

/// What a plane cuts out of the regions; with a `label`, of the parts of the regions in which that class wins.
/// Other parameters and exceptions as of `wall_polygons`.
std::vector<RegionPolygon> section_polygons(const PiecewiseAffineNetwork& network, const RegionComplex& complex,
                                            double box, const SpacePlane& plane,
                                            std::optional<std::int32_t> label = {});

}  // namespace normalign

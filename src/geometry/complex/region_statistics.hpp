// All regions of a network in numbers.
#pragma once

#include "geometry/complex/regions.hpp"

namespace normalign {

/// Where the values of a measure lie, each counted with a weight.
struct WeightedSpread {
  double smallest = 0;
  double median = 0;  ///< values up to here have half of the weight; where that is exact, the middle to the next value
  double mean = 0;
  double largest = 0;
};

/// The spread of `values`, with one weight of 0 or more for each. Returns nothing where the weights sum to 0. A weight
/// of 0 leaves its value out.
std::optional<WeightedSpread> weighted_spread(std::span<const double> values, std::span<const double> weights);

/// The spread of a measure over regions: each counts once, or as much as its volume. Regions in which the measure is
/// undefined are left out.
struct RegionSpread {
  std::optional<WeightedSpread> by_count = {};
  std::optional<WeightedSpread> by_volume = {};  ///< nothing where a region is unbounded
};

/// What the network decides for one class.
struct ClassStatistics {
  std::int32_t label = 0;
  Index components = 0;  ///< connected decision regions
  Index pieces = 0;      ///< regions in which the class wins somewhere
  double volume = 0;     ///< of all of them; infinite where one is unbounded
};

/// Counts and measures of all regions.
struct RegionStatistics {
  Index regions = 0;
  Index open = 0;                              ///< unbounded, or in a box with a facet on the box
  Index facets = 0;                            ///< each pair of regions that meet, once
  Index crossed_facets = 0;                    ///< met by the decision boundary from inside
  Index decision_facets = 0;                   ///< part of them is decision boundary
  Index crossed_regions = 0;                   ///< the decision boundary runs through their inside
  double mean_facets = 0;                      ///< facets of a region, those on a box not counted
  double smallest_clearance = 0;               ///< of the points inside; infinite where no region has a wall
  double volume = 0;                           ///< of all regions: infinite, or (2 R)^d in a box
  std::optional<WeightedSpread> volumes = {};  ///< of regions, each counted once; nothing where one is unbounded
  RegionSpread jacobian_norm = {};
  RegionSpread centroid_alignment = {};
  RegionSpread effective_rank = {};
  std::vector<ClassStatistics> classes = {};  ///< those that win somewhere, in the order of their numbers
};

/// The statistics of a complex. Weighted by volume, |J|_F and the effective rank are means over the box; centroid
/// alignment is that of the point inside each region, weighted by the region's volume.
RegionStatistics statistics(const RegionComplex& complex);

}  // namespace normalign

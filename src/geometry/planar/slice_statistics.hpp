// A slice in numbers.
#pragma once

#include "geometry/planar/slice.hpp"

namespace normalign {

/// Counts and measures of a slice, in the plane's coordinates. Regions are activation patterns; several of them may
/// have the same affine map, as where a unit that flips is cut off by a later one.
struct SliceStatistics {
  Index regions = 0;
  Index vertices = 0;
  Index edges = 0;
  Index adjacent_pairs = 0;  ///< edges with a region on both sides
  Index distinct_maps = 0;   ///< different affine maps
  Index map_components = 0;  ///< unions of regions with one map, connected through edges
  double area = 0;           ///< of the window
  double smallest_area = 0;  ///< of a region
  double median_area = 0;
  double largest_area = 0;
  double boundary_length = 0;  ///< of the edges inside the window, each once
  double mean_slope_norm = 0;  ///< |A|_F of the slopes in the plane, weighted by area
  double largest_slope_norm = 0;
};

/// The statistics of a slice. Two maps are the same when their numbers differ by no more than `tolerance` times the
/// largest of all regions' numbers, slopes and offsets apart.
SliceStatistics statistics(const Slice& slice, double tolerance = 1e-11);

}  // namespace normalign

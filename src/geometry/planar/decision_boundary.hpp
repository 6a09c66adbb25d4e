// Where the decision of a network changes in a slice.
#pragma once

#include "geometry/planar/slice.hpp"

namespace normalign {

/// A straight piece of a boundary: inside one region, or along an edge between two regions.
struct BoundarySegment {
  Point from = {};
  Point to = {};
  std::int32_t region = 0;   ///< the region that it crosses, or one of those beside its edge
  std::int32_t edge = -1;    ///< the edge of the complex that it lies on; -1: it is inside the region
  std::int32_t first = 0;    ///< the classes that tie, first < second
  std::int32_t second = -1;  ///< -1 for a level set, of the output `first`
};

/// A boundary in a slice. Segments of neighbouring regions meet in exactly the same points on the edges between them.
struct DecisionBoundary {
  /// The segments inside regions, by region, then those along edges, by edge. An edge counts where the boundary runs
  /// exactly along a kink of the network, also where it is the rim of a flat region; not between two flat regions, and
  /// not on the border of the window.
  std::vector<BoundarySegment> segments;
  std::vector<std::int32_t> flat_regions;  ///< regions in which it holds everywhere: areas and no lines

  /// The length of the segments, each line once.
  double length() const;
};

/// Where one output is at a level: in each region whose corners lie on both sides the chord between them, and the edges
/// on which it is at the level. Throws InputError when there is no such output, or the level is not finite.
DecisionBoundary level_set(const Slice& slice, Index output, double level = 0);

/// Where the largest two outputs tie; for a single output, where it is 0. A class that wins at every corner of a region
/// wins inside; elsewhere, and on the edges, the line of each pair is clipped to where no other output is larger. Where
/// more than two classes tie along one line, the segment names two of them. Regions where the largest two are the same
/// function are flat.
DecisionBoundary class_boundary(const Slice& slice);

/// Segments of one kind joined end to end.
struct BoundaryLine {
  std::vector<Point> points;  ///< the first and the last are equal where it closes
  std::int32_t first = 0;     ///< as in BoundarySegment
  std::int32_t second = -1;
};

/// The segments as lines, each as long as it goes. Only segments with the same two classes, or of the same level set,
/// are joined.
std::vector<BoundaryLine> polylines(const DecisionBoundary& boundary);

}  // namespace normalign

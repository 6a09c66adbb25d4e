// Where the decision of a network changes in a slice.
#pragma once

#include "geometry/slice.hpp"

namespace normalign {

/// A straight piece of a boundary inside one region.
struct BoundarySegment {
  Point from;
  Point to;
  std::int32_t region = 0;
  std::int32_t first = 0;    ///< the classes that tie, first < second
  std::int32_t second = -1;  ///< -1 for a level set, of the output `first`
};

/// A boundary in a slice. Segments of neighbouring regions meet in exactly the same points on the edges between them.
struct DecisionBoundary {
  std::vector<BoundarySegment> segments;   ///< by region
  std::vector<std::int32_t> edges;         ///< edges inside the window that lie on it
  std::vector<std::int32_t> flat_regions;  ///< regions in which it holds everywhere: areas and no lines

  /// The length of the segments, without that of the edges.
  double length() const;
};

/// Where one output is at a level: in each region whose corners lie on both sides the chord between them. Throws
/// InputError when there is no such output.
DecisionBoundary level_set(const Slice& slice, Index output, double level = 0);

/// Where the largest two outputs tie; of a single output, where it is 0. A class that wins at every corner of a region
/// wins inside; elsewhere the line of each pair is clipped to where no other output is larger. Regions where the
/// largest two are the same function are flat.
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

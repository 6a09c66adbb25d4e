// A slice as a picture and as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "geometry/planar/decision_boundary.hpp"
#include "geometry/planar/slice_statistics.hpp"

namespace normalign {

/// What the colour of a region says.
enum class RegionColour {
  slope,  ///< |A|_F of the map's slope in the plane, on a log scale; grey where it is zero
  area,   ///< the region's area, on a log scale
  label   ///< which class wins, cut along the boundary
};

/// The colouring of that name: "slope", "area" or "class". Throws InputError listing the names when there is none.
RegionColour region_colour(const std::string& name);

/// A data point in a picture, by its projection to the plane.
struct SlicePoint {
  Point t;
  double distance = 0;                     ///< from the plane
  std::optional<std::int32_t> label = {};  ///< none where numbers are predicted
  std::optional<Point> centroid = {};      ///< of its region, J^T 1, projected: an arrow leads there
};

/// A slice with what is drawn over it.
struct SlicePicture {
  const Slice& slice;
  const DecisionBoundary& boundary;
  std::vector<SlicePoint> points = {};
  std::string title = {};
  RegionColour colour = RegionColour::slope;
  /// The ends of the colour scale; those of the slice where absent. The same ones make pictures comparable.
  std::optional<std::pair<double, double>> scale = {};
};

/// Draws it with axes in the plane's coordinates, a colour bar or the classes, edges thin, the decision boundary in
/// red, points in the colours of their labels, paler the farther they are from the plane. The file's ending, .svg or
/// .png, says the format. Throws InputError naming the file when it cannot be written.
void draw(const SlicePicture& picture, const std::filesystem::path& path);

/// {"plane": {"origin", "u", "v"}, "statistics", "regions_after_layer", "decision_boundary": {"length",
/// "polylines": [{"points", "classes"}], "edges", "flat_regions"}, "points", and where `regions` is set "vertices",
/// "edges": [from, to, left, right, layer, unit], "regions": [{"code", "area", "slope", "offset", "corners"}]}; the
/// border's edges have layer -1, and no region is -1.
nlohmann::ordered_json as_json(const SlicePicture& picture, bool regions);

}  // namespace normalign

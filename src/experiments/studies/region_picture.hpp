// The decision regions of a network with three inputs as a body in space: a drawing, and a mesh for other programs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "geometry/complex/regions.hpp"

namespace normalign {

/// The regions in a box as a picture shows them.
struct RegionPicture {
  const PiecewiseAffineNetwork& network;
  const RegionComplex& complex;  ///< of that network in the box
  double box = 1;
  std::int32_t label = 0;  ///< the part of the box in which this class wins is the body
  std::string title = {};
  /// The ends of the colour scale of |J|_F; those of the regions where absent. The same ones make pictures comparable.
  std::optional<std::pair<double, double>> scale = {};
  double azimuth = 35;    ///< where the eye is: degrees from the first axis towards the second
  double elevation = 25;  ///< degrees above the plane of both
};

/// The class that wins in the smallest part of the box that is not empty; the first of those.
std::int32_t smallest_class(const RegionComplex& complex);

/// Draws the body with the octant of the box that is nearest to the eye cut out of it. Its surface is the decision
/// boundary and, where the class wins there, the sides of the box; the cut faces show the regions within. Each polygon
/// is a part of one region, coloured by the region's |J|_F on a log scale. Nearer polygons cover those behind them,
/// seen from far away. The file's ending, .svg or .png, says the format. Throws InputError naming the file when it
/// cannot be written, and as `RegionClipper` does.
void draw(const RegionPicture& picture, const std::filesystem::path& path);

/// The decision boundary of all classes as a polygon mesh in the format PLY (ASCII): a face for each polygon, with
/// the properties red, green, blue, alpha (by |J|_F on a log scale, as in the drawing), region, jacobian_norm, and
/// is_wall. With `walls`, the facets between regions follow, grey and mostly transparent, with is_wall 1. Throws as
/// `RegionClipper` does.
std::string as_ply(const PiecewiseAffineNetwork& network, const RegionComplex& complex, double box, bool walls);

}  // namespace normalign

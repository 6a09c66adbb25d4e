// Polygons in space, drawn so that nearer ones cover those behind them.
#pragma once

#include <vector>

#include "experiments/figures/canvas.hpp"
#include "geometry/complex/space_polygon.hpp"

namespace normalign {

/// A line on a face.
struct FaceLine {
  SpacePoint from = {}, to = {};
};

/// A flat convex polygon of one colour, and lines in its plane.
struct Face {
  SpacePolygon corners = {};
  Colour colour = {};
  std::vector<FaceLine> lines = {};
};

/// A face with its sides as lines.
Face outlined(SpacePolygon corners, Colour colour);

/// The parts of a face where the plane's function is at most and at least 0, lines cut as the polygon is.
std::pair<Face, Face> cut(const Face& face, const SpacePlane& plane, double rounding = 1e-12);

/// The faces in the order in which they are to be painted for an eye that is far away in the direction `to_eye`: none
/// is covered by an earlier one. Faces that cross another's plane are cut (binary space partition; Fuchs, Kedem and
/// Naylor, On visible surface generation by a priori tree structures, SIGGRAPH 1980).
std::vector<Face> back_to_front(std::vector<Face> faces, const SpacePoint& to_eye);

}  // namespace normalign

#include "experiments/figures/painter.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace normalign {
namespace {

// Corners this near to a plane, relative to their size, are on it: neighbours have a corner up to rounding alone.
constexpr double on_plane = 1e-9;

// The part of a line in a half-space.
std::optional<FaceLine> clipped_line(const FaceLine& line, const SpacePlane& half_space, double rounding) {
  const double from = side_of(half_space, line.from, rounding), to = side_of(half_space, line.to, rounding);
  if (from < 0 && to < 0) return std::nullopt;
  if (from >= 0 && to >= 0) return line;
  const double share = from / (from - to);
  SpacePoint crossing;
  for (std::size_t j = 0; j < 3; ++j) crossing[j] = line.from[j] + share * (line.to[j] - line.from[j]);
  return from < 0 ? FaceLine{crossing, line.to} : FaceLine{line.from, crossing};
}

SpacePlane plane_of(const SpacePolygon& polygon) {
  SpacePlane plane{.normal = area_vector(polygon)};
  plane.offset = -dot(plane.normal, polygon.front());
  return plane;
}

class Painter {
 public:
  explicit Painter(const SpacePoint& to_eye) : to_eye_(to_eye) {}

  // Faces behind the plane of one of them are painted before it, and those in front of it after it.
  void paint(std::vector<Face> faces) {
    if (faces.empty()) return;
    const std::size_t chosen = best(faces);
    const SpacePlane plane = plane_of(faces[chosen].corners);
    const bool is_seen_from_above = dot(plane.normal, to_eye_) > 0;
    std::vector<Face> below, within, above;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const auto [is_below, is_above] = sides_of(faces[i].corners, plane);
      if (i == chosen || (!is_below && !is_above)) {
        within.push_back(std::move(faces[i]));
      } else if (is_below && is_above) {
        auto [lower, upper] = cut(faces[i], plane, on_plane);
        if (!lower.corners.empty()) below.push_back(std::move(lower));
        if (!upper.corners.empty()) above.push_back(std::move(upper));
      } else {
        (is_below ? below : above).push_back(std::move(faces[i]));
      }
    }
    faces = {};
    paint(std::move(is_seen_from_above ? below : above));
    std::ranges::move(within, std::back_inserter(painted));
    paint(std::move(is_seen_from_above ? above : below));
  }

  std::vector<Face> painted;

 private:
  static std::pair<bool, bool> sides_of(const SpacePolygon& corners, const SpacePlane& plane) {
    std::pair<bool, bool> result;
    for (const SpacePoint& corner : corners) {
      const double side = side_of(plane, corner, on_plane);
      result.first |= side < 0;
      result.second |= side > 0;
    }
    return result;
  }

  // Of a few faces the one whose plane cuts the fewest of some others.
  static std::size_t best(const std::vector<Face>& faces) {
    constexpr std::size_t candidates = 6, looked_at = 60;
    std::size_t result = 0, fewest = looked_at + 1;
    for (std::size_t c = 0; c < std::min(candidates, faces.size()); ++c) {
      const std::size_t candidate = c * faces.size() / std::min(candidates, faces.size());
      const SpacePlane plane = plane_of(faces[candidate].corners);
      std::size_t cuts = 0;
      for (std::size_t i = 0; i < std::min(looked_at, faces.size()); ++i) {
        const auto [below, above] =
            sides_of(faces[i * faces.size() / std::min(looked_at, faces.size())].corners, plane);
        cuts += below && above;
      }
      if (cuts >= fewest) continue;
      fewest = cuts;
      result = candidate;
    }
    return result;
  }

  SpacePoint to_eye_;
};

}  // namespace

Face outlined(SpacePolygon corners, Colour colour) {
  Face face{.corners = std::move(corners), .colour = colour};
  for (std::size_t i = 0; i < face.corners.size(); ++i)
    face.lines.push_back({face.corners[i], face.corners[(i + 1) % face.corners.size()]});
  return face;
}

std::pair<Face, Face> cut(const Face& face, const SpacePlane& plane, double rounding) {
  auto [lower, upper] = cut(face.corners, plane, rounding);
  std::pair<Face, Face> result{{.corners = std::move(lower), .colour = face.colour},
                               {.corners = std::move(upper), .colour = face.colour}};
  for (const FaceLine& line : face.lines) {
    if (const auto part = clipped_line(line, -plane, rounding)) result.first.lines.push_back(*part);
    if (const auto part = clipped_line(line, plane, rounding)) result.second.lines.push_back(*part);
  }
  return result;
}

std::vector<Face> back_to_front(std::vector<Face> faces, const SpacePoint& to_eye) {
  Painter painter(to_eye);
  painter.paint(std::move(faces));
  return std::move(painter.painted);
}

}  // namespace normalign

#include "experiments/studies/region_picture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include "base/number_text.hpp"
#include "experiments/figures/colour_bar.hpp"
#include "experiments/figures/painter.hpp"
#include "geometry/complex/region_polygons.hpp"
#include "geometry/complex/region_statistics.hpp"

namespace normalign {
namespace {

LogScale jacobian_scale(const RegionComplex& complex) {
  std::vector<double> norms;
  for (const LinearRegion& region : complex.regions) norms.push_back(region.jacobian_norm);
  return log_scale(norms);
}

double jacobian_norm(const RegionComplex& complex, std::int32_t region) {
  return complex.regions[static_cast<std::size_t>(region)].jacobian_norm;
}

SpacePlane axis_half_space(std::size_t axis, double side, double offset) {
  SpacePlane plane{.offset = offset};
  plane.normal[axis] = side;
  return plane;
}

// Where the eye is, and the sheet that it sees: coordinates to the right and up.
class View {
 public:
  static constexpr double left = 20, top = 44, room = 480, right = 90, bottom = 20;

  explicit View(const RegionPicture& picture) {
    const double a = picture.azimuth * std::numbers::pi / 180, e = picture.elevation * std::numbers::pi / 180;
    right_ = {-std::sin(a), std::cos(a), 0};
    up_ = {-std::sin(e) * std::cos(a), -std::sin(e) * std::sin(a), std::cos(e)};
    to_eye_ = {std::cos(e) * std::cos(a), std::cos(e) * std::sin(a), std::sin(e)};
    // The box fits.
    const auto reach = [&](const SpacePoint& axis) {
      return picture.box * (std::abs(axis[0]) + std::abs(axis[1]) + std::abs(axis[2]));
    };
    scale_ = room / (2 * std::max(reach(right_), reach(up_)));
  }
  const SpacePoint& to_eye() const { return to_eye_; }
  // Which half of an axis the eye sees from outside.
  double side(std::size_t axis) const { return to_eye_[axis] < 0 ? -1 : 1; }
  Point on_sheet(const SpacePoint& x) const {
    return {left + room / 2 + scale_ * dot(right_, x), top + room / 2 - scale_ * dot(up_, x)};
  }
  // How bright a polygon is whose normal is n, either way.
  double brightness(const SpacePoint& n) const {
    SpacePoint light;
    for (std::size_t j = 0; j < 3; ++j) light[j] = to_eye_[j] + 0.6 * up_[j] - 0.5 * right_[j];
    const double facing = dot(n, to_eye_) < 0 ? -1 : 1, size = length(n) * length(light);
    return 0.6 + 0.4 * std::max(0.0, size > 0 ? facing * dot(n, light) / size : 0);
  }

 private:
  SpacePoint right_, up_, to_eye_;
  double scale_;
};

Colour shaded(Colour colour, double brightness) {
  return {brightness * colour.red, brightness * colour.green, brightness * colour.blue};
}

// The parts of a face outside the octant that is nearest to the eye.
void append_outside(const View& view, Face face, std::vector<Face>& faces) {
  for (std::size_t axis = 0; axis < 3 && !face.corners.empty(); ++axis) {
    auto [lower, upper] = cut(face, axis_half_space(axis, view.side(axis), 0));
    // A face in the plane of the cut is kept, once.
    if (upper.corners == face.corners && lower.corners == face.corners) upper.corners.clear();
    if (!lower.corners.empty()) faces.push_back(std::move(lower));
    face = std::move(upper);
  }
}

std::vector<Face> faces_of_body(const RegionPicture& picture, const View& view, const LogScale& scale) {
  const auto colour = [&](std::int32_t region) { return scale.colour(jacobian_norm(picture.complex, region)); };
  std::vector<Face> faces;
  for (RegionPolygon& polygon : decision_polygons(picture.network, picture.complex, picture.box)) {
    if (polygon.one != picture.label && polygon.other != picture.label) continue;
    const double brightness = view.brightness(area_vector(polygon.corners));
    append_outside(view, outlined(std::move(polygon.corners), shaded(colour(polygon.first), brightness)), faces);
  }
  const auto sections = [&](const SpacePlane& plane) {
    return section_polygons(picture.network, picture.complex, picture.box, plane, picture.label);
  };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (const double side : {-1.0, 1.0}) {
      const SpacePlane border = axis_half_space(axis, side, -picture.box);
      for (RegionPolygon& polygon : sections(border))
        append_outside(
            view, outlined(std::move(polygon.corners), shaded(colour(polygon.first), view.brightness(border.normal))),
            faces);
    }
    for (RegionPolygon& polygon : sections(axis_half_space(axis, 1, 0))) {
      Face face = outlined(std::move(polygon.corners), colour(polygon.first));
      for (const std::size_t other : {(axis + 1) % 3, (axis + 2) % 3})
        face = cut(face, axis_half_space(other, view.side(other), 0)).second;
      if (!face.corners.empty()) faces.push_back(std::move(face));
    }
  }
  return faces;
}

// The edges of the box but those that the eye sees in front of it; `behind`: those at the corner that is farthest from
// the eye, else the six that are seen around it.
void draw_box(Canvas& canvas, const RegionPicture& picture, const View& view, bool behind) {
  std::vector<std::vector<Point>> lines;
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const double u : {-1.0, 1.0})
      for (const double v : {-1.0, 1.0}) {
        const std::size_t first = (axis + 1) % 3, second = (axis + 2) % 3;
        const int near = (u == view.side(first)) + (v == view.side(second));
        if (near != (behind ? 0 : 1)) continue;
        SpacePoint from = {}, to = {};
        from[first] = to[first] = u * picture.box;
        from[second] = to[second] = v * picture.box;
        from[axis] = -picture.box;
        to[axis] = picture.box;
        lines.push_back({view.on_sheet(from), view.on_sheet(to)});
      }
  canvas.draw(lines, {0.5, 0.5, 0.5}, behind ? 0.5 : 0.8);
}

// Faces of PLY, and their corners.
class Mesh {
 public:
  void add(const RegionPolygon& polygon, Colour colour, double jacobian_norm, bool is_wall) {
    for (const SpacePoint& x : polygon.corners)
      vertices_ += text(number_text(x[0]), ' ', number_text(x[1]), ' ', number_text(x[2]), '\n');
    std::string properties;
    for (const double value : {colour.red, colour.green, colour.blue, colour.opacity})
      properties += text(' ', std::lround(255 * value));
    properties += text(' ', polygon.first, ' ', number_text(jacobian_norm), ' ', is_wall ? 1 : 0, '\n');
    // A list has 255 entries at most: longer ones are parted, and all parts have the first corner.
    constexpr std::size_t most = 255;
    const std::size_t count = polygon.corners.size();
    for (std::size_t begin = 1; begin + 1 < count; begin += most - 2) {
      const std::size_t end = std::min(count, begin + most - 1);
      faces_ += text(end - begin + 1, ' ', vertex_count_);
      for (std::size_t i = begin; i < end; ++i) faces_ += text(' ', vertex_count_ + i);
      faces_ += properties;
      ++face_count_;
    }
    vertex_count_ += count;
  }
  std::string as_ply() const {
    return text("ply\nformat ascii 1.0\ncomment decision boundary of a network, written by normalign\nelement vertex ",
                vertex_count_, "\nproperty double x\nproperty double y\nproperty double z\nelement face ", face_count_,
                "\nproperty list uchar int vertex_indices\nproperty uchar red\nproperty uchar green\nproperty uchar "
                "blue\n"
                "property uchar alpha\nproperty int region\nproperty double jacobian_norm\nproperty uchar is_wall\n"
                "end_header\n") +
           vertices_ + faces_;
  }

 private:
  std::string vertices_, faces_;
  std::size_t vertex_count_ = 0, face_count_ = 0;
};

}  // namespace

std::int32_t smallest_class(const RegionComplex& complex) {
  const std::vector<ClassStatistics> classes = statistics(complex).classes;
  return std::ranges::min_element(classes, {}, &ClassStatistics::volume)->label;
}

void draw(const RegionPicture& picture, const std::filesystem::path& path) {
  const View view(picture);
  const LogScale scale =
      picture.scale ? LogScale{picture.scale->first, picture.scale->second} : jacobian_scale(picture.complex);
  Canvas canvas(path, View::left + View::room + View::right, View::top + View::room + View::bottom);
  draw_box(canvas, picture, view, true);
  for (const Face& face : back_to_front(faces_of_body(picture, view, scale), view.to_eye())) {
    std::vector<Point> polygon;
    for (const SpacePoint& corner : face.corners) polygon.push_back(view.on_sheet(corner));
    canvas.fill({polygon}, face.colour);
    std::vector<std::vector<Point>> lines;
    for (const FaceLine& line : face.lines) lines.push_back({view.on_sheet(line.from), view.on_sheet(line.to)});
    canvas.draw(lines, {0, 0, 0, 0.35}, 0.25);
  }
  draw_box(canvas, picture, view, false);
  draw_colour_bar(canvas, {View::left + View::room + 14, View::top + 60}, View::room - 120, scale, "|J|");
  canvas.write({View::left, 20}, picture.title, 12);
  canvas.save();
}

std::string as_ply(const PiecewiseAffineNetwork& network, const RegionComplex& complex, double box, bool walls) {
  const LogScale scale = jacobian_scale(complex);
  Mesh mesh;
  for (const RegionPolygon& polygon : decision_polygons(network, complex, box)) {
    const double norm = jacobian_norm(complex, polygon.first);
    mesh.add(polygon, scale.colour(norm), norm, false);
  }
  if (walls)
    for (const RegionPolygon& polygon : wall_polygons(network, complex, box))
      mesh.add(polygon, {0.6, 0.6, 0.6, 0.2}, jacobian_norm(complex, polygon.first), true);
  return mesh.as_ply();
}

}  // namespace normalign

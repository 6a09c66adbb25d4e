#include "experiments/figures/painter.hpp"

#include <cmath>
#include <map>
#include <numbers>

#include "linalg/random.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

// A triangle somewhere in the cube, whose colour tells which it is.
Face random_triangle(const RandomRows& random, std::uint32_t number) {
  std::array<double, 9> values{};
  random.uniform<double>(number, values, -1, 1);
  SpacePolygon corners;
  for (std::size_t i = 0; i < 3; ++i) corners.push_back({values[3 * i], values[3 * i + 1], values[3 * i + 2]});
  return outlined(std::move(corners), {.red = static_cast<double>(number)});
}

// How far along the view the face is at (x, y), seen along the third axis; nothing where it is not there.
std::optional<double> height_at(const SpacePolygon& corners, double x, double y) {
  const SpacePoint normal = area_vector(corners);
  if (std::abs(normal[2]) < 1e-12) return std::nullopt;
  double side = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const SpacePoint &a = corners[i], &b = corners[(i + 1) % corners.size()];
    const double turn = (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]);
    if (turn * side < 0) return std::nullopt;
    if (turn != 0) side = turn;
  }
  return corners[0][2] - (normal[0] * (x - corners[0][0]) + normal[1] * (y - corners[0][1])) / normal[2];
}

TEST_CASE("whatever is painted last at a point is what is nearest to the eye there") {
  const RandomRows random(2, Stream::data);
  std::vector<Face> faces;
  for (std::uint32_t i = 0; i < 40; ++i) faces.push_back(random_triangle(random, i));
  for (const double eye : {-1.0, 1.0}) {
    const std::vector<Face> painted = back_to_front(faces, {0, 0, eye});
    CHECK(painted.size() > faces.size());  // triangles that pass through each other
    Index wrong = 0, hits = 0;
    for (int k = 0; k < 2000; ++k) {
      std::array<double, 2> at{};
      random.uniform<double>(static_cast<std::uint32_t>(1000 + k), at, -1, 1);
      std::optional<double> nearest, last;
      double nearest_face = -1, last_face = -1;
      for (const Face& face : faces)
        if (const auto height = height_at(face.corners, at[0], at[1]);
            height && (!nearest || eye * *height > *nearest)) {
          nearest = eye * *height;
          nearest_face = face.colour.red;
        }
      for (const Face& face : painted)
        if (height_at(face.corners, at[0], at[1])) last_face = face.colour.red;
      hits += nearest.has_value();
      wrong += nearest_face != last_face;
    }
    CHECK(hits > 1000);
    CHECK(wrong == 0);
  }
}

TEST_CASE("painting keeps the area of every face and the length of its lines") {
  const RandomRows random(3, Stream::data);
  std::vector<Face> faces;
  for (std::uint32_t i = 0; i < 30; ++i) faces.push_back(random_triangle(random, i));
  const auto sizes = [](const std::vector<Face>& all) {
    std::map<double, std::pair<double, double>> result;
    for (const Face& face : all) {
      result[face.colour.red].first += length(area_vector(face.corners));
      for (const FaceLine& line : face.lines)
        result[face.colour.red].second +=
            std::hypot(line.to[0] - line.from[0], line.to[1] - line.from[1], line.to[2] - line.from[2]);
    }
    return result;
  };
  const auto before = sizes(faces), after = sizes(back_to_front(faces, {0.3, -0.4, 0.5}));
  for (const auto& [face, size] : before) {
    CHECK_THAT(after.at(face).first, WithinRel(size.first, 1e-9));
    CHECK_THAT(after.at(face).second, WithinRel(size.second, 1e-9));
  }
}

TEST_CASE("faces in one plane, thin ones and none are painted too") {
  CHECK(back_to_front({}, {0, 0, 1}).empty());
  const SpacePolygon square = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {0, 1, 0}};
  const SpacePolygon thin = {{0, 0, 0.5}, {1, 0, 0.5}, {0.5, 0, 0.5}};
  CHECK(back_to_front({outlined(square, {}), outlined(square, {}), outlined(thin, {})}, {1, 1, 1}).size() == 3);
}

}  // namespace
}  // namespace normalign::tests

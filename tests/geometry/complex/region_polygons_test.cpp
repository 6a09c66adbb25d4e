#include "geometry/complex/region_polygons.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "geometry/complex/region_statistics.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

double area(const SpacePolygon& polygon) { return length(area_vector(polygon)); }

double area(const std::vector<RegionPolygon>& polygons) {
  double sum = 0;
  for (const RegionPolygon& polygon : polygons) sum += area(polygon.corners);
  return sum;
}

// How far two polygons with the same corners, however they are turned, are apart.
double distance(const SpacePolygon& a, const SpacePolygon& b) {
  double farthest = 0;
  for (const auto& [from, to] : {std::pair(&a, &b), {&b, &a}})
    for (const SpacePoint& x : *from) {
      double nearest = infinity;
      for (const SpacePoint& y : *to) nearest = std::min(nearest, std::hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]));
      farthest = std::max(farthest, nearest);
    }
  return farthest;
}

// (1/3) of the sum of x n over the polygon, n pointing away from `inside`: its share of the volume that it bounds.
double flux(const SpacePolygon& polygon, const SpacePoint& inside) {
  const SpacePoint normal = area_vector(polygon);
  const SpacePoint outward = {polygon[0][0] - inside[0], polygon[0][1] - inside[1], polygon[0][2] - inside[2]};
  return (dot(normal, outward) < 0 ? -1 : 1) * dot(normal, polygon[0]) / 3;
}

SpacePoint inside_of(const RegionComplex& complex, std::int32_t region) {
  const auto row = complex.inside.row(region);
  return {row[0], row[1], row[2]};
}

TEST_CASE("a plane through the middle of a cube across its diagonal cuts out a regular hexagon", "[geometry]") {
  const SpacePolygon hexagon = plane_in_box({{1, 1, 1}, 0}, 1);
  CHECK(hexagon.size() == 6);
  CHECK_THAT(area(hexagon), WithinRel(3 * std::numbers::sqrt3, 1e-14));
  const SpacePolygon half = clipped(hexagon, {{1, 0, 0}, 0});
  CHECK_THAT(area(half), WithinRel(1.5 * std::numbers::sqrt3, 1e-14));
  CHECK(plane_in_box({{1, 1, 1}, 4}, 1).empty());
  CHECK(plane_in_box({{0, 0, 0}, 0}, 1).empty());
  CHECK_THAT(area(plane_in_box({{0, 2, 0}, -2}, 1)), WithinRel(4.0, 1e-14));
}

TEST_CASE("the facets of a bounded region enclose its volume, and look the same from both sides", "[geometry]") {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    CAPTURE(seed);
    const double box = 1.5;
    const PiecewiseAffineNetwork network = random_network({3, 9, 6, 3}, seed, {0, 0.1}, seed == 3 ? 0.5 : 0);
    const RegionComplex complex = regions(network, {.box = box});
    const std::vector<RegionPolygon> walls = wall_polygons(network, complex, box);
    CHECK(walls.size() == complex.facets.size());
    std::vector<double> volumes(static_cast<std::size_t>(complex.count()));
    RegionClipper clipper(network, box);
    double worst = 0;
    for (const RegionPolygon& wall : walls) {
      for (const std::int32_t region : {wall.first, wall.second})
        volumes[static_cast<std::size_t>(region)] += flux(wall.corners, inside_of(complex, region));
      clipper.enter(complex.code(wall.second));
      const HiddenUnit unit = complex.flips({.first = wall.first, .second = wall.second}).front();
      worst = std::max(worst, distance(wall.corners, clipper.wall(network.first_unit(unit.layer) + unit.unit)));
    }
    CHECK(worst < 1e-9);
    Index closed = 0;
    double error = 0;
    for (std::size_t r = 0; r < volumes.size(); ++r) {
      if (complex.regions[r].is_open) continue;
      ++closed;
      error = std::max(error, std::abs(volumes[r] - complex.regions[r].volume));
    }
    CHECK(closed > 3);
    CHECK(error < 1e-12);
  }
}

TEST_CASE("what a plane cuts out of the regions fills the plane, and what it cuts out of a class is its share",
          "[geometry]") {
  const PiecewiseAffineNetwork network = random_network({3, 9, 6, 3}, 8);
  const RegionComplex complex = regions(network, {.box = 1});
  const SpacePlane plane{{0.3, -1, 0.4}, 0.2};
  const double whole = area(plane_in_box(plane, 1));
  CHECK_THAT(area(section_polygons(network, complex, 1, plane)), WithinRel(whole, 1e-12));
  double sum = 0;
  for (std::int32_t label = 0; label < 3; ++label) sum += area(section_polygons(network, complex, 1, plane, label));
  CHECK_THAT(sum, WithinRel(whole, 1e-12));
}

// The volume in which a class wins, by the surface of that body: the decision boundary with the normal away from the
// class, and the class's parts of the sides of the box.
double enclosed_volume(const PiecewiseAffineNetwork& network, const RegionComplex& complex, double box,
                       std::int32_t label) {
  double volume = 0;
  for (const RegionPolygon& polygon : decision_polygons(network, complex, box)) {
    if (polygon.one != label && polygon.other != label) continue;
    // A step from the middle of the polygon along its normal tells on which side the class wins.
    SpacePoint middle = {}, normal = area_vector(polygon.corners);
    const double size = length(normal);
    if (size < 1e-13) continue;
    for (const SpacePoint& corner : polygon.corners)
      for (std::size_t j = 0; j < 3; ++j) middle[j] += corner[j] / static_cast<double>(polygon.corners.size());
    M ahead(1, 3);
    for (std::size_t j = 0; j < 3; ++j) ahead.span()[j] = middle[j] + 1e-7 * normal[j] / size;
    const M output = network(ahead);
    const bool wins = output.cols() == 1 ? (output(0, 0) > 0) == (label == 1)
                                         : std::ranges::max_element(output.row(0)) - output.row(0).begin() == label;
    volume += (wins ? -1 : 1) * dot(normal, middle) / 3;
  }
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const double side : {-1.0, 1.0}) {
      SpacePlane border{.offset = -box};
      border.normal[axis] = side;
      volume += box / 3 * area(section_polygons(network, complex, box, border, label));
    }
  return volume;
}

TEST_CASE("the decision boundary and the sides of the box enclose the volume of each class", "[geometry]") {
  Index several = 0;
  for (const std::vector<Index>& widths :
       std::vector<std::vector<Index>>{{3, 8, 6, 2}, {3, 8, 6, 1}, {3, 8, 5, 4}, {3, 7, 3}, {3, 4}})
    for (std::uint64_t seed = 1; seed < 4; ++seed) {
      CAPTURE(widths, seed);
      const PiecewiseAffineNetwork network = random_network(widths, seed, {0, 0.1});
      const RegionComplex complex = regions(network, {.box = 1.25});
      const std::vector<ClassStatistics> classes = statistics(complex).classes;
      for (const ClassStatistics& one : classes)
        CHECK_THAT(enclosed_volume(network, complex, 1.25, one.label), WithinAbs(one.volume, 1e-9));
      several += classes.size() > 1;
    }
  CHECK(several > 5);
}

TEST_CASE("a decision boundary along a wall is the wall's polygon", "[geometry]") {
  // f = (0, relu(x + y + z)): class 0 wins the tie below the plane, and class 1 above it.
  const PiecewiseAffineNetwork network(
      {{.weight = M{{1, 1, 1}}, .bias = M{{0}}, .slope = 0}, {.weight = M{{0}, {1}}, .bias = M{{0, 0}}, .slope = 1}});
  const RegionComplex complex = regions(network, {.box = 1});
  const std::vector<RegionPolygon> found = decision_polygons(network, complex, 1);
  REQUIRE(found.size() == 1);
  CHECK_THAT(area(found), WithinRel(3 * std::numbers::sqrt3, 1e-14));
  CHECK(found[0].one == 0);
  CHECK(found[0].other == 1);
  CHECK(found[0].first != found[0].second);
}

TEST_CASE("polygons are those of three inputs in a box, and anything else is refused", "[geometry]") {
  CHECK(message_of<InputError>([] {
          RegionClipper(random_network({2, 4, 2}, 1), 1);
        }) == "polygons of regions: the network has 2 inputs; it must have 3");
  CHECK(message_of<InputError>([] {
          RegionClipper(random_network({3, 4, 2}, 1), infinity);
        }) == "polygons of regions: box is inf; it must be finite and above 0");
}

}  // namespace
}  // namespace normalign::tests

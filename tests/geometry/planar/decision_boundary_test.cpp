#include "geometry/planar/decision_boundary.hpp"

#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "support/catch.hpp"
#include "support/complexes.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("decision boundaries agree with the exact ones") {
  for (const ReferenceGeometry& reference : reference_geometries("decision boundaries")) {
    const auto& partition = reference.json.at("partition");
    if (partition.is_null()) continue;
    CAPTURE(reference.name);
    const auto& expected = partition.at("decision_boundary");
    const double r = partition.at("domain_half_width");
    const Slice found = slice(reference.network, plane_of(partition), {.window = square(r)});
    const DecisionBoundary boundary = class_boundary(found);
    // The exact ones keep what lies on edges apart from the segments inside regions.
    DecisionBoundary inside = boundary;
    std::erase_if(inside.segments, [](const BoundarySegment& segment) { return segment.edge >= 0; });
    CHECK(inside.segments.size() == expected.at("num_segments").get<std::size_t>());
    CHECK_THAT(inside.length(), WithinRel(expected.at("length").get<double>(), 1e-9) || WithinAbs(0, 1e-15));
    CHECK(boundary.flat_regions.size() == expected.at("num_tie_cells").get<std::size_t>());
    if (reference.network.outputs() == 1)
      CHECK(boundary.segments.size() - inside.segments.size() == expected.at("num_zero_edges").get<std::size_t>());
  }
}

// How often each point is the end of a segment.
std::map<std::pair<double, double>, int> ends(const DecisionBoundary& boundary) {
  std::map<std::pair<double, double>, int> result;
  for (const BoundarySegment& s : boundary.segments) {
    ++result[{s.from.x, s.from.y}];
    ++result[{s.to.x, s.to.y}];
  }
  return result;
}

TEST_CASE("a level set is continuous: its segments end on the border, or where the next begins") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const PiecewiseAffineNetwork network = random_network({2, 14, 12, 2}, seed, {0, 0.2});
    const Slice found = slice(network, input_plane());
    for (const double level : {0.0, 0.3}) {
      const DecisionBoundary boundary = level_set(found, 1, level);
      for (const auto& [end, count] : ends(boundary)) {
        const bool on_border = std::max(std::abs(end.first), std::abs(end.second)) == 1;
        CHECK(count == (on_border ? 1 : 2));
      }
      double error = 0;
      for (const BoundarySegment& s : boundary.segments) {
        const Point middle{(s.from.x + s.to.x) / 2, (s.from.y + s.to.y) / 2};
        error = std::max(error, std::abs(network(points_on(found.plane, {middle}))(0, 1) - level));
        CHECK(contains(found.complex, s.region, middle, -1e-12));
      }
      CHECK(error < 1e-12);
      // Joined, they are as long as before, and only a closed line has equal ends.
      double length = 0;
      for (const auto& [line, first, second] : polylines(boundary)) {
        CHECK(first == 1);
        CHECK(second == -1);
        for (std::size_t i = 1; i < line.size(); ++i)
          length += std::hypot(line[i].x - line[i - 1].x, line[i].y - line[i - 1].y);
        const auto on_border = [](Point p) { return std::max(std::abs(p.x), std::abs(p.y)) == 1; };
        CHECK((line.front() == line.back() || (on_border(line.front()) && on_border(line.back()))));
      }
      CHECK_THAT(length, WithinAbs(boundary.length(), 1e-12));
    }
  }
}

TEST_CASE("on a class boundary two outputs tie above all others, and no change of class is missed") {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const PiecewiseAffineNetwork network = random_network({2, 10, 9, 5}, seed, {0, -1});
    const Slice found = slice(network, input_plane());
    const DecisionBoundary boundary = class_boundary(found);
    CHECK(boundary.flat_regions.empty());
    for (const BoundarySegment& s : boundary.segments) {
      const M f = network(points_on(found.plane, {{(s.from.x + s.to.x) / 2, (s.from.y + s.to.y) / 2}}));
      CHECK(std::abs(f(0, s.first) - f(0, s.second)) < 1e-12);
      CHECK(f(0, s.first) > *std::ranges::max_element(f.span()) - 1e-12);
    }
    // Along any line, a change of class lies between two samples only if a segment crosses between them.
    const auto crosses = [&](Point p, Point q) {
      for (const BoundarySegment& s : boundary.segments) {
        const auto side = [](Point a, Point b, Point c) {
          return (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
        };
        if (side(s.from, s.to, p) * side(s.from, s.to, q) <= 0 && side(p, q, s.from) * side(p, q, s.to) <= 1e-20)
          return true;
      }
      return false;
    };
    const double y = -0.7 + 0.03 * static_cast<double>(seed);
    std::vector<Point> samples;
    for (int i = 0; i <= 400; ++i) samples.push_back({-1 + 0.005 * i, y});
    const M f = network(points_on(found.plane, samples));
    const auto winner = [&](std::size_t i) {
      const auto row = f.row(static_cast<Index>(i));
      return std::ranges::max_element(row) - row.begin();
    };
    for (std::size_t i = 1; i < samples.size(); ++i)
      if (winner(i) != winner(i - 1)) CHECK(crosses(samples[i - 1], samples[i]));
  }
}

PiecewiseAffineNetwork one_layer(M weight, M bias, double slope, M last_weight, M last_bias) {
  return PiecewiseAffineNetwork({{.weight = std::move(weight), .bias = std::move(bias), .slope = slope},
                                 {.weight = std::move(last_weight), .bias = std::move(last_bias), .slope = 1}});
}

TEST_CASE("a boundary along a kink is counted once, with its length") {
  // f = 2 relu(x) - relu(-x): from negative to positive at x = 0, where the regions meet.
  const PiecewiseAffineNetwork bent = one_layer({{1, 0}, {-1, 0}}, {{0, 0}}, 0, {{2, -1}}, {{0}});
  // The same as two classes, and as three of which two are alike.
  const PiecewiseAffineNetwork two = one_layer({{1, 0}, {-1, 0}}, {{0, 0}}, 0, {{2, 0}, {0, 1}}, {{0, 0}});
  for (const auto* network : {&bent, &two}) {
    const DecisionBoundary boundary = class_boundary(slice(*network, input_plane()));
    REQUIRE(boundary.segments.size() == 1);
    CHECK(boundary.segments[0].edge >= 0);
    CHECK(boundary.flat_regions.empty());
    CHECK(boundary.length() == 2);
    REQUIRE(polylines(boundary).size() == 1);
    CHECK(polylines(boundary)[0].points.size() == 2);
  }
  // f = (|x|, 0): the outputs tie where the regions meet, though the same wins on both sides.
  const PiecewiseAffineNetwork touch = one_layer({{1, 0}}, {{0}}, -1, {{1}, {0}}, {{0, 0}});
  CHECK(class_boundary(slice(touch, input_plane())).length() == 2);
  // f = (2 relu(x) - relu(-x), 0, y): the kink is a boundary where the third is below, y < 0, and the third's own with
  // the others are y = 2x to the right and y = 0 to the left.
  const PiecewiseAffineNetwork third = one_layer({{1, 0}, {-1, 0}, {0, 1}, {0, -1}}, {{0, 0, 0, 0}}, 0,
                                                 {{2, -1, 0, 0}, {0, 0, 0, 0}, {0, 0, 1, -1}}, {{0, 0, 0}});
  const DecisionBoundary clipped = class_boundary(slice(third, input_plane()));
  CHECK_THAT(clipped.length(), WithinAbs(1 + 1 + std::sqrt(1.25), 1e-12));
  CHECK(clipped.flat_regions.empty());
}

TEST_CASE("an edge inside a flat area belongs to the area, the rim of the area is a line") {
  // f = max(x, 0): zero on the left half.
  const DecisionBoundary zero = class_boundary(slice(one_layer({{1, 0}}, {{0}}, 0, {{1}}, {{0}}), input_plane()));
  CHECK(zero.flat_regions.size() == 1);
  CHECK(zero.segments.size() == 1);
  CHECK(zero.length() == 2);
  // The same with a unit that nothing looks at, which cuts the flat half and its rim in two.
  for (const M& last : {M{{1, 0}}, M{{1, 0}, {0, 0}}}) {
    const PiecewiseAffineNetwork cut = one_layer({{1, 0}, {0, 1}}, {{0, 0}}, 0, last, M(1, last.rows()));
    const DecisionBoundary boundary = class_boundary(slice(cut, input_plane()));
    CHECK(boundary.flat_regions.size() == 2);
    CHECK(boundary.segments.size() == 2);
    CHECK(boundary.length() == 2);
    CHECK(polylines(boundary).size() == 1);
  }
  // Zero everywhere, in four regions.
  const DecisionBoundary all =
      class_boundary(slice(one_layer({{1, 0}, {0, 1}}, {{0, 0}}, 0, {{0, 0}}, {{0}}), input_plane()));
  CHECK(all.flat_regions.size() == 4);
  CHECK(all.segments.empty());
}

TEST_CASE("where more than two classes tie along a line it is counted once") {
  // f = (x, -x, -x): the last two are alike.
  const PiecewiseAffineNetwork alike({{.weight = {{1, 0}, {-1, 0}, {-1, 0}}, .bias = {{0, 0, 0}}, .slope = 1}});
  CHECK_THAT(class_boundary(slice(alike, input_plane())).length(), WithinAbs(2, 1e-12));
  // The same with a kink along y = 0, whose left half lies where the last two tie all around.
  const PiecewiseAffineNetwork cut =
      one_layer({{1, 0}, {-1, 0}, {0, 1}}, {{9, 9, 0}}, 0, {{1, 0, 0}, {0, 1, 0}, {0, 1, 0}}, {{-9, -9, -9}});
  CHECK_THAT(class_boundary(slice(cut, input_plane())).length(), WithinAbs(2, 1e-12));
  // Along a kink: f = (2 relu(x) - relu(-x), 0, 0).
  const PiecewiseAffineNetwork kink = one_layer({{1, 0}, {-1, 0}}, {{0, 0}}, 0, {{2, -1}, {0, 0}, {0, 0}}, {{0, 0, 0}});
  CHECK_THAT(class_boundary(slice(kink, input_plane())).length(), WithinAbs(2, 1e-12));
}

TEST_CASE("a boundary does not depend on the scale of the outputs or of the hidden units") {
  const auto scaled = [](std::uint64_t seed, double hidden, double output) {
    std::vector<PiecewiseAffineLayer> layers = random_network({2, 12, 2}, seed, {0}).layers();
    for (double& w : layers[0].weight.span()) w *= hidden;
    for (double& b : layers[0].bias.span()) b *= hidden;
    for (double& w : layers[1].weight.span()) w *= output / hidden;
    for (double& b : layers[1].bias.span()) b *= output;
    const Slice found = slice(PiecewiseAffineNetwork(std::move(layers)), input_plane());
    const DecisionBoundary boundary = class_boundary(found);
    return std::tuple(found.regions(), boundary.segments.size(), boundary.length());
  };
  std::size_t all_segments = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto [regions, segments, length] = scaled(seed, 1, 1);
    all_segments += segments;
    for (const double hidden : {1.0, 1e-300, 1e-160, 1e160, 1e300})
      for (const double output : {1.0, 1e-300, 1e-160, 1e160, 1e300}) {
        if (std::max(output / hidden, hidden / output) > 1e301) continue;
        CAPTURE(seed, hidden, output);
        const auto [r, s, l] = scaled(seed, hidden, output);
        CHECK(r == regions);
        CHECK(s == segments);
        CHECK_THAT(l, WithinRel(length, 1e-9));
      }
  }
  REQUIRE(all_segments > 10);
}

TEST_CASE("an output that is not there is refused") {
  const Slice found = slice(random_network({2, 3, 2}, 1), input_plane());
  CHECK(message_of<InputError>([&] { level_set(found, 2); }) == "level_set: output is 2; it must be from 0 to 1");
  CHECK(message_of<InputError>([&] { level_set(found, 0, std::nan("")); }) ==
        "level_set: level is nan; it must be finite");
}

}  // namespace
}  // namespace normalign::tests

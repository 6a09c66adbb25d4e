#include "geometry/decision_boundary.hpp"

#include <cmath>
#include <map>

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
    CHECK(boundary.segments.size() == expected.at("num_segments").get<std::size_t>());
    CHECK_THAT(boundary.length(), WithinRel(expected.at("length").get<double>(), 1e-9) || WithinAbs(0, 1e-15));
    CHECK(boundary.flat_regions.size() == expected.at("num_tie_cells").get<std::size_t>());
    if (reference.network.outputs() == 1)
      CHECK(boundary.edges.size() == expected.at("num_zero_edges").get<std::size_t>());
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

TEST_CASE("areas and edges on which the outputs tie are told apart from lines") {
  // f = max(x, 0): zero on the whole left half, and on the edge between.
  const PiecewiseAffineNetwork half(
      {{.weight = {{1, 0}}, .bias = {{0}}, .slope = 0}, {.weight = {{1}}, .bias = {{0}}, .slope = 1}});
  const DecisionBoundary zero = class_boundary(slice(half, input_plane()));
  CHECK(zero.segments.empty());
  CHECK(zero.flat_regions.size() == 1);
  CHECK(zero.edges.size() == 1);
  // f = (|x|, 0): both outputs are zero on the line x = 0 alone, where the regions meet.
  const PiecewiseAffineNetwork touch(
      {{.weight = {{1, 0}}, .bias = {{0}}, .slope = -1}, {.weight = {{1}, {0}}, .bias = {{0, 0}}, .slope = 1}});
  const DecisionBoundary edge = class_boundary(slice(touch, input_plane()));
  CHECK(edge.segments.empty());
  CHECK(edge.flat_regions.empty());
  CHECK(edge.edges.size() == 1);
  CHECK(edge.length() == 0);
}

TEST_CASE("an output that is not there is refused") {
  const Slice found = slice(random_network({2, 3, 2}, 1), input_plane());
  CHECK(message_of<InputError>([&] { level_set(found, 2); }) == "level_set: output is 2; it must be from 0 to 1");
}

}  // namespace
}  // namespace normalign::tests

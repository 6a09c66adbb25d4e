#include "geometry/polytope.hpp"
#include "base/infinity.hpp"

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

double slack(const Polytope& polytope, Index i, const M& x) {
  return inner_product(M(polytope.slopes.view().row_block(i, 1)), x) + polytope.offsets(0, i);
}

double length(const Polytope& polytope, Index i) {
  const M row(polytope.slopes.view().row_block(i, 1));
  return std::sqrt(inner_product(row, row));
}

// The units whose walls are seen as the first from x among `directions` random directions, within the box.
std::vector<HiddenUnit> seen_from(const Polytope& polytope, const M& x, double box, int directions) {
  std::vector<HiddenUnit> result;
  for (int direction = 0; direction < directions; ++direction) {
    const M step = random_matrix(x.shape(), 77 + static_cast<std::uint64_t>(direction));
    double nearest = infinity;
    for (Index k = 0; k < x.cols(); ++k)
      nearest = std::min(nearest, (box - (step(0, k) > 0 ? x(0, k) : -x(0, k))) / std::abs(step(0, k)));
    Index first = -1;
    for (Index i = 0; i < polytope.slopes.rows(); ++i) {
      const double speed = -inner_product(M(polytope.slopes.view().row_block(i, 1)), step);
      if (speed > 0 && slack(polytope, i, x) / speed < nearest) {
        nearest = slack(polytope, i, x) / speed;
        first = i;
      }
    }
    if (first < 0) continue;
    const HiddenUnit unit = polytope.units[static_cast<std::size_t>(first)];
    if (std::ranges::find(result, unit) == result.end()) result.push_back(unit);
  }
  return result;
}

TEST_CASE("a point is in the polytope of its own code and of no other") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const PiecewiseAffineNetwork network = random_network({3, 6, 5, 2}, seed, {0, 0.2, -1});
    const M points = random_matrix({12, 3}, seed, -2, 2);
    const std::vector<ActivationCode> codes = network.codes(points);
    for (std::size_t a = 0; a < codes.size(); ++a) {
      const Polytope polytope = region(network, codes[a]);
      for (std::size_t b = 0; b < codes.size(); ++b) {
        const M x(points.view().row_block(static_cast<Index>(b), 1));
        double least = infinity;
        for (Index i = 0; i < polytope.slopes.rows(); ++i) least = std::min(least, slack(polytope, i, x));
        CHECK((least >= 0) == (codes[a] == codes[b]));
      }
    }
  }
}

TEST_CASE("just before the nearest wall the code is the point's, just behind it one unit has changed") {
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const PiecewiseAffineNetwork network = random_network({4, 8, 7, 1}, seed, {0.1});
      const M x = random_matrix({1, 4}, seed);
      const ActivationCode code = network.codes(x).front();
      const Polytope polytope = region(network, code);
      const NearestWall nearest = nearest_wall(polytope, x, norm).value();
      const auto row = static_cast<Index>(std::ranges::find(polytope.units, nearest.unit) - polytope.units.begin());
      M towards(1, 4);
      for (Index k = 0; k < 4; ++k) {
        const double v = polytope.slopes(row, k);
        towards(0, k) = -(norm == Norm::linf ? std::copysign(1, v) : v / length(polytope, row));
      }
      const auto code_at = [&](double distance) {
        M y = x;
        for (Index k = 0; k < 4; ++k) y(0, k) += distance * towards(0, k);
        return network.codes(y).front();
      };
      CHECK(code_at(nearest.distance * (1 - 1e-9)) == code);
      ActivationCode changed = code;
      changed[static_cast<std::size_t>(network.first_unit(nearest.unit.layer) + nearest.unit.unit)] ^= 1;
      CHECK(code_at(nearest.distance * (1 + 1e-9)) == changed);
    }
}

TEST_CASE("the facets are the walls that can be seen from inside") {
  for (std::uint64_t seed = 0; seed < 10; ++seed)
    for (const double box : {1.5, infinity}) {
      CAPTURE(seed, box);
      const PiecewiseAffineNetwork network = random_network({2, 9, 8, 2}, seed);
      const M x = random_matrix({1, 2}, seed);
      const Polytope polytope = region(network, network.codes(x).front());
      std::vector<HiddenUnit> seen = seen_from(polytope, x, box, 4000), found;
      for (const Index i : facets(polytope, x, box)) found.push_back(polytope.units[static_cast<std::size_t>(i)]);
      // What is seen is a facet; of what is not seen in 4000 directions, at most a sliver may be one.
      for (const HiddenUnit& unit : seen) CHECK(std::ranges::find(found, unit) != found.end());
      CHECK(found.size() <= seen.size() + 1);
      // From elsewhere inside the answer is the same.
      const auto ball = largest_ball(polytope, 1.5);
      CHECK(facets(polytope, ball.value().centre, 1.5) == facets(polytope, x, 1.5));
    }
}

TEST_CASE("the largest ball touches walls all around it, and open regions have none") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const PiecewiseAffineNetwork network = random_network({3, 10, 6, 2}, seed);
    const M x = random_matrix({1, 3}, seed);
    const Polytope polytope = region(network, network.codes(x).front());
    const Ball ball = largest_ball(polytope, 2).value();
    // No point sampled nearby is further from every wall.
    const auto depth = [&](const M& z) {
      double least = infinity;
      for (Index i = 0; i < polytope.slopes.rows(); ++i)
        least = std::min(least, slack(polytope, i, z) / length(polytope, i));
      for (const double value : z.span()) least = std::min(least, 2 - std::abs(value));
      return least;
    };
    CHECK_THAT(depth(ball.centre), WithinAbs(ball.radius, 1e-9));
    for (std::uint64_t other = 0; other < 200; ++other) {
      M z = random_matrix({1, 3}, other, -0.3, 0.3);
      for (Index k = 0; k < 3; ++k) z(0, k) += ball.centre(0, k);
      CHECK(depth(z) <= ball.radius + 1e-9);
    }
  }
  // The quadrant x, y > 0 has balls of any size.
  const PiecewiseAffineNetwork cross({{M{{1, 0}, {0, 1}}, M(1, 2), 0}, {M{{1, 1}}, M(1, 1), 1}});
  CHECK_FALSE(largest_ball(region(cross, ActivationCode{1, 1}), infinity));
  const Ball cut = largest_ball(region(cross, ActivationCode{1, 1}), 3).value();
  CHECK_THAT(cut.radius, WithinAbs(1.5, 1e-12));
}

TEST_CASE("units that are constant have no wall, and of equal walls the first is the facet") {
  const PiecewiseAffineNetwork network({{M{{1, 0}, {0, 0}, {2, 0}, {-1, 0}, {0, 1}}, M{{1, 5, 2, -1, 1}}, 0},
                                        {M{{1, 0, 0, 0, 0}, {0, 0, 0, 1, 0}}, M{{0, 1}}, 0},
                                        {M{{1, 1}}, M{{0}}, 1}});
  // At the origin units 0, 1, 2 and 4 are on and 3 is off, so that the last unit of layer 1 is constant.
  const M x{{0, 0}};
  const Polytope polytope = region(network, network.codes(x).front());
  const std::vector<HiddenUnit> expected{{0, 0}, {0, 2}, {0, 3}, {0, 4}, {1, 0}};
  CHECK(polytope.units == expected);
  CHECK(facets(polytope, x, infinity) == std::vector<Index>{0, 3});
  CHECK(nearest_wall(polytope, x, Norm::l2)->unit == HiddenUnit{0, 0});

  // A slope that is zero but for rounding: 0.1 + 0.2 - 0.3.
  const PiecewiseAffineNetwork nearly(
      {{M{{0.1, 0}, {0.2, 0}, {0.3, 0}}, M{{1, 1, 1}}, 0}, {M{{1, 1, -1}}, M{{0}}, 0}, {M{{1}}, M{{0}}, 1}});
  CHECK(region(nearly, ActivationCode{1, 1, 1, 1}).units.size() == 3);
  const PiecewiseAffineNetwork dead({{M(3, 2), M(1, 3), 0}, {M{{1, 1, 1}}, M{{0}}, 1}});
  const Polytope all = region(dead, ActivationCode{0, 0, 0});
  CHECK_FALSE(nearest_wall(all, x, Norm::linf));
  CHECK(facets(all, x, 1).empty());
  CHECK_THAT(largest_ball(all, 2)->radius, WithinAbs(2, 1e-12));
  CHECK_FALSE(largest_ball(all, infinity));
}

TEST_CASE("local polytopes at the reference points") {
  for (const ReferenceGeometry& reference : reference_geometries("local polytopes at the reference points"))
    for (const auto& point : reference.json.at("points")) {
      CAPTURE(reference.name, point.at("x").dump());
      const M x = row_of(point.at("x"));
      const Polytope polytope = region(reference.network, reference.network.codes(x).front());
      if (!point.at("distance_to_boundary").is_null()) {
        const NearestWall nearest = nearest_wall(polytope, x, Norm::l2).value();
        CHECK_THAT(nearest.distance, WithinRel(point.at("distance_to_boundary").get<double>(), 1e-9));
        if (point.at("nearest_is_unique").get<bool>()) {
          const auto unit = point.at("nearest_unit").get<std::vector<Index>>();
          CHECK(nearest.unit == HiddenUnit{unit[0], unit[1]});
        }
      }
      if (!point.contains("polytope") || point.at("polytope").is_null()) continue;
      const auto& expected = point.at("polytope");
      const double box = expected.at("box");
      CHECK(polytope.units.size() == expected.at("num_units_with_nonzero_normal").get<std::size_t>());
      CHECK_THAT(largest_ball(polytope, box).value().radius,
                 WithinRel(expected.at("chebyshev_radius").get<double>(), 1e-9));
      if (!expected.at("facets_clear_cut").get<bool>()) continue;
      std::vector<std::vector<Index>> found;
      for (const Index i : facets(polytope, x, box)) {
        const HiddenUnit unit = polytope.units[static_cast<std::size_t>(i)];
        found.push_back({unit.layer, unit.unit});
      }
      CHECK(found == expected.at("facets").get<std::vector<std::vector<Index>>>());
    }
}

TEST_CASE("points and boxes that do not fit are refused") {
  const PiecewiseAffineNetwork network({{M{{1, 0}, {-1, 0}}, M{{-1, -1}}, 0}, {M{{1, 1}}, M(1, 1), 1}});
  const Polytope strip = region(network, ActivationCode{0, 0}), empty = region(network, ActivationCode{1, 1});
  CHECK(message_of<InputError>([&] { nearest_wall(strip, M(1, 3), Norm::l2); }) ==
        "nearest_wall: the point is 1x3; it must be 1x2");
  CHECK(message_of<InputError>([&] { facets(strip, M{{3, 0}}, 9); }) == "facets: the point is 2 outside the polytope");
  CHECK(message_of<InputError>([&] { facets(strip, M{{0, 0}}, 0); }) == "facets: box is 0; it must be above 0");
  CHECK(message_of<InputError>([&] { largest_ball(empty, 1); }) == "largest_ball: the polytope is empty");
}

}  // namespace
}  // namespace normalign::tests

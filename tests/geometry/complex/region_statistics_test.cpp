#include "geometry/complex/region_statistics.hpp"

#include <cmath>
#include <map>

#include "geometry/planar/slice_statistics.hpp"
#include "linalg/random.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

TEST_CASE("a weighted spread counts values as often as their weights say", "[geometry]") {
  const std::vector<double> values = {3, 1, 2, 9}, weights = {2, 1, 3, 0};
  const WeightedSpread found = weighted_spread(values, weights).value();
  // 1, 2, 2, 2, 3, 3
  CHECK(found.smallest == 1);
  CHECK(found.median == 2);
  CHECK_THAT(found.mean, WithinRel(13.0 / 6, 1e-15));
  CHECK(found.largest == 3);
  // An even number: between the two middle ones.
  CHECK(weighted_spread(std::vector<double>{4, 1, 2, 3}, std::vector<double>{1, 1, 1, 1})->median == 2.5);
  CHECK(weighted_spread(std::vector<double>{5}, std::vector<double>{0.1})->median == 5);
  CHECK_FALSE(weighted_spread({}, {}));
  CHECK_FALSE(weighted_spread(std::vector<double>{5}, std::vector<double>{0}));
}

// f = 3 relu(x) + 2 relu(-x - 1) - 1: slopes -2, 0, 3 with kinks at -1 and 0.
PiecewiseAffineNetwork three_pieces() {
  return PiecewiseAffineNetwork(
      {{.weight = M{{1}, {-1}}, .bias = M{{0, -1}}, .slope = 0}, {.weight = M{{3, 2}}, .bias = M{{-1}}, .slope = 1}});
}

TEST_CASE("statistics of a function of one input are those found by hand", "[geometry]") {
  const RegionStatistics found = statistics(regions(three_pieces(), {.box = 2}));
  CHECK(found.regions == 3);
  CHECK(found.open == 2);
  CHECK(found.facets == 2);
  CHECK_THAT(found.mean_facets, WithinRel(4.0 / 3, 1e-15));
  CHECK_THAT(found.volume, WithinRel(4.0, 1e-14));
  CHECK_THAT(found.smallest_clearance, WithinRel(0.5, 1e-14));
  REQUIRE(found.volumes);
  CHECK_THAT(found.volumes->largest, WithinRel(2.0, 1e-14));
  CHECK_THAT(found.volumes->median, WithinRel(1.0, 1e-14));
  // |J| is 2 on [-2, -1], 0 on [-1, 0] and 3 on [0, 2].
  CHECK_THAT(found.jacobian_norm.by_count->mean, WithinRel(5.0 / 3, 1e-14));
  CHECK(found.jacobian_norm.by_count->median == 2);
  CHECK_THAT(found.jacobian_norm.by_volume->mean, WithinRel((2 + 0 + 6) / 4.0, 1e-14));
  CHECK(found.jacobian_norm.by_volume->smallest == 0);
  // Undefined where J = 0: two regions of volumes 1 and 2 are left, of rank one.
  CHECK_THAT(found.effective_rank.by_volume->mean, WithinRel(1.0, 1e-7));
  // J = -2 at x = -1.5 and J = 3 at x = 1 both point away from the centre.
  CHECK_THAT(found.centroid_alignment.by_count->smallest, WithinRel(1.0, 1e-14));
  // f is above 0 where x < -1.5 and where x > 1/3; class 0 has what lies between.
  REQUIRE(found.classes.size() == 2);
  CHECK(found.classes[0].label == 0);
  CHECK(found.classes[0].components == 1);
  CHECK(found.classes[0].pieces == 3);
  CHECK_THAT(found.classes[0].volume, WithinRel(1.5 + 1.0 / 3, 1e-14));
  CHECK(found.classes[1].components == 2);
  CHECK(found.classes[1].pieces == 2);
  CHECK(found.crossed_regions == 2);
  CHECK(found.crossed_facets == 0);
  CHECK(found.decision_facets == 0);
}

TEST_CASE("in the whole space nothing is weighted by volume", "[geometry]") {
  const RegionStatistics found = statistics(regions(three_pieces()));
  CHECK(std::isinf(found.volume));
  CHECK_FALSE(found.volumes);
  CHECK_FALSE(found.jacobian_norm.by_volume);
  CHECK(found.jacobian_norm.by_count->largest == 3);
  CHECK(std::isinf(found.classes[1].volume));
  CHECK_THAT(found.classes[0].volume, WithinRel(1.5 + 1.0 / 3, 1e-14));
}

TEST_CASE("in a square the statistics are those of the slice", "[geometry]") {
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    for (const Index outputs : {1, 3}) {
      CAPTURE(seed, outputs);
      const PiecewiseAffineNetwork network = random_network({2, 9, 7, outputs}, seed, {0.25, 0}, seed % 2 ? 0.5 : 0);
      const RegionStatistics found = statistics(regions(network, {.box = 1.5}));
      const SliceStatistics expected = statistics(slice(network, input_plane(), {.window = square(1.5)}));
      CHECK(found.regions == expected.regions);
      CHECK(found.facets == expected.adjacent_pairs);
      CHECK_THAT(found.volume, WithinRel(expected.area, 1e-12));
      CHECK_THAT(found.volumes->smallest, WithinAbs(expected.smallest_area, 1e-12));
      CHECK_THAT(found.volumes->median, WithinAbs(expected.median_area, 1e-12));
      CHECK_THAT(found.volumes->largest, WithinRel(expected.largest_area, 1e-12));
      CHECK_THAT(found.jacobian_norm.by_volume->mean, WithinRel(expected.mean_slope_norm, 1e-10));
      CHECK_THAT(found.jacobian_norm.by_count->largest, WithinRel(expected.largest_slope_norm, 1e-10));
    }
}

TEST_CASE("volumes of classes and of pieces are what random points say", "[geometry]") {
  constexpr Index count = 40000;
  for (const auto& [widths, box] : std::vector<std::pair<std::vector<Index>, double>>{
           {{3, 7, 5, 3}, 1.0}, {{4, 6, 4, 1}, 0.75}, {{2, 6, 4}, 2.0}, {{1, 5, 2}, 1.0}, {{3, 4}, 1.0}}) {
    CAPTURE(widths);
    const PiecewiseAffineNetwork network = random_network(widths, 3, {0, 0.2});
    const RegionComplex complex = regions(network, {.box = box});
    M points(count, network.inputs());
    const RandomRows random(5, Stream::data);
    for (Index i = 0; i < count; ++i) random.uniform<double>(static_cast<std::uint32_t>(i), points.row(i), -box, box);
    const M outputs = network(points);
    std::map<std::int32_t, double> hits;
    for (Index i = 0; i < count; ++i) {
      const auto row = outputs.row(i);
      ++hits[row.size() == 1 ? (row[0] > 0 ? 1 : 0)
                             : static_cast<std::int32_t>(std::ranges::max_element(row) - row.begin())];
    }
    const RegionStatistics found = statistics(complex);
    double sum = 0;
    for (const ClassStatistics& one : found.classes) {
      const double share = one.volume / found.volume;
      CHECK(std::abs(hits[one.label] - share * count) <= 5 * std::sqrt(count * share * (1 - share)) + 1);
      sum += one.volume;
    }
    CHECK_THAT(sum, WithinRel(std::pow(2 * box, network.inputs()), 1e-11));
    CHECK_THAT(found.volume, WithinRel(sum, 1e-11));
    // The pieces of a region fill it.
    std::vector<double> volumes(static_cast<std::size_t>(complex.count()));
    for (const DecisionPiece& piece : complex.pieces) volumes[static_cast<std::size_t>(piece.region)] += piece.volume;
    double error = 0;
    for (std::size_t r = 0; r < volumes.size(); ++r)
      error = std::max(error, std::abs(volumes[r] - complex.regions[r].volume));
    CHECK(error < 1e-12);
  }
}

TEST_CASE("a class that wins within a bounded part of the plane has its area, however it was found", "[geometry]") {
  // 1 against |x|_1 in the plane, without hidden layers: four quadrants without their corner, which class 4 has. The
  // search begins with the walls x = 0 and y = 0, so that class 4 is found in four parts.
  const PiecewiseAffineNetwork network(
      {{.weight = M{{1, 1}, {1, -1}, {-1, 1}, {-1, -1}, {0, 0}}, .bias = M{{0, 0, 0, 0, 1}}, .slope = 1}});
  const RegionStatistics found = statistics(regions(network));
  REQUIRE(found.classes.size() == 5);
  CHECK_THAT(found.classes[4].volume, WithinRel(2.0, 1e-14));
  CHECK(found.classes[4].pieces == 1);
  CHECK(std::isinf(found.classes[0].volume));
}

TEST_CASE("regions are as many when they are only counted", "[geometry]") {
  for (const std::vector<Index>& widths :
       std::vector<std::vector<Index>>{{2, 8, 6, 2}, {3, 6, 5, 1}, {4, 6, 2}, {3, 2}})
    for (const double box : {infinity, 1.0})
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        const PiecewiseAffineNetwork network = random_network(widths, seed, {0, 0.1}, seed == 2 ? 0.5 : 0);
        const Index count = regions(network, {.box = box}).count();
        CHECK(count_regions(network, {.box = box}) == count);
        CHECK(count_regions(network, {.box = box, .max_regions = count}) == count);
        if (count > 1) CHECK_FALSE(count_regions(network, {.box = box, .max_regions = count - 1}));
      }
  CHECK(message_of<Stopped>([] {
          count_regions(random_network({2, 8, 2}, 1), {.stop = [] { return true; }});
        }) == "regions: stopped");
}

}  // namespace
}  // namespace normalign::tests

#include "geometry/planar/slice.hpp"

#include <cmath>
#include <map>
#include <string>

#include "support/catch.hpp"
#include "support/complexes.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

double area_of(const SliceOptions& options) { return signed_area(options.window); }

// Everything that holds of any slice: it tiles the window, no code twice, random points lie in one cell which has their
// code and map, the maps agree with the outputs at the corners, and neighbours differ in the units of their edge.
void check_slice(const PiecewiseAffineNetwork& network, const Slice& slice, const SliceOptions& options,
                 std::uint64_t seed) {
  check_complex(slice.complex, area_of(options));
  REQUIRE_FALSE(slice.regions_after_layer.empty());
  CHECK(slice.regions_after_layer.back() == slice.regions());
  std::map<ActivationCode, Index> region_of;
  for (Index r = 0; r < slice.regions(); ++r) region_of[slice.code(r)] = r;
  CHECK(static_cast<Index>(region_of.size()) == slice.regions());

  double map_error = 0;
  for (Index r = 0; r < slice.regions(); ++r) {
    const AffineMap map = slice.map(r);
    for (const Side side : slice.complex.sides_of(r)) {
      const std::int32_t v = slice.complex.start(side);
      const Point t = slice.complex.point(v);
      for (Index i = 0; i < network.outputs(); ++i)
        map_error = std::max(map_error, std::abs(map.slope(i, 0) * t.x + map.slope(i, 1) * t.y + map.offset(0, i) -
                                                 slice.outputs(v, i)));
    }
  }
  CHECK(map_error < 1e-11);

  Index wrong_sides = 0;
  for (const PlanarEdge& edge : slice.complex.edges)
    if (edge.layer >= 0)
      wrong_sides += slice.is_on(edge.left, edge.layer, edge.unit) == slice.is_on(edge.right, edge.layer, edge.unit);
  CHECK(wrong_sides == 0);

  const auto box = [&](auto coordinate) {
    const auto [low, high] = std::ranges::minmax(options.window, {}, coordinate);
    return std::pair(low.*coordinate, high.*coordinate);
  };
  const auto [x_low, x_high] = box(&Point::x);
  const auto [y_low, y_high] = box(&Point::y);
  const PlanarComplex window = one_cell(options.window);
  const M random = random_matrix({200, 2}, seed, 0, 1);
  Index outside = 0, misplaced = 0, found = 0;
  for (Index i = 0; i < random.rows(); ++i) {
    const Point t{x_low + (x_high - x_low) * random(i, 0), y_low + (y_high - y_low) * random(i, 1)};
    if (!contains(window, 0, t, 1e-9)) continue;
    const M x = points_on(slice.plane, {t});
    const LocalMap local = local_maps(network, x).front();
    Index holders = 0, holder = 0;
    bool near_side = false;
    for (Index r = 0; r < slice.regions(); ++r) {
      if (contains(slice.complex, r, t, -1e-9) && !contains(slice.complex, r, t, 1e-9)) near_side = true;
      if (contains(slice.complex, r, t)) {
        ++holders;
        holder = r;
      }
    }
    if (near_side) continue;
    outside += holders != 1;
    if (holders != 1) continue;
    misplaced += !region_of.contains(local.code) || region_of[local.code] != holder;
    ++found;
    const AffineMap map = slice.map(holder);
    const M slope_u = naive_product(slice.plane.u, local.map.slope, {.b = true});
    const M slope_v = naive_product(slice.plane.v, local.map.slope, {.b = true});
    for (Index k = 0; k < network.outputs(); ++k) {
      CHECK(std::abs(map.slope(k, 0) - slope_u(0, k)) < 1e-11);
      CHECK(std::abs(map.slope(k, 1) - slope_v(0, k)) < 1e-11);
    }
  }
  CHECK(outside == 0);
  CHECK(misplaced == 0);
  CHECK(found > 0);
}

TEST_CASE("slices of random networks tile the window with the regions of their points") {
  struct Form {
    std::vector<Index> widths;
    std::vector<double> slopes;
    double grain;
  };
  // Weights in quarters make lines meet in threes, coincide and run along the border.
  const std::vector<Form> forms = {{{2, 12, 12, 2}, {0}, 0},       {{2, 10, 8, 1}, {0.1, -1}, 0},
                                   {{2, 6, 6, 1}, {0}, 0.25},      {{2, 8, 6, 5, 3}, {0, -1, 0.5}, 0.5},
                                   {{2, 20, 1}, {-1}, 0.25},       {{2, 5, 5, 5, 5, 1}, {0, 0.3}, 0.25},
                                   {{2, 8, 1, 8, 2}, {0}, 0},      {{2, 3, 70, 2}, {0}, 0},
                                   {{2, 4, 4, 4, 1}, {0, 1, 0}, 0}};
  for (std::size_t f = 0; f < forms.size(); ++f)
    for (std::uint64_t seed = 0; seed < 25; ++seed) {
      CAPTURE(f, seed);
      const PiecewiseAffineNetwork network =
          random_network(forms[f].widths, 100 * f + seed, forms[f].slopes, forms[f].grain);
      const SliceOptions options{.window = square(1.5)};
      check_slice(network, slice(network, input_plane(), options), options, seed);
    }
}

TEST_CASE("windows of any convex form, on planes of any dimension") {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const PiecewiseAffineNetwork network = random_network({7, 14, 9, 3}, seed, {0, 0.2});
    const Plane plane = plane_through(random_matrix({3, 7}, seed));
    std::vector<Point> polygon;
    for (int i = 0; i < 7; ++i) polygon.push_back({std::cos(i * 0.9) + 0.3, 2 * std::sin(i * 0.9)});
    const SliceOptions options{.window = polygon};
    check_slice(network, slice(network, plane, options), options, seed);
  }
}

TEST_CASE("slices agree with the exact partitions") {
  for (const ReferenceGeometry& reference : reference_geometries("slices agree with the exact partitions")) {
    const auto& expected = reference.json.at("partition");
    if (expected.is_null()) continue;
    CAPTURE(reference.name);
    const double r = expected.at("domain_half_width");
    const SliceOptions options{.window = square(r)};
    const Slice found = slice(reference.network, plane_of(expected), options);
    check_complex(found.complex, 4 * r * r);
    CHECK(found.regions() == expected.at("num_regions").get<Index>());
    CHECK(found.regions_after_layer == expected.at("regions_after_layer").get<std::vector<Index>>());
    CHECK(found.complex.vertices.size() == expected.at("num_vertices").get<std::size_t>());
    CHECK(found.complex.edges.size() == expected.at("num_edges").get<std::size_t>());
    std::vector<double> areas;
    for (Index i = 0; i < found.regions(); ++i) areas.push_back(found.complex.area(i));
    std::ranges::sort(areas);
    const auto expected_areas = expected.at("areas").get<std::vector<double>>();
    REQUIRE(areas.size() == expected_areas.size());
    double error = 0;
    for (std::size_t i = 0; i < areas.size(); ++i) error = std::max(error, std::abs(areas[i] - expected_areas[i]));
    CHECK(error <= 1e-12 * 4 * r * r);
    if (!expected.contains("cells") || expected.at("cells").is_null()) continue;
    std::map<ActivationCode, Index> region_of;
    for (Index i = 0; i < found.regions(); ++i) region_of[found.code(i)] = i;
    for (const auto& cell : expected.at("cells")) {
      ActivationCode code;
      for (const char bit : cell.at("code").get<std::string>()) code.push_back(bit == '1');
      REQUIRE(region_of.contains(code));
      CHECK(std::abs(found.complex.area(region_of[code]) - cell.at("area").get<double>()) <= 1e-12 * 4 * r * r);
    }
  }
}

TEST_CASE("small windows around the reference points hold as many regions as the exact ones") {
  for (const ReferenceGeometry& reference : reference_geometries("regions in small windows")) {
    const auto& partition = reference.json.at("partition");
    for (const auto& point : reference.json.at("points")) {
      if (!point.contains("regions_in_square") || point.at("regions_in_square").is_null()) continue;
      const Plane plane = partition.is_null() ? input_plane() : plane_of(partition);
      const auto t = (point.contains("t") ? point.at("t") : point.at("x")).get<std::vector<double>>();
      for (const auto& expected : point.at("regions_in_square")) {
        CAPTURE(reference.name, t[0], t[1]);
        std::vector<Point> window = square(expected.at("half_width").get<double>());
        for (Point& corner : window) corner = {corner.x + t[0], corner.y + t[1]};
        CHECK(slice(reference.network, plane, {.window = window}).regions() == expected.at("num_regions").get<Index>());
      }
    }
  }
}

TEST_CASE("a slice has the same bits at any number of threads") {
  const PiecewiseAffineNetwork network = random_network({2, 60, 60, 4}, 3);
  const SliceOptions one{.threads = 1}, three{.threads = 3};
  const Slice a = slice(network, input_plane(), one), b = slice(network, input_plane(), three);
  CHECK(a.regions() > 1000);
  CHECK(a.complex.vertices == b.complex.vertices);
  CHECK(a.complex.first == b.complex.first);
  CHECK(a.codes == b.codes);
  CHECK(same_bits(a.outputs, b.outputs));
  CHECK(same_bits(a.maps, b.maps));
}

TEST_CASE("a network without hidden layers is one region, and progress is told layer by layer") {
  const PiecewiseAffineNetwork linear({{.weight = {{1, 2}}, .bias = {{3}}, .slope = 1}});
  const Slice whole = slice(linear, input_plane());
  CHECK(whole.regions() == 1);
  CHECK(whole.complex.area(0) == 4);
  CHECK(whole.code(0).empty());
  CHECK(whole.map(0).slope == M{{1, 2}});
  CHECK(whole.map(0).offset == M{{3}});

  std::vector<Index> told;
  const PiecewiseAffineNetwork network = random_network({2, 5, 6, 1}, 1);
  const Slice found = slice(network, input_plane(), {.progress = [&](const SliceProgress& now) {
                              CHECK(now.layers == 2);
                              CHECK(now.layers_done == static_cast<Index>(told.size()) + 1);
                              told.push_back(now.regions);
                            }});
  CHECK(told == found.regions_after_layer);
}

TEST_CASE("what is no window, plane or number is refused, and so are too many regions") {
  const PiecewiseAffineNetwork network = random_network({2, 40, 40, 1}, 1);
  const auto message = [&](const SliceOptions& options) {
    return message_of<InputError>([&] { slice(network, input_plane(), options); });
  };
  CHECK(message({.window = {{0, 0}, {1, 0}}}) == "one_cell: the window has 2 corners; it must have at least 3");
  CHECK(message({.window = {{0, 0}, {0, 1}, {1, 0}}}) ==
        "one_cell: the window does not turn left at corner 1; it must be convex, counter-clockwise and finite");
  CHECK(message({.window = {{0, 1}, {-0.5878, -0.809}, {0.9511, 0.309}, {-0.9511, 0.309}, {0.5878, -0.809}}}) ==
        "one_cell: the window goes around more than once; it must be convex");
  CHECK(message({.window = {{0, 0}, {NAN, 0}, {1, 1}}}).starts_with("one_cell: the window does not turn left"));
  CHECK(message({.threads = 0}) == "slice: threads is 0; it must be at least 1");
  CHECK(message_of<InputError>([&] {
          slice(random_network({3, 2, 1}, 1), input_plane());
        }) == "slice: the plane's origin, u and v are 1x2, 1x2 and 1x2; they must be 1x3");
  CHECK(message_of<RunError>([&] { slice(network, input_plane(), {.max_regions = 50}); }) ==
        "subdivision: more than 50 cells in layer 1, counted from 1");
}

TEST_CASE("a slice ends when stopped inside a layer, and has the same bits when it is not") {
  const PiecewiseAffineNetwork network = random_network({2, 200, 200, 200, 200, 200, 2}, 1);
  for (const int threads : {1, 3})
    check_stops("slice", [&](const std::function<bool()>& stop) {
      slice(network, input_plane(), {.window = square(10), .threads = threads, .stop = stop});
    });
  const PiecewiseAffineNetwork small = random_network({2, 20, 20, 3}, 2);
  const Slice plain = slice(small, input_plane()), asked = slice(small, input_plane(), {.stop = goes_on});
  CHECK(plain.codes == asked.codes);
  CHECK(same_bits(plain.outputs, asked.outputs));
  CHECK(same_bits(plain.maps, asked.maps));
}

}  // namespace
}  // namespace normalign::tests

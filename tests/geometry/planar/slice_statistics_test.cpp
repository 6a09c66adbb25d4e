#include "geometry/planar/slice_statistics.hpp"

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("statistics of slices agree with the exact partitions") {
  for (const ReferenceGeometry& reference : reference_geometries("statistics of slices")) {
    const auto& expected = reference.json.at("partition");
    if (expected.is_null()) continue;
    CAPTURE(reference.name);
    const double r = expected.at("domain_half_width");
    const SliceStatistics found = statistics(slice(reference.network, plane_of(expected), {.window = square(r)}));
    const auto count = [&](const char* name) { return expected.at(name).get<Index>(); };
    const auto number = [&](const char* name) { return expected.at(name).get<double>(); };
    CHECK(found.regions == count("num_regions"));
    CHECK(found.vertices == count("num_vertices"));
    CHECK(found.edges == count("num_edges"));
    CHECK(found.adjacent_pairs == count("num_adjacent_pairs"));
    CHECK(found.distinct_maps == count("num_distinct_affine_maps"));
    CHECK(found.map_components == count("num_affine_components"));
    CHECK_THAT(found.area, WithinRel(4 * r * r, 1e-12));
    CHECK_THAT(found.smallest_area, WithinAbs(number("min_area"), 1e-12 * 4 * r * r));
    CHECK_THAT(found.boundary_length, WithinRel(number("boundary_length"), 1e-9) || WithinAbs(0, 1e-15));
    CHECK_THAT(found.mean_slope_norm * found.area,
               WithinRel(number("integral_slope_norm"), 1e-9) || WithinAbs(0, 1e-15));
    CHECK_THAT(found.largest_slope_norm, WithinRel(number("max_slope_norm"), 1e-9) || WithinAbs(0, 1e-15));
  }
}

TEST_CASE("a unit that nothing looks at makes regions, and no maps") {
  // The second unit's weight onwards is zero: four regions, two maps, each connected.
  const PiecewiseAffineNetwork network(
      {{.weight = {{1, 0}, {0, 1}}, .bias = {{0, 0}}, .slope = 0}, {.weight = {{1, 0}}, .bias = {{0}}, .slope = 1}});
  const SliceStatistics found = statistics(slice(network, input_plane()));
  CHECK(found.regions == 4);
  CHECK(found.distinct_maps == 2);
  CHECK(found.map_components == 2);
  CHECK(found.adjacent_pairs == 4);
  CHECK(found.boundary_length == 4);
  CHECK(found.mean_slope_norm == 0.5);
  CHECK(found.median_area == 1);
}

TEST_CASE("equal maps that do not touch are two components") {
  // max(x, 0) + max(-x, 0) - 1 bent down twice: the two outer thirds are flat.
  const PiecewiseAffineNetwork network({{.weight = {{1, 0}, {1, 0}}, .bias = {{0.5, -0.5}}, .slope = 0},
                                        {.weight = {{0, 0}}, .bias = {{7}}, .slope = 1}});
  const SliceStatistics found = statistics(slice(network, input_plane()));
  CHECK(found.regions == 3);
  CHECK(found.distinct_maps == 1);
  CHECK(found.map_components == 1);
  const PiecewiseAffineNetwork hat({{.weight = {{1, 0}, {1, 0}, {1, 0}}, .bias = {{0.5, 0, -0.5}}, .slope = 0},
                                    {.weight = {{1, -2, 1}}, .bias = {{0}}, .slope = 1}});
  const SliceStatistics bent = statistics(slice(hat, input_plane()));
  CHECK(bent.regions == 4);
  CHECK(bent.distinct_maps == 3);
  CHECK(bent.map_components == 4);
}

}  // namespace
}  // namespace normalign::tests

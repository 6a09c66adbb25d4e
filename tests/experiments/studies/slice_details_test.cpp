#include "experiments/studies/slice_details.hpp"

#include <nlohmann/json.hpp>

#include "experiments/studies/geometry_tables.hpp"
#include "geometry/affine_map.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/npz_arrays.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

using SliceJson = nlohmann::ordered_json;

struct SliceFiles {
  PiecewiseAffineNetwork network;
  Slice slice;
  DecisionBoundary boundary;
  SlicePicture picture() const {
    return {.slice = slice,
            .boundary = boundary,
            .points = {{.t = {0.1, 0.2}, .label = 1, .centroid = Point{0.5, 0.5}}, {.t = {-0.3, 0}, .label = 2}}};
  }
};

SliceFiles sliced(const std::vector<Index>& widths, std::uint64_t seed) {
  SliceFiles files{.network = random_network(widths, seed), .slice = {}, .boundary = {}};
  files.slice = slice(files.network, plane_through(random_matrix({3, widths.front()}, 1)), {.window = square(2)});
  files.boundary = class_boundary(files.slice);
  return files;
}

TEST_CASE("a corner's outputs are those of both maps of its region, and of the network there") {
  const TemporaryFolder folder;
  const SliceFiles files = sliced({5, 12, 10, 3}, 4);
  write_npz(folder / "a.npz", files.picture(), files.network);
  const auto arrays = npz_arrays(folder / "a.npz");
  const auto numbers = [&](const char* name) { return arrays.at(name).numbers; };
  const Matrix<double> slope = numbers("regions/slope"), offset = numbers("regions/offset"),
                       input_slope = numbers("regions/input_slope"), input_offset = numbers("regions/input_offset"),
                       outputs = numbers("vertices/outputs"), t = numbers("vertices/t"), u = numbers("plane/u"),
                       v = numbers("plane/v"), origin = numbers("plane/origin"), region = numbers("corners/region"),
                       vertex = numbers("corners/vertex"), corner = numbers("corners/t");
  CHECK(arrays.at("regions/slope").shape == std::vector<Index>{files.slice.regions(), 3, 2});
  CHECK(arrays.at("regions/input_slope").shape == std::vector<Index>{files.slice.regions(), 3, 5});
  CHECK(arrays.at("regions/code").shape == std::vector<Index>{files.slice.regions(), 22});
  REQUIRE(region.rows() > 3 * files.slice.regions() - 1);
  for (Index c = 0; c < region.rows(); ++c) {
    const auto r = static_cast<Index>(region(c, 0)), p = static_cast<Index>(vertex(c, 0));
    CHECK(corner(c, 0) == t(p, 0));
    CHECK(corner(c, 1) == t(p, 1));
    Matrix<double> x(1, 5);
    for (Index j = 0; j < 5; ++j) x(0, j) = origin(j, 0) + t(p, 0) * u(j, 0) + t(p, 1) * v(j, 0);
    const Matrix<double> f = files.network(x);
    for (Index k = 0; k < 3; ++k) {
      double in_input = input_offset(r, k);
      for (Index j = 0; j < 5; ++j) in_input += input_slope(r, 5 * k + j) * x(0, j);
      CHECK_THAT(in_input, WithinAbs(f(0, k), 1e-12));
      CHECK_THAT(slope(r, 2 * k) * t(p, 0) + slope(r, 2 * k + 1) * t(p, 1) + offset(r, k), WithinAbs(f(0, k), 1e-12));
      CHECK_THAT(outputs(p, k), WithinAbs(f(0, k), 1e-12));
    }
  }
}

TEST_CASE("the archive of a slice has the arrays of its JSON, and the same bytes at any number of threads") {
  const TemporaryFolder folder;
  for (const std::vector<Index>& widths : {std::vector<Index>{4, 9, 8, 3}, {3, 2}}) {
    const SliceFiles files = sliced(widths, 6);
    SliceJson json = as_json(files.picture(), true);
    add_details(json, files.slice, files.network);
    NpzWriter file(folder / "json.npz");
    add(file, slice_tables(SliceJson::parse(json.dump())));
    file.finish();
    write_npz(folder / "memory.npz", files.picture(), files.network, 1);
    const auto from_json = npz_arrays(folder / "json.npz"), from_memory = npz_arrays(folder / "memory.npz");
    for (const auto& [name, array] : from_memory) {
      CAPTURE(name);
      REQUIRE(from_json.contains(name));
      CHECK(are_same(array, from_json.at(name)));
    }
    CHECK(from_json.size() == from_memory.size());
    write_npz(folder / "threads.npz", files.picture(), files.network, 3);
    const bool is_same = read_file(folder / "threads.npz") == read_file(folder / "memory.npz");
    CHECK(is_same);
  }
}

}  // namespace
}  // namespace normalign::tests

#include "experiments/studies/slice_details.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/figures/table_json.hpp"
#include "experiments/studies/geometry_tables.hpp"
#include "geometry/affine_map.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

using Json = nlohmann::ordered_json;

AffineMap input_map(const Slice& slice, Index region, const PiecewiseAffineNetwork& network) {
  return affine_map(network, slice.code(region));
}

}  // namespace

void add_details(Json& json, const Slice& slice, const PiecewiseAffineNetwork& network) {
  json["units"] = slice.units;
  json["outputs"] = rows_json(slice.outputs);
  for (Index r = 0; r < slice.regions(); ++r) {
    const AffineMap map = input_map(slice, r, network);
    Json& region = json["regions"][static_cast<std::size_t>(r)];
    region["input_slope"] = rows_json(map.slope);
    region["input_offset"] = map.offset.span();
  }
}

void write_npz(const std::filesystem::path& path, const SlicePicture& picture, const PiecewiseAffineNetwork& network,
               int threads) {
  const Slice& slice = picture.slice;
  const Index n = slice.regions(), k = network.outputs(), d = network.inputs();
  const std::vector<std::int64_t> units(slice.units.begin(), slice.units.end());
  NpzWriter file(path);
  add(file, slice_tables(as_json(picture, true)));
  file.add<std::int64_t>("units", {static_cast<Index>(units.size())}, units);
  file.add<double>("vertices/outputs", {slice.outputs.rows(), k}, slice.outputs.span());
  Matrix<double> offsets(n, k);
  std::vector<std::exception_ptr> failures;
  file.add_rows("regions/input_slope", {n, k, d}, [&](Index first, MatrixView<double> rows) {
    parallel_for(threads, rows.rows(), failures, [&](Index i) {
      const AffineMap map = input_map(slice, first + i, network);
      std::ranges::copy(map.slope.span(), rows.row(i).begin());
      std::ranges::copy(map.offset.span(), offsets.row(first + i).begin());
    });
  });
  file.add<double>("regions/input_offset", {n, k}, offsets.span());
  file.finish();
}

}  // namespace normalign

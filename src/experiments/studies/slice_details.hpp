// The maps of a slice's regions in the network's input, and a slice as arrays.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "experiments/studies/slice_picture.hpp"

namespace normalign {

/// Adds to the JSON of a slice of the network with its regions: `units` of each hidden layer, `outputs` at each vertex,
/// and to each region `input_slope` (k x d) and `input_offset`, the map of the network's input x.
void add_details(nlohmann::ordered_json& json, const Slice& slice, const PiecewiseAffineNetwork& network);

/// Writes the slice of the network as a NumPy archive of the arrays that `slice_tables` makes of that JSON. The maps of
/// the input are not in memory together: they are found block by block, on up to `threads` threads with the same bits
/// at any number. Throws as `NpzWriter` does, and InputError on fewer than one thread.
void write_npz(const std::filesystem::path& path, const SlicePicture& picture, const PiecewiseAffineNetwork& network,
               int threads = 1);

}  // namespace normalign

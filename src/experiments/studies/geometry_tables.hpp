// What the JSON of a finished model's geometry holds, as tables whose cells may be arrays.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "experiments/figures/array_table.hpp"

namespace normalign {

/// The tables of a file, the one that matters most first, and arrays that are in no table. `array_name` says what
/// columns are called in an archive.
struct FileTables {
  std::vector<ArrayTable> tables = {};
  std::vector<NamedArray> others = {};
};

/// Of `inspect --json`: a row for each sample, with the keys of its schema, those of `certificate` after
/// `certificate_`. Bounds that are null are infinite. Besides `units`, of each hidden layer, where there are codes.
/// Each of these functions throws InputError, naming the place, where `json` is not as its schema says.
FileTables inspection_tables(nlohmann::ordered_json json);

/// Of `slice`: tables `regions`, `corners` (of the regions: region, vertex and its t), `vertices` and `edges` where the
/// file has regions, `boundary` (polyline, t, and the classes that tie, of a level set its output and -1) and `points`.
/// Besides `plane/origin`, `plane/u`, `plane/v`, and `units` where the file has it.
FileTables slice_tables(nlohmann::ordered_json json);

/// Of `regions --json`: tables `regions`, `facets`, `pieces` and `components` where the file has regions, and
/// `classes`. Besides `units`. A volume and a clearance that are null are infinite.
FileTables region_tables(nlohmann::ordered_json json);

/// Of `robustness --json`: its rows.
FileTables robustness_tables(nlohmann::ordered_json json);

/// Adds all of them.
void add(NpzWriter& file, const FileTables& tables);

}  // namespace normalign

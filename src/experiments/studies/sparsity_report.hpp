// The study of sparsity as text, JSON, CSV and a picture.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "experiments/figures/chart.hpp"
#include "experiments/figures/table.hpp"
#include "experiments/studies/sparsity.hpp"

namespace normalign {

/// Two lines for each n and model, of the training and of the test points: means over seeds, four digits; where there
/// are several seeds a table of the standard deviations too; and what the columns are. CSV has the lines of "means" as
/// in `as_json`.
TableSet tables(std::span<const SparsityRow> rows);

/// {"chance_alignment", "means": [{"n", "model", "points", "seeds", and each measure with its deviation as "_std"}],
/// "rows": [the same by seed, without deviations]}, all digits, null where undefined.
nlohmann::ordered_json as_json(std::span<const SparsityRow> rows);

/// The rows that `as_json` wrote as "rows"; of the geometry what it writes. Throws nlohmann::json::exception or
/// InputError where they are not of that form.
std::vector<SparsityRow> rows_in(const nlohmann::ordered_json& study);

/// Four panels against n, n logarithmic: accuracy, normal alignment over chance with a line at 1, effective rank and
/// nearest-neighbour distance; means over seeds, shaded one standard deviation, solid at test and dashed at training
/// points. Named "sparsity".
Chart chart_of(std::span<const SparsityRow> rows);

}  // namespace normalign

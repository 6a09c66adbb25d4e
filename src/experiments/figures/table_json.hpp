// Tables as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "experiments/figures/table.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// The words, the number with all digits, or null.
nlohmann::ordered_json json_of(const Cell& cell);

/// A list of the rows, each an object of the cells that are not shared and whose columns have a key.
nlohmann::ordered_json rows_json(const Table& table);

/// A list of the rows, each a list of numbers.
nlohmann::ordered_json rows_json(ConstView<double> matrix);

/// {key: [...]}, or the list alone without a `key`: the rows that `with_keys` gives; where there is a `rows_key`, for
/// each table with rows an object of what they share, {rows_key: its rows}, and lists of the names it leaves out.
nlohmann::ordered_json as_json(const TableSet& set);

}  // namespace normalign

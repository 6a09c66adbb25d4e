// Arrays of NumPy's files as tables.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/tables/table.hpp"

namespace normalign {

/// The arrays of a .npy or .npz file as columns: one of one dimension is a column of its name, one of more dimensions
/// has a column "X[j]" of the group X for each j < d, all dimensions but the first one behind the other (in a .npy file
/// columns have no names). NaN is a missing value, an infinity a fault, and a text may be a missing mark.
///
/// With a `label`, a column's name or place, an array of another number of rows than the label's is left out, which
/// `reading` tells; without one all have as many rows. Throws InputError as `numpy_arrays` does, on arrays of different
/// numbers of rows, no rows, and a label that is none.
DataTable array_table(const std::filesystem::path& path, const std::optional<std::string>& label);

}  // namespace normalign

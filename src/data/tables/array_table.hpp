// Files of arrays as tables.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "data/tables/table.hpp"

namespace normalign {

/// Which arrays of a file are meant. Some files have arrays for training and others for testing, told by their names:
/// X_train and X_test, or train_X and test_X.
enum class ArrayPart {
  all,    ///< every array, by its name
  train,  ///< those for training, which are called X
  test    ///< those for testing, which are called X
};

/// The part of the array of that name, or of one of its columns X_train[j].
ArrayPart part_of(std::string_view name);

/// Whether a file, of any kind, has arrays of both parts with one name X. Throws InputError as `array_names` does.
bool has_parts(const std::filesystem::path& path);

/// The arrays of a .npy, .npz or safetensors file as columns: one of one dimension is a column of its name, one of more
/// dimensions has a column "X[j]" of the group X for each j < d, all dimensions but the first one behind the other (in
/// a .npy file columns have no names). NaN is a missing value, an infinity a fault, and a text may be a missing mark.
///
/// With a `part` but all, arrays of the other part are left out, and others too, which `reading` tells. With a `label`,
/// a column's name or place, an array of another number of rows than the label's is left out, which `reading` tells,
/// and so are the arrays of the other part than the label's; without one all have as many rows. Throws InputError as
/// `arrays_in` does, on arrays of different numbers of rows, two of one name, no rows, and, opened by the file and
/// `what`, a label that is none.
DataTable array_table(const std::filesystem::path& path, const std::optional<std::string>& label,
                      ArrayPart part = ArrayPart::all, const char* what = "label column");

}  // namespace normalign

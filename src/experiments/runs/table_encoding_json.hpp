// How a table was read, as JSON: in logs, and in the metadata of models, by which other tables are read alike.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "data/tables/labelled_table.hpp"

namespace normalign {

struct TensorFile;

/// An object with the keys label and class_names or, where numbers are predicted, targets (names) and, where these are
/// scaled, target_means and target_deviations; then missing, columns (name, place, levels of categories, fill) and,
/// where features are scaled, means and deviations.
nlohmann::ordered_json table_encoding_json(const TableEncoding& encoding);

/// The encoding that a model in a file has in its metadata `table`; none where it has none. Throws as `table_encoding`
/// does, with "metadata table" in front.
std::optional<TableEncoding> table_encoding_in(const TensorFile& model);

/// The encoding in such an object. Throws InputError with field, found and expected on anything else.
TableEncoding table_encoding(const nlohmann::ordered_json& json);

}  // namespace normalign

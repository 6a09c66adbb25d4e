// Tables whose cells may be arrays: a column is an array with a row for each row of the table. NumPy archives and CSV
// follow from them.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "data/tables/numpy_writer.hpp"

namespace normalign {

/// An array by its name: numbers, whole numbers, booleans (0 and 1) or texts, in C order.
struct NamedArray {
  std::string name = {};
  std::vector<Index> shape = {};  ///< empty for a single value
  std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::uint8_t>, std::vector<std::string>>
      values = {};
};

/// A table. NaN and the empty text stand for what is not there.
struct ArrayTable {
  std::string name = {};  ///< empty for one that stands alone
  Index rows = 0;
  std::vector<NamedArray> columns = {};  ///< each has `rows` as its first extent
};

/// The table of a list of JSON objects, a row each. A column is a key, and `a_b` the key b of an object under the key
/// a; columns are in the order in which the keys are found. Lists are arrays; they have one shape in all rows. A key
/// that an object lacks, and null, are missing values. A column without any has whole numbers or booleans where its
/// values are such. All other numbers are float64, with NaN for what is missing; booleans beside them are 0 and 1. A
/// text under the key `code`, of 0 and 1, is an array of booleans. Throws InputError, "NAME[3].key: found X, expected
/// Y", on anything else.
ArrayTable table_of(const std::string& name, const nlohmann::ordered_json& rows);

/// A head and a line for each row, as `csv_line` has it: all digits, nothing for NaN, `inf` and `-inf`, booleans as 0
/// and 1. A column of arrays has a column for each place, counted from 0: x_0, x_1, or x_0_0, x_0_1.
std::string as_csv(const ArrayTable& table);

/// What an array of that table is called in an archive: TABLE/NAME, or NAME where the table has no name.
std::string array_name(const std::string& table, const std::string& name);

/// Adds the array.
void add(NpzWriter& file, const NamedArray& array);

/// Adds all columns of the table by `array_name`.
void add(NpzWriter& file, const ArrayTable& table);

}  // namespace normalign

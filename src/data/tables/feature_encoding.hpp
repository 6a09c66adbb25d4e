// How the columns of a table become features: numbers as they are, texts as one-hot categories. What is settled on one
// table is applied to others, such as rows to predict.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/tables/column_scales.hpp"
#include "data/tables/table.hpp"

namespace normalign {

/// What is done with rows in which a feature is missing.
enum class MissingValues {
  refuse,  ///< a row that has one is refused
  drop,    ///< the rows that have one are left out
  impute   ///< it becomes the mean of a number, the most frequent category (of equally frequent ones the first)
};

/// Its name: "refuse", "drop" or "impute".
std::string_view name(MissingValues missing);
/// The one of that name. Throws InputError, opened by `what`, listing the names when there is none.
MissingValues missing_values(const std::string& what, const std::string& name);

/// Which columns are features, and what becomes of them. Columns are called by name or place, as `DataTable::column_at`
/// takes them.
struct FeatureOptions {
  std::vector<std::string> columns = {};     ///< these alone; empty: all but the labels
  std::vector<std::string> drop = {};        ///< but not these
  std::vector<std::string> categories = {};  ///< one-hot even if they hold numbers, or many different texts
  MissingValues missing = MissingValues::refuse;
  bool standardise = false;  ///< each feature gets mean 0 and deviation 1 (n - 1) over the rows of `settle`
};

/// One column as features.
struct FeatureColumn {
  std::string name = {};                 ///< of the column; empty where it has none
  Index place = 0;                       ///< of the column in its file, from 1 on
  std::vector<std::string> levels = {};  ///< of categories, one feature each; empty: a number, one feature
  double fill = 0;                       ///< for a missing value: a number, or a place in `levels`
};

/// The features of a table.
struct FeatureEncoding {
  std::vector<FeatureColumn> columns = {};
  MissingValues missing = MissingValues::refuse;
  std::optional<ColumnScales> scales = {};  ///< of the features; none: they are as they are

  /// How many features there are.
  Index size() const;
  /// Their names: "width", "colour=red", and "column 2" where a column has no name.
  std::vector<std::string> names() const;
};

/// The features of the table, all columns but those at `labels` in their order, not yet settled. A column is
/// categories where it holds texts. Throws InputError naming the column: on a name that is none or a label's, no
/// features, a fault, and texts that are no categories: dates, numbers with decimal commas, or more different ones than
/// a twentieth of the rows (more than 20), unless `categories` has the column.
FeatureEncoding feature_encoding(const DataTable& table, std::span<const std::size_t> labels,
                                 const FeatureOptions& options);

/// The rows of the table that have a value in every feature or, with MissingValues::impute, all. Throws InputError with
/// row, column and mark on a missing value that is refused, or as `encoded` does on a column.
std::vector<Index> rows_with_features(const FeatureEncoding& encoding, const DataTable& table);

/// Settles, by these rows of the table, what missing values become and, with `standardise`, means and deviations; that
/// of a feature without spread is 1.
void settle(FeatureEncoding& encoding, const DataTable& table, std::span<const Index> rows, bool standardise);

/// The features of these rows, rows x size(); the table's columns are found by their names or, where they have none or
/// several have it, by their places. Throws InputError, naming the column and where there is one the row, on a column
/// that is not there or holds texts for numbers, a category that is none of the levels, and missing values that are
/// refused.
Matrix<double> encoded(const FeatureEncoding& encoding, const DataTable& table, std::span<const Index> rows);

}  // namespace normalign

// Labelled samples in a table.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/tables/csv.hpp"
#include "data/tables/feature_encoding.hpp"

namespace normalign {

/// How a table of labelled samples is to be understood.
struct TableOptions {
  /// The label column, as `CsvOptions::label` takes it; all other columns are features. With `labels` it is not looked
  /// at.
  std::string label = "-1";
  std::optional<char> delimiter = {};              ///< of a CSV file, as CsvOptions has it
  std::optional<bool> header = {};                 ///< the same
  IndexColumn index_column = IndexColumn::refuse;  ///< the same
  /// Whether labels are classes even where they look like a regression target: all are numbers, and one of them is not
  /// whole or more than a tenth of the rows are different (at least 21 of them; 201 are always too many).
  bool insist_on_classes = false;
  /// Whether labels are class numbers from 0 on, as the outputs of a network are numbered: max(label) + 1 classes then,
  /// whether or not each occurs. Else they are names, and the classes are the different ones.
  bool numbered_classes = false;
  FeatureOptions features = {};
  /// A second file, whose only column is that of the labels; empty: they are in the first.
  std::filesystem::path labels = {};
};

/// Labels as class numbers.
struct ClassLabels {
  std::vector<std::int32_t> labels = {};  ///< one for each row asked for
  std::vector<std::string> names = {};    ///< by class number
};

/// The labels of these rows, which are those of column `label`. Where all are whole numbers of at most 17 digits,
/// classes are in their order (and 2.0 is 2), else in byte order. Throws InputError naming row and column: on a missing
/// value, what looks like a regression target and is not insisted on, more than 32768 classes; with `numbered_classes`
/// on a label that is no whole number from 0 to 32767.
ClassLabels class_labels(const DataTable& table, std::size_t label, std::span<const Index> rows,
                         const TableOptions& options);

/// What is settled on a table of labelled samples, so that others are read alike.
struct TableEncoding {
  FeatureEncoding features = {};
  std::string label = {};                     ///< the label column's name, or its place where it has none
  std::vector<std::string> class_names = {};  ///< by class number
};

/// The labels of these rows as numbers of known classes. Throws InputError, naming row and column, on a missing value
/// and on a label that is none of them.
std::vector<std::int32_t> labels_among(const std::vector<std::string>& class_names, const DataTable& table,
                                       std::size_t label, std::span<const Index> rows);

/// The rows of the table that have features, as `rows_with_features` has them, and with MissingValues::drop a label.
/// Throws InputError as it does, and where there is none.
std::vector<Index> labelled_rows(const FeatureEncoding& encoding, const DataTable& table, std::size_t label);

/// What was taken for what in a table, in one line that begins with the file's name. `rows`: of how many samples;
/// `asked`: what the user called the label column, which may be a place and the name of another.
std::string reading_of(const DataTable& table, const TableEncoding& encoding, std::size_t label, Index rows,
                       const std::string& asked);

/// Samples and what they were made of.
struct LabelledTable {
  Dataset<double> data = {};
  TableEncoding encoding = {};  ///< settled on all of its rows
  std::string reading = {};     ///< as `reading_of` has it
};

/// A table, and which of its columns holds the labels.
struct TableWithLabels {
  DataTable table = {};
  std::size_t label = 0;
};

/// The table in a CSV, .npy or .npz file, which is told by its content. Throws as `csv_table` and `array_table` do, on
/// options that belong to the other kind of file, and on a file of labels that has not one column or other rows.
TableWithLabels table_with_labels(const std::filesystem::path& path, const TableOptions& options);

/// The samples of that table, read as another was: options say how its file is to be understood, `encoding` all else.
/// Throws as `table_with_labels`, `encoded` and `labels_among` do.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding);

/// The samples of that table; rows without a label are left out with MissingValues::drop. Throws as
/// `table_with_labels`, `feature_encoding`, `labelled_rows` and `class_labels` do.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options = {});

}  // namespace normalign

// Samples in a table with what is to be predicted of them: classes, or numbers.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.hpp"
#include "data/tables/array_table.hpp"
#include "data/tables/csv.hpp"
#include "data/tables/feature_encoding.hpp"

namespace normalign {

/// How a table of samples is to be understood.
struct TableOptions {
  /// The label column, as `CsvOptions::label` takes it; all other columns are features. With `labels` or `regression`
  /// it is not looked at.
  std::string label = "-1";
  bool regression = false;  ///< whether numbers are predicted, not classes: `targets`, or all columns of `labels`
  /// The columns of these numbers, called as `DataTable::columns_at` takes them; empty with `labels`.
  std::vector<std::string> targets = {};
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
  /// A second file, whose only column is that of the labels, or whose columns are all targets; empty: they are in the
  /// first.
  std::filesystem::path labels = {};
  ArrayPart part = ArrayPart::all;  ///< of the arrays in the first file
};

/// An option of the command line with its value, as messages show both.
struct GivenOption {
  std::string name = {}, value = {};
};

/// The first of these options that is not at its default, but for the label column; none where all are.
std::optional<GivenOption> given_option(const TableOptions& options);

/// What is settled on a table of samples, so that others are read alike.
struct TableEncoding {
  FeatureEncoding features = {};
  std::string label = {};  ///< the label column's name, or its place where it has none; empty for targets
  std::vector<std::string> class_names = {};       ///< by class number; none for targets
  std::vector<std::string> targets = {};           ///< the names of their columns, or places; none for classes
  std::optional<ColumnScales> target_scales = {};  ///< none: targets are as they are

  /// Whether numbers are predicted, not classes.
  bool is_regression() const { return !targets.empty(); }
};

/// A table whose columns have their parts, before its features are settled on some of its rows.
struct EncodableTable {
  DataTable table = {};
  std::vector<std::size_t> labels = {};    ///< the places of the label column, or of the targets, in the table
  std::vector<Index> rows = {};            ///< those that are samples
  std::vector<std::int32_t> classes = {};  ///< of these rows, by number; all 0 where numbers are predicted
  TableEncoding encoding = {};             ///< not settled
};

/// The table in a CSV, .npy, .npz or safetensors file, which is told by its content. Rows without a label or a target
/// are left out with MissingValues::drop.
///
/// Where all labels are whole numbers of at most 17 digits, classes are in their order (and 2.0 is 2), else in byte
/// order. Throws InputError as `csv_table`, `array_table`, `feature_encoding` and `rows_with_features` do; on options
/// of a CSV file for another; a file of labels that has not one column, or other rows; no row that is a sample; and,
/// naming row and column, on a label that is missing, what looks like a regression target and is not insisted on, more
/// than 32768 classes; with `numbered_classes` on a label that is no whole number from 0 to 32767; with `regression`
/// where a target is missing or no number, or no column is one.
EncodableTable encodable_table(const std::filesystem::path& path, const TableOptions& options);

/// Settles the features of the table by these rows of it, as `settle` does, and with `standardise` the scales of its
/// targets.
void settle(EncodableTable& table, std::span<const Index> rows, bool standardise);

/// The samples in these rows of the table, whose encoding is settled.
Dataset<double> samples_at(const EncodableTable& table, std::span<const Index> rows);

/// What was taken for what in the table, in one line that begins with the file's name. `asked`: what the user called
/// the label column, which may be a place and the name of another.
std::string reading_of(const EncodableTable& table, const std::string& asked);

/// Samples and what they were made of.
struct LabelledTable {
  Dataset<double> data = {};
  TableEncoding encoding = {};  ///< settled
  std::string reading = {};     ///< as `reading_of` has it
};

/// The samples of the table in that file, with its encoding settled on all of them. Throws as `encodable_table` does.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options = {});

/// The same, read as another table was: options say how the file is to be understood, `encoding` all else. Throws as
/// `encodable_table` and `encoded` do, and on a label that is none of the classes.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding);

/// Whether the table was one of arrays of one part by their own names, such as X_train; then so is one that is read
/// alike.
bool names_parts(const TableEncoding& encoding);

/// Rows of which something is to be predicted.
struct FeatureRows {
  Matrix<double> inputs = {};    ///< m x d
  std::vector<Index> rows = {};  ///< m places in the file: all, or with MissingValues::drop those without a gap
  Index file_rows = 0;
  bool has_answers = false;  ///< whether the file has the label column or all targets, by name
};

/// The features of the table in that file, read as another table was; whether it has labels or targets does not matter.
/// Of a file of arrays for training and for testing it is those for training, where the other table had no such names;
/// arrays of other lengths than the features are left out. Of the options only `delimiter`, `header`, `index_column`
/// and `part` are looked at. Throws as `encodable_table` and `encoded` do.
FeatureRows feature_rows(const std::filesystem::path& path, const TableOptions& options, const TableEncoding& encoding);

/// The same where nothing is known of another table: all columns are features, and texts and missing values are
/// refused.
FeatureRows feature_rows(const std::filesystem::path& path, const TableOptions& options);

}  // namespace normalign

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

/// An option of the command line with its value, as messages show both.
struct GivenOption {
  std::string name = {}, value = {};
};

/// The first of these options that is not at its default, but for the label column; none where all are.
std::optional<GivenOption> given_option(const TableOptions& options);

/// What is settled on a table of labelled samples, so that others are read alike.
struct TableEncoding {
  FeatureEncoding features = {};
  std::string label = {};                     ///< the label column's name, or its place where it has none
  std::vector<std::string> class_names = {};  ///< by class number
};

/// A table whose columns have their parts, before its features are settled on some of its rows.
struct EncodableTable {
  DataTable table = {};
  std::size_t label = 0;                   ///< the place of the label column in the table
  std::vector<Index> rows = {};            ///< those that are samples
  std::vector<std::int32_t> classes = {};  ///< of these rows, by number
  TableEncoding encoding = {};             ///< not settled
};

/// The table in a CSV, .npy or .npz file, which is told by its content. Rows without a label are left out with
/// MissingValues::drop.
///
/// Where all labels are whole numbers of at most 17 digits, classes are in their order (and 2.0 is 2), else in byte
/// order. Throws InputError as `csv_table`, `array_table`, `feature_encoding` and `rows_with_features` do; on options
/// of a CSV file for another; a file of labels that has not one column, or other rows; no row that is a sample; and,
/// naming row and column, on a label that is missing, what looks like a regression target and is not insisted on, more
/// than 32768 classes; with `numbered_classes` on a label that is no whole number from 0 to 32767.
EncodableTable encodable_table(const std::filesystem::path& path, const TableOptions& options);

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

/// The samples of the table in that file, with its features settled on all of them. Throws as `encodable_table` does.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options = {});

/// The same, read as another table was: options say how the file is to be understood, `encoding` all else. Throws as
/// `encodable_table` and `encoded` do, and on a label that is none of the classes.
LabelledTable labelled_table(const std::filesystem::path& path, const TableOptions& options,
                             const TableEncoding& encoding);

}  // namespace normalign

// Labelled samples in a CSV file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// What is done with an index column: a first column, not that of the labels, that numbers or names the rows. R's
/// write.csv and pandas' to_csv write one, and a table sorted by class would be classified by it.
enum class IndexColumn {
  refuse,  ///< one that is found is refused
  drop,    ///< the first column is left out, whatever it holds
  keep     ///< the first column is a feature
};

/// How a CSV file is to be understood.
struct CsvOptions {
  /// The column of the labels: its name in the header or, where no column has that name and this is a whole number, its
  /// place, from 1 on or, from the last column backwards, from -1 on. All other columns are features.
  std::string label = "-1";
  /// Between fields: a comma, a semicolon, a tab or '|'. By default the first of tab, semicolon, '|' and comma that
  /// cuts each of the first 100 lines into the same number of fields, two or more. Where none does, the first of them
  /// that the first line holds outside quotes.
  std::optional<char> delimiter = {};
  /// Whether the first line names the columns. By default it does where the label column is given by name, or where
  /// - it names features: no field outside the label column is a number, and one is neither a number nor missing;
  /// - it names the labels: that field is neither a number nor missing, while all other labels are numbers;
  /// - it counts the columns, as pandas does where they have no names (`0,1,2,label`): two fields or more are whole
  ///   numbers that ascend with their places from 0 or 1 on; only the label's and a missing one in front, that of an
  ///   index, may be something else; and its label is on no other line, as it is with a tenth of the others at most, of
  ///   ten or more.
  std::optional<bool> header = {};
  IndexColumn index_column = IndexColumn::refuse;
  /// Whether labels are classes even where they look like a regression target: all are numbers, and one of them is not
  /// whole or more than a tenth of the rows are different (at least 21 of them; 201 are always too many).
  bool insist_on_classes = false;
  /// Whether labels are class numbers from 0 on, as the outputs of a network are numbered: max(label) + 1 classes then,
  /// whether or not each occurs. Else they are names, and the classes are the different ones.
  bool numbered_classes = false;
};

/// The samples of a CSV file and what its columns are called.
struct CsvDataset {
  Dataset<double> data = {};
  std::vector<std::string> class_names = {};  ///< by class number
  std::vector<std::string> features = {};     ///< "column 2 (width)", without a header "column 2", for each feature
  /// What was taken for what, in one line that begins with the file's name.
  std::string reading = {};
};

/// The samples of a CSV file: on each line decimal numbers and a label. Where all labels are whole numbers of at most
/// 17 digits, classes are in their order (and 2.0 is 2), else in byte order. Fields may be quoted as in RFC 4180, with
/// delimiters, line breaks and doubled quotes inside; blanks around a field do not count, nor do blank lines, a UTF-8
/// byte order mark, nor a last column that is empty on every line. Line ends are LF or CR LF.
///
/// A field is missing where it is empty, `?`, `NA`, `na`, `N/A`, `n/a`, `#N/A`, `#N/A N/A`, `#NA`, `<NA>`, `NaN`,
/// `nan`, `NAN`, `-NaN`, `-nan`, `NULL`, `null`, `None`, `1.#IND`, `-1.#IND`, `1.#QNAN` or `-1.#QNAN`. A first column
/// is an index where it is unnamed (its name is empty, or begins with "Unnamed: ") and holds whole numbers alone or no
/// number, and where there are other features and it counts three rows or more, from 0 or 1 on.
///
/// Throws InputError naming the file and, where there is one, the line (on which the field begins) and the column: on a
/// missing value, a feature that is no finite number, lines of different lengths, fewer than two columns, quotes that
/// are wrong, no or more than one column of that name, an index column or a regression target that the options do not
/// let pass, no samples, no features, more than 32768 classes; with `numbered_classes` on a label that is no whole
/// number from 0 to 32767.
CsvDataset csv(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace normalign

// Labelled samples in a CSV file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// How a CSV file is to be understood.
struct CsvOptions {
  /// The column of the labels: its name in the header or, where this is a whole number, its place, from 1 on or, from
  /// the last column backwards, from -1 on. All other columns are features.
  std::string label = "-1";
  /// Between fields: a comma, a semicolon, a tab or '|'. By default a tab, else a semicolon, else a comma: the first of
  /// them that the first line holds outside quotes.
  std::optional<char> delimiter = {};
  /// Whether the first line names the columns. By default it does where the label column is given by name, or no field
  /// outside the label column is a number and one of them is neither empty nor a mark for a missing value.
  std::optional<bool> header = {};
  /// Whether labels are class numbers from 0 on, as the outputs of a network are numbered: max(label) + 1 classes then,
  /// whether or not each occurs. Else they are names, and the classes are the different ones.
  bool numbered_classes = false;
};

/// The samples of a CSV file and what its labels are called.
struct CsvDataset {
  Dataset<double> data;
  std::vector<std::string> class_names;  ///< by class number
};

/// The samples of a CSV file: on each line decimal numbers and a label. Where all labels are whole numbers, classes are
/// in their order (and 2.0 is 2), else in byte order. Fields may be quoted as in RFC 4180, with delimiters, line breaks
/// and doubled quotes inside; blanks around a field do not count, nor do blank lines nor a UTF-8 byte order mark. Line
/// ends are LF or CR LF. Throws InputError naming the file and, where there is one, the line (on which the field
/// begins) and the column: on a missing value (nothing, ?, NA or nan in upper or lower case), a feature that is no
/// finite number, lines of different lengths, fewer than two columns, quotes that are wrong, no or more than one column
/// of that name, no samples, more than 32768 classes; with `numbered_classes` on a label that is no whole number from 0
/// to 32767.
CsvDataset csv(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace normalign

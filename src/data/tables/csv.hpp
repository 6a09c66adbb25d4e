// CSV files as tables.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/tables/table.hpp"

namespace normalign {

/// What is done with an index column: a first column, not that of the labels, that numbers or names the rows. R's
/// write.csv and pandas' to_csv write one, and a table sorted by class would be classified by it.
enum class IndexColumn {
  refuse,  ///< one that is found is refused
  drop,    ///< the first column is left out, whatever it holds
  keep     ///< the first column is a column like the others
};

/// How a CSV file is to be understood.
struct CsvOptions {
  /// The label column, by its name in the header or, where no column has that name and this is a whole number, by its
  /// place, from 1 on or, from the last column backwards, from -1 on. Without one the file has features alone.
  std::optional<std::string> label = {};
  /// Columns that are read as texts even if they hold numbers, called as `label` is; that of the label always is.
  std::vector<std::string> texts = {};
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
};

/// The rows of a CSV file. Fields may be quoted as in RFC 4180, with delimiters, line breaks and doubled quotes inside;
/// blanks around a field do not count, nor do blank lines, a UTF-8 byte order mark, nor a last column that is empty on
/// every line. Line ends are LF or CR LF.
///
/// A column holds texts where each of its fields is missing (`is_missing_mark`) or no finite number, and some are not
/// missing; else numbers, with a `fault` where a field is neither missing nor a finite number. Where fields are parted
/// by something else than a comma and no number of the file has a decimal point, a comma is one.
///
/// A first column is an index where it is unnamed (its name is empty, or begins with "Unnamed: ") and holds whole
/// numbers alone or no number, and where there are other features and it counts three rows or more, from 0 or 1 on.
///
/// Throws InputError naming the file and, where there is one, the line (on which the field begins) and the column: on
/// lines of different lengths, fewer than two columns (of a file with labels), quotes that are wrong, no or more than
/// one column of a name in the options, an index column that the options do not let pass, and no rows.
DataTable csv_table(const std::filesystem::path& path, const CsvOptions& options = {});

}  // namespace normalign

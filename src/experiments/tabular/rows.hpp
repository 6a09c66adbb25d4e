// The metrics of runs on tables, one row for each table: out of logs, and in the tab-separated form in which the
// paper's authors' metrics are at hand.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "experiments/tabular/log.hpp"

namespace normalign {

/// What was found on one table.
struct TableRow {
  std::string dataset;
  Index samples = 0, features = 0, classes = 0;
  std::map<std::string, TabularMeans> methods = {};  ///< by method_name; of several seeds the mean
};

/// Rows in byte order of the data sets' names.
struct TableRows {
  std::vector<double> radii = {};  ///< of the attacks
  std::string attack = {};         ///< the `attack_words` of the logs; empty where rows are not from logs
  std::vector<TableRow> rows = {};
};

/// The rows of the finished runs among `logs`, which follow one protocol. Throws InputError, naming two runs, where
/// their attacks or attack radii differ, of tables of classes, or the size, the label column or the targets of what is
/// one table by its name.
TableRows rows_of(std::span<const TabularLog* const> logs);

/// Columns dataset, n, d, classes, and for rfm and then rfam test_acc, robust_acc_eps<radius> for each radius,
/// effective_rank and normal_alignment: a header and one line for each row that has both methods with all metrics;
/// accuracies with two decimals, the others with four.
std::string as_tsv(const TableRows& rows);

/// What `as_tsv` writes, in a file. Attack success and normalised ranks, which it does not hold, follow from the other
/// columns. Throws InputError, naming file and line, on another header, on fields that are missing or no numbers, and
/// on names that are not in byte order.
TableRows read_tsv(const std::filesystem::path& path);

}  // namespace normalign

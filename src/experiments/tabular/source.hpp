// Where tables come from: a collection, a file of the user's, or the table that the code makes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "data/tables/labelled_table.hpp"
#include "experiments/tabular/log.hpp"
#include "experiments/tabular/protocol.hpp"

namespace normalign {

/// Where tables come from, and how they are to be understood.
struct TabularSource {
  std::filesystem::path path = {};     ///< a folder as `uci_names` takes it, or a table; empty: the multi-index task
  TableOptions table = {.label = {}};  ///< of the file; its label column is empty for other tables and for targets
  /// Each feature gets mean 0 and standard deviation 1 over all rows; absent: those of a file do, others do not.
  std::optional<bool> standardise = {};
  std::string precision = "float64";  ///< of the computation, which decides how large a feature may be
};

/// Whether the source is a file, which may be missing, not a folder or the table that the code makes.
bool is_file(const TabularSource& source);

/// The tables of the source, named by folder, by file without its extension, or "multi_index"; in byte order, without
/// their hashes. Sizes are 0 where a data set of the folder has none that can be read, and of the multi-index task. A
/// file is read, so that what is wrong with it is said before anything starts; what was taken for what in it goes to
/// `notes`, where there are any, in one line. Throws InputError, naming it, where there is no such folder or file, the
/// folder holds no data set, a label column or another option of a file is given for anything but a file or neither
/// label column nor target for one, as `csv` does, where a file has one class alone, and on features that are too
/// large, as `check_magnitudes` does.
std::vector<TableFacts> tables(const TabularSource& source, std::ostream* notes = nullptr);

/// `content_hash` of the files of the table of that name; empty for the multi-index task, which has none, and where
/// they cannot be read.
std::string file_hash(const TabularSource& source, const std::string& name);

/// The table of that name with its splits: those of the collection; else stratified halves to choose by and four
/// stratified folds, seeded. Throws InputError as the readers and `check_magnitudes` do.
TabularData table(const TabularSource& source, const std::string& name, std::int64_t seed);

/// Throws InputError naming the table and the column unless all features are small enough that the sums of their
/// products, which distances and covariances are, stay finite in that precision: at most 1e140 in magnitude, 1e15 in
/// "float32". `names` are those of the columns, for the message.
void check_magnitudes(const std::string& table, const std::vector<std::string>& names, const Matrix<double>& features,
                      const std::string& precision);

}  // namespace normalign

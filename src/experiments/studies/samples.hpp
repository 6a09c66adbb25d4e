// The samples to look at a trained model on, as the command line names them.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "data/tables/labelled_table.hpp"
#include "nn/mlp.hpp"

namespace normalign {

/// Which samples.
struct SampleOptions {
  /// A folder of IDX files as `mnist` reads them, or a table as `labelled_table` does, with class numbers last.
  std::string data = {};
  TableOptions table = {.numbered_classes = true};  ///< of that file
  /// The network to look at: if it was trained on a table, that file is read as this table was.
  std::filesystem::path model = {};
  /// A task, whose protocol makes the samples; `data` is then its folder, where it needs one.
  std::string task = {};
  std::optional<std::int64_t> seed = {};  ///< of the task's samples; absent: 0
  /// The test samples, else the training samples; a file has but one kind unless it `has_parts`.
  bool test = false;
  Index most = 0;  ///< the first so many; 0: all
};

/// The samples in double; what was taken for what in a CSV file goes to `notes` in one line. Throws InputError when
/// neither data nor a task is named, on an option that these samples do not read (a seed without a task, test samples
/// or data of a task that has none such, options of a CSV file for another), and as their readers do.
Dataset<double> samples(const SampleOptions& options, std::ostream& notes);

/// Throws InputError, naming both, unless the samples have as many columns as the network has inputs and as many
/// targets as it has outputs, or no label that its outputs (a single one tells two classes apart) have no place for,
/// and no feature of more than 1e50 in size.
void check_fit(const Mlp<double>& mlp, const Dataset<double>& data);

}  // namespace normalign

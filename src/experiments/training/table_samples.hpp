// The samples of the task `table`: a file of the user's, divided into training and test rows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/tables/labelled_table.hpp"
#include "experiments/training/config.hpp"

namespace normalign {

/// A table's samples, and how it was read.
struct TableSamples {
  Split<double> split = {};
  TableEncoding encoding = {};  ///< what is settled on rows is settled on the training rows
  std::string reading = {};     ///< as `reading_of` has it
};

/// The samples of the file `config.data`. Its test rows are those of `config.test_data` or, where that is empty, the
/// random share `config.test_share`, which has its share of each class, or, where that is 0, the fold number
/// `config.fold` of `config.folds` stratified folds (of regression, random ones), seeded by `config.seed`. Where
/// `config.test_data` is the same file, and it `has_parts`, they are its two. Throws InputError as the readers do, and,
/// naming the setting, where no file is named, a fold is not there, or there is one class alone.
TableSamples table_samples(const RunConfig& config);

/// The files that it reads.
std::vector<std::filesystem::path> table_files(const RunConfig& config);

}  // namespace normalign

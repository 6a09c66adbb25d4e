// Labelled samples in a CSV file.
#pragma once

#include <filesystem>

#include "data/dataset.hpp"

namespace normalign {

/// The samples of a CSV file: on each line the features as decimal numbers and last the label, a whole number from 0
/// on, separated by commas or by tabs, with blanks allowed around them. A first line that does not begin with a number
/// is a header; empty lines are passed over. There are max(label) + 1 classes.
///
/// Throws InputError naming the file and the line on a missing file, a field that is no finite number, lines of
/// different lengths, no features, a label that is negative, not whole or above 32767, and a file without samples.
Dataset<double> csv(const std::filesystem::path& path);

}  // namespace normalign

// The options of CSV files that several commands have.
#pragma once

#include <string>

#include "data/csv.hpp"

namespace CLI {
class App;
}

namespace normalign::commands {

/// Adds --header and --index-column; `group` is where --help lists them. Parsing throws InputError on other words than
/// theirs.
void add_csv_options(CLI::App& command, CsvOptions& options, const std::string& group);

}  // namespace normalign::commands

// The program gnuplot: its strings, and how it is run.
#pragma once

#include <filesystem>
#include <string>

namespace normalign {

/// `words` as a string of gnuplot that stands for just these letters, quotes included; control characters, which a
/// script cannot hold within one line, become spaces.
std::string gnuplot_string(const std::string& words);

/// Runs gnuplot, found in PATH, on the file `script` in `folder`, without a shell; its messages go to standard error.
/// False where there is no gnuplot. Throws RunError, naming the script, when gnuplot fails.
bool run_gnuplot(const std::filesystem::path& folder, const std::string& script);

}  // namespace normalign

// How the program gnuplot is run, what it takes for a string, and the files of its pictures.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace normalign {

/// `words` as a string of gnuplot that stands for just these letters, quotes included; control characters, which a
/// script cannot hold within one line, become spaces.
std::string gnuplot_string(const std::string& words);

/// A line of comment for a data file, the words in quotes, so that it is one line whatever they are.
std::string gnuplot_comment(const std::string& words);

/// A picture, in files name.dat, name.gp, name.svg and name.png.
struct Figure {
  std::string name = {};    ///< with "_" for what is no letter, digit, ".", "_", "-" or "+"
  std::string data = {};    ///< blocks of columns, with a head that names them
  std::string script = {};  ///< for gnuplot: draws SVG and PNG from the data in the folder it runs in
};

/// Returns `words` as the name of a figure, which is no option, hidden file or other folder, at most about 100 letters.
/// A name in use gets a number behind it. `taken`: the names in use, in lower case as some file systems know no other;
/// the returned one is added.
std::string figure_name(const std::string& words, std::set<std::string>& taken);

/// All pictures of some runs.
struct Plot {
  std::vector<Figure> figures = {};
  std::vector<std::string> remarks = {};  ///< runs and panels that were left out
};

/// Writes data and script of `figure` to `folder`, which must exist, and lets gnuplot draw; a reader finds the former
/// files or these, each as a whole. False where there is no gnuplot. Throws InputError when a file cannot be written,
/// StorageError for want of space, RunError when gnuplot fails; then the former pictures stay.
bool write_figure(const std::filesystem::path& folder, const Figure& figure);

/// Runs gnuplot, found in PATH, on the file `script` in `folder`, without a shell; what it prints goes to the file
/// `output` there, its messages to standard error.
/// The user's start files, display, locale and variables for gnuplot have no say in the picture.
/// False where there is no gnuplot. Throws RunError, naming the script, when gnuplot fails.
bool run_gnuplot(const std::filesystem::path& folder, const std::string& script,
                 const std::string& output = "/dev/null");

/// What gnuplot, run so, prints for the commands `script`, up to the one that it fails at; nullopt where
/// there is no gnuplot. Throws StorageError for want of space for scratch files, InputError when none can be written.
std::optional<std::string> gnuplot_output(const std::string& script);

}  // namespace normalign

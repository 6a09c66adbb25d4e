// The data sets of the UCI repository in the layout of Fernandez-Delgado, Cernadas, Barro and Amorim, "Do we need
// hundreds of classifiers to solve real world classification problems?", JMLR 15 (2014): one folder each, with fixed
// splits.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.hpp"

namespace normalign {

/// One data set of the collection.
struct UciDataset {
  std::string name;                          ///< of its folder
  Dataset<double> data;                      ///< the first data file, which all folds refer to
  std::optional<Dataset<double>> test_file;  ///< the second data file, where there is one; in no fold
  Fold selection;                            ///< conxuntos.dat: the rows to train on and to choose hyperparameters by
  std::vector<Fold> folds;  ///< conxuntos_kfold.dat: the four of the final scores; their test rows overlap
};

/// The data set in the folder NAME, which holds
///   NAME.txt             lines `key= value`: n_entradas= (features), n_clases= (at most as many as rows), n_arquivos=
///                        (1 or 2), fich1= (the first data file), n_patrons1= (its rows), with two data files also
///                        fich2= and n_patrons2=,
///                        n_patrons_entrena= and n_patrons_valida= (rows on either side of `selection`), n_conxuntos=
///                        1; other keys are passed over
///   the data files       a header, which begins with a tab; then lines of a row number from 1 on, the features and the
///                        class from 0 on, each behind one tab
///   conxuntos.dat        two lines of row indices from 0 on, separated by blanks: training rows, other rows
///   conxuntos_kfold.dat  eight such lines, for four folds
/// Each two lines of indices hold every row of the first data file once. Line ends may be LF or CR LF; blank lines at a
/// file's end do not count. Throws InputError, naming the file and the line, on anything else.
UciDataset uci_dataset(const std::filesystem::path& folder);

/// How large the data of a set are.
struct UciSize {
  Index rows = 0;  ///< of the first data file
  Index features = 0;
  Index classes = 0;
};

/// The size that NAME.txt in the folder NAME tells; no other file is read. Throws InputError, naming the file and the
/// line, on entries that are missing or out of range.
UciSize uci_size(const std::filesystem::path& folder);

/// The files of the set in the folder NAME that `uci_dataset` reads. Throws InputError, naming the file and the line,
/// where NAME.txt does not tell them; whether the others are there is not looked at.
std::vector<std::filesystem::path> uci_files(const std::filesystem::path& folder);

/// The names of the data sets in a collection, the folders NAME in it that hold NAME.txt, in byte order. Throws
/// InputError, naming it, when `collection` is no folder that can be read.
std::vector<std::string> uci_names(const std::filesystem::path& collection);

}  // namespace normalign

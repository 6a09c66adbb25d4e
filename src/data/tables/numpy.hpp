// Reader of the files that NumPy writes: .npy with one array, .npz with several.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// One array of a file, as rows: its first dimension counts them, and the other dimensions lie one behind the other in
/// a row, the last of them fastest, whichever order the file has. A single value is one row of one, and an array of one
/// dimension has rows of one.
struct NumpyArray {
  std::string name = {};                ///< in an archive, without ".npy"; empty in a file of one array
  std::vector<Index> shape = {};        ///< as in the file; empty for a single value
  Matrix<double> numbers = {};          ///< n x d, where it holds numbers or booleans (0 and 1)
  std::vector<std::string> texts = {};  ///< n d texts in UTF-8, row by row, where it holds texts; numbers is empty then

  /// n, the number of rows, and d, that of the columns: the product of all dimensions but the first.
  Index rows() const;
  Index cols() const;
};

/// All arrays of a .npy or .npz file, which is told by its content, whatever its name; those of an archive in its
/// order. Read are booleans, integers of 1 to 8 bytes, floating-point numbers of 2, 4 and 8 bytes, each as the same
/// number in double precision, and texts of NumPy's types U and S without the zeros that fill them up; little- and
/// big-endian, in C and in Fortran order. Infinities and NaN are values. Archives may be stored or compressed
/// (`np.savez`, `np.savez_compressed`); folders in them are passed over. The file is read piece by piece into the
/// values, so memory is that of the result, and none is taken on the word of a header alone.
///
/// Throws InputError naming the file and, in an archive, the array: on a file that cannot be read, is no regular file,
/// is cut short or damaged (archives have checksums; bytes behind the data are refused as well); on a member of an
/// archive that is no .npy file, and two of one name; on an integer that a double does not hold exactly, with its
/// place; on a text that is not UTF-8 or UTF-32; on arrays of Python objects (a pickle, which could run code), of
/// fields, of complex numbers, dates, and other types, with what to save instead; on more than the memory that there
/// is. Source: numpy.lib.format, versions 1.0, 2.0 and 3.0.
std::vector<NumpyArray> numpy_arrays(const std::filesystem::path& path);

/// The names of the arrays of such a file, as `numpy_arrays` has them, with no array read. Throws InputError, naming
/// the file, where it cannot be read, is of neither kind, or the list in it is damaged.
std::vector<std::string> numpy_names(const std::filesystem::path& path);

/// Whether a file begins as .npy files or ZIP archives do, whatever its name. Returns false where it cannot be read or
/// is no regular file.
bool is_numpy_file(const std::filesystem::path& path);

}  // namespace normalign

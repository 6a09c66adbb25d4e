// Files of named arrays: those of NumPy, and safetensors.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/tables/numpy.hpp"

namespace normalign {

/// Whether a file begins as .npy, .npz or safetensors files do, whatever its name. Returns false where it cannot be
/// read or is no regular file.
bool is_array_file(const std::filesystem::path& path);

/// All arrays of such a file: those of NumPy as `numpy_arrays` has them; those of safetensors alike, in the byte order
/// of their names, with all but the first two dimensions laid one behind the other in their shapes. Throws InputError
/// as the two readers do.
std::vector<NumpyArray> arrays_in(const std::filesystem::path& path);

/// Their names in the same order, with no array read; one that is empty of a .npy file. Throws as `arrays_in` does
/// where the file has no such list.
std::vector<std::string> array_names(const std::filesystem::path& path);

}  // namespace normalign

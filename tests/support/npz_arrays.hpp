// Arrays of an archive by name, as our reader has them.
#pragma once

#include <map>

#include "data/tables/numpy.hpp"

namespace normalign::tests {

/// The arrays of a file by name.
inline std::map<std::string, NumpyArray> npz_arrays(const std::filesystem::path& path) {
  std::map<std::string, NumpyArray> result;
  for (NumpyArray& array : numpy_arrays(path)) {
    const std::string name = array.name;
    result.emplace(name, std::move(array));
  }
  return result;
}

/// Whether two arrays have the same shape and values, NaN being equal to NaN.
inline bool are_same(const NumpyArray& a, const NumpyArray& b) {
  const auto is_same_number = [](double x, double y) { return x == y || (x != x && y != y); };
  return a.shape == b.shape && a.texts == b.texts &&
         std::equal(a.numbers.span().begin(), a.numbers.span().end(), b.numbers.span().begin(), b.numbers.span().end(),
                    is_same_number);
}

}  // namespace normalign::tests

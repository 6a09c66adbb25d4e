// The header of a .npy file, before its values are read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/tables/zip.hpp"
#include "linalg/matrix.hpp"

namespace normalign::detail {

/// What a .npy file begins with.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// The type of the values of an array.
struct NpyType {
  std::string descr = {};     ///< as the file has it, such as '<f8'
  char kind = '\0';           ///< f of '<f8'; zero where the type has no such form
  bool is_swapped = false;    ///< big-endian
  std::size_t item_size = 0;  ///< bytes of a value; zero where the type tells none
};

/// What a header tells.
struct NpyHeader {
  NpyType type = {};
  bool is_fortran = false;        ///< the first index runs fastest, else the last
  std::vector<Index> shape = {};  ///< none negative; empty for a single value
};

/// Reads a header of version 1.0, 2.0 or 3.0, up to the first value. Throws InputError on another file, on one cut
/// short, on a header of more than 1 MiB or that is no dict of descr, fortran_order and shape, and on types with
/// fields.
NpyHeader read_npy_header(ZipMemberBytes& bytes);

/// The number of values of an array whose header has been read and whose type has an item size above zero. Throws
/// InputError unless these are exactly the bytes that are left.
std::uint64_t checked_count(const NpyHeader& header, const ZipMemberBytes& bytes);

}  // namespace normalign::detail

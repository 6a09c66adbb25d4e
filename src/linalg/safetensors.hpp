// The safetensors file format (https://github.com/huggingface/safetensors): an 8-byte little-endian header
// length, a JSON header, then the raw values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// One tensor of a file: its values, in double where they are stored as F64, integers or booleans (0 and 1) and else in
/// float, which holds every value of F32, F16 and BF16; and whether it was stored with one dimension (then the matrix
/// is 1 x d). Of more than two dimensions the first counts the rows, in which the others lie one behind the other.
struct Tensor {
  std::variant<Matrix<float>, Matrix<double>> values;
  bool is_vector = false;
};

/// The contents of one file: tensors by name, and the free text pairs of its `__metadata__`.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Which tensors a file may hold.
enum class TensorKinds {
  of_networks,  ///< of one or two dimensions, of type F64, F32, F16 or BF16
  of_tables     ///< of one dimension or more, also of type I8 to I64, U8 to U64 and BOOL
};

/// Reads a file. Tensors of the `accepted` kinds are accepted; a dimension may be 0.
/// Throws InputError naming the file and the tensor, what was found and what was expected, on: a missing or
/// truncated file, a header that is longer than 100 MB, not a JSON object or refused by `parsed_json`,
/// offsets that overlap, leave gaps or trailing bytes, run out of the data or disagree with the shape,
/// another dtype or rank (then with the names of the file's tensors), an integer that a double does not hold exactly, a
/// BOOL that is neither 0 nor 1. A file that torch.save wrote (a ZIP archive or a
/// pickle, or one named .pt, .pth or .ckpt that is no safetensors file) is refused with how to save it. Never reads out
/// of bounds, whatever the file holds. Unknown keys of a tensor are ignored.
TensorFile read_safetensors(const std::filesystem::path& path, TensorKinds accepted = TensorKinds::of_networks);

/// The names of the tensors of a file, in byte order. Its header is read, and no tensor looked at. Throws InputError as
/// `read_safetensors` does on a file without such a header.
std::vector<std::string> tensor_names(const std::filesystem::path& path);

/// Whether a file begins as safetensors files do, whatever its name: with a header's length that the file has room for,
/// and '{'. Returns false where it cannot be read or is no regular file.
bool is_safetensors_file(const std::filesystem::path& path);

/// Writes a file under a temporary name in the same folder and renames it, so that a reader sees the old file
/// or the new one and a failure leaves the old one alone. Doubles come before floats (so that all are
/// aligned), each in the order of their names; spaces fill the header up to a multiple of 8 bytes. Throws
/// InputError naming the file when that fails (StorageError for want of space), on a tensor named `__metadata__`, on a
/// vector whose matrix has not one row, and on names or texts that are not UTF-8.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// The tensor's values as T (float or double), rounded where it is stored in the other type.
template <class T>
Matrix<T> values_as(const Tensor& tensor);

}  // namespace normalign

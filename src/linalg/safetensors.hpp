// The safetensors file format (https://github.com/huggingface/safetensors): an 8-byte little-endian header
// length, a JSON header, then the raw values.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <variant>

#include "linalg/matrix.hpp"

namespace normalign {

/// One tensor of a file: its values, in double where they are stored as F64 and else in float, which holds every value
/// of F32, F16 and BF16; and whether it was stored with one dimension (then the matrix is 1 x d).
struct Tensor {
  std::variant<Matrix<float>, Matrix<double>> values;
  bool is_vector = false;
};

/// The contents of one file: tensors by name, and the free text pairs of its `__metadata__`.
struct TensorFile {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a file. Tensors of one or two dimensions of type F64, F32, F16 or BF16 are accepted; a dimension may be 0.
/// Throws InputError naming the file and the tensor, what was found and what was expected, on: a missing or
/// truncated file, a header that is longer than 100 MB, not a JSON object or refused by `parsed_json`,
/// offsets that overlap, leave gaps or trailing bytes, run out of the data or disagree with the shape,
/// another dtype or rank (then with the names of the file's tensors). A file that torch.save wrote (a ZIP archive or a
/// pickle, or one named .pt, .pth or .ckpt that is no safetensors file) is refused with how to save it. Never reads out
/// of bounds, whatever the file holds. Unknown keys of a tensor are ignored.
TensorFile read_safetensors(const std::filesystem::path& path);

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

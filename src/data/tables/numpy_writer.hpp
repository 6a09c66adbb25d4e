// Writer of NumPy archives, .npz files: arrays by name, which np.load reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/atomic_file.hpp"
#include "linalg/matrix.hpp"

namespace normalign {

/// A .npz file that is written array by array, each as soon as it is added. It has its name after `finish`; without
/// that it is gone at the end of the scope, and what was there before stays. Arrays are in C order, stored uncompressed
/// as by `np.savez`, with checksums, of any size (ZIP64). The same arrays make the same bytes.
///
/// A name is any text but "" and may have slashes: `np.load(file)["a/b"]`. A shape has the extents of all dimensions,
/// none negative, and is empty for a single value. Every function throws InputError naming the file when it cannot be
/// written (StorageError for want of space), and `add` on a name that is empty or was there before, on a negative
/// extent and on a number of values that is not the shape's.
class NpzWriter {
 public:
  /// Begins the file; the folder must exist. Throws InputError also where `path` is not one that `is_replaceable`
  /// takes, such as a folder, a pipe or a device.
  explicit NpzWriter(std::filesystem::path path);

  /// Adds an array of double, std::int32_t, std::int64_t (NumPy's float64, int32, int64), or std::uint8_t, which are
  /// booleans, 0 and 1.
  template <class T>
  void add(const std::string& name, const std::vector<Index>& shape, std::span<const T> values);
  /// Adds texts, in UTF-8 (NumPy's type U, as wide as the longest). Bytes that are none become U+FFFD. Zeros at the end
  /// of a text are lost, as NumPy fills shorter texts up by them.
  void add(const std::string& name, const std::vector<Index>& shape, std::span<const std::string> values);

  /// Writes rows `first`, `first` + 1, ... of an array of float64 into `rows`; a row is all values of one index of the
  /// first dimension.
  using FillRows = std::function<void(Index first, MatrixView<double> rows)>;
  /// Adds an array of float64 that need not be in memory: `fill` is called for blocks of rows, in their order, of 32 MB
  /// at most unless one row is larger.
  void add_rows(const std::string& name, const std::vector<Index>& shape, const FillRows& fill);

  /// Completes the file and gives it its name. Nothing may be added after that.
  void finish();

 private:
  struct Member {
    std::string name;
    std::uint64_t begin = 0;  // of its header in the file
    std::uint64_t size = 0;   // of its data
    std::uint32_t crc = 0;
  };
  void begin(const std::string& name, const std::string& type, const std::vector<Index>& shape, std::uint64_t size);
  void append(std::string_view data);
  void end();
  void write(std::string_view bytes);
  void must(bool succeeded) const;

  std::filesystem::path path_;
  AtomicFile file_;
  std::uint64_t size_ = 0;  // of the file so far
  std::vector<Member> members_;
};

}  // namespace normalign

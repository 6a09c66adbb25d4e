#include "data/tables/numpy.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "base/exact_double.hpp"
#include "base/memory.hpp"
#include "base/utf8.hpp"
#include "data/tables/numpy_header.hpp"

namespace normalign {
namespace {

static_assert(std::endian::native == std::endian::little, "values are read as they lie in memory");

namespace fs = std::filesystem;
using detail::npy_magic;
using detail::NpyHeader;
using detail::NpyType;

// Where the values of the file belong in C order, one after the other.
class Places {
 public:
  Places(const NpyHeader& header, Index count) {
    if (!header.is_fortran) {
      axes_ = {{.extent = count, .stride = 1}};
      return;
    }
    Index stride = count;
    for (const Index extent : header.shape) {
      stride /= std::max<Index>(extent, 1);
      axes_.push_back({.extent = extent, .stride = stride});
    }
  }

  std::size_t next() {
    const Index place = place_;
    for (Axis& axis : axes_) {
      place_ += axis.stride;
      if (++axis.at < axis.extent) break;
      place_ -= axis.stride * axis.extent;
      axis.at = 0;
    }
    return static_cast<std::size_t>(place);
  }

 private:
  struct Axis {
    Index extent = 0;
    Index stride = 0;
    Index at = 0;
  };
  std::vector<Axis> axes_;  // the one that runs fastest in the file first
  Index place_ = 0;
};

// Where a value stands, as Python has it: "[3, 4]".
std::string index_text(std::size_t place, const std::vector<Index>& shape) {
  std::vector<std::size_t> index(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    const auto extent = static_cast<std::size_t>(shape[axis]);
    index[axis] = place % extent;
    place /= extent;
  }
  return "[" + joined(index, ", ", [](std::size_t i) { return std::to_string(i); }) + "]";
}

// Calls `take(item, place)` with the bytes of each value and its place in C order.
template <class Take>
void each_item(ZipMemberBytes& bytes, const NpyHeader& header, const Take& take) {
  constexpr std::size_t piece_size = 1 << 20;
  const std::size_t item_size = header.type.item_size, most = std::max<std::size_t>(1, piece_size / item_size);
  std::uint64_t left = bytes.left() / item_size;
  Places places(header, static_cast<Index>(left));
  for (std::vector<char> piece; left > 0; left -= piece.size() / item_size) {
    piece.resize(std::min<std::uint64_t>(most, left) * item_size);
    bytes.read(piece);
    for (std::size_t at = 0; at < piece.size(); at += item_size) take(piece.data() + at, places.next());
  }
}

// The value that lies there; it need not be aligned.
template <class T>
T stored(const char* item, bool is_swapped) {
  std::array<char, sizeof(T)> bytes;
  if (is_swapped)
    std::reverse_copy(item, item + sizeof(T), bytes.begin());
  else
    std::copy(item, item + sizeof(T), bytes.begin());
  return std::bit_cast<T>(bytes);
}

// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
struct Half {
  std::uint16_t bits;
};
// One byte, true where it is not 0.
struct Truth {
  std::uint8_t byte;
};

double as_double(Half half) {
  const std::uint64_t exponent = half.bits >> 10 & 31U, fraction = half.bits & 0x3FFU;
  double magnitude = 0;
  if (exponent == 31)  // infinite, or NaN with this fraction
    magnitude = std::bit_cast<double>(std::uint64_t{0x7FF} << 52 | fraction << 42);
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<double>(fraction), -24);
  else
    magnitude = std::ldexp(static_cast<double>(fraction + 1024), static_cast<int>(exponent) - 25);
  return half.bits >> 15 ? -magnitude : magnitude;
}
double as_double(Truth truth) { return truth.byte != 0 ? 1 : 0; }
template <class T>
double as_double(T value) {
  return static_cast<double>(value);
}

template <class T>
void read_numbers(ZipMemberBytes& bytes, const NpyHeader& header, std::span<double> numbers) {
  each_item(bytes, header, [&](const char* item, std::size_t place) {
    const T value = stored<T>(item, header.type.is_swapped);
    if constexpr (sizeof(T) == 8 && std::is_integral_v<T>)  // the others are held all
      if (!is_exact_double(value))
        throw InputError(text("found ", value, " at ", index_text(place, header.shape),
                              ", expected a number that double precision holds exactly"));
    numbers[place] = as_double(value);
  });
}

using ReadNumbers = void (*)(ZipMemberBytes& bytes, const NpyHeader& header, std::span<double> numbers);

// How numbers of a type are read; null where it is no type of numbers, or of numbers that are not read.
ReadNumbers reader_of(const NpyType& type) {
  struct Reader {
    char kind;
    std::size_t size;
    ReadNumbers read;
  };
  constexpr Reader readers[] = {
      {'b', 1, read_numbers<Truth>},         {'i', 1, read_numbers<std::int8_t>},
      {'i', 2, read_numbers<std::int16_t>},  {'i', 4, read_numbers<std::int32_t>},
      {'i', 8, read_numbers<std::int64_t>},  {'u', 1, read_numbers<std::uint8_t>},
      {'u', 2, read_numbers<std::uint16_t>}, {'u', 4, read_numbers<std::uint32_t>},
      {'u', 8, read_numbers<std::uint64_t>}, {'f', 2, read_numbers<Half>},
      {'f', 4, read_numbers<float>},         {'f', 8, read_numbers<double>},
  };
  for (const Reader& reader : readers)
    if (reader.kind == type.kind && reader.size == type.item_size) return reader.read;
  return nullptr;
}

// Of S, bytes; of U, numbers of characters, four bytes each. Zeros fill both up. None where they are no UTF-8 or
// Unicode.
std::optional<std::string> text_of(std::string_view item, const NpyType& type) {
  if (type.kind == 'S') {
    item = item.substr(0, item.find_last_not_of('\0') + 1);
    return is_utf8(item) ? std::optional<std::string>(item) : std::nullopt;
  }
  std::string result;
  std::size_t end = 0;  // behind the last character that is not zero
  for (std::size_t at = 0; at < item.size(); at += 4) {
    const std::optional<std::string> character = utf8_of(stored<std::uint32_t>(item.data() + at, type.is_swapped));
    if (!character) return std::nullopt;
    result += *character;
    if (*character != std::string_view("\0", 1)) end = result.size();
  }
  result.resize(end);
  return result;
}

void read_texts(ZipMemberBytes& bytes, const NpyHeader& header, std::vector<std::string>& texts) {
  each_item(bytes, header, [&](const char* item, std::size_t place) {
    std::optional<std::string> found = text_of({item, header.type.item_size}, header.type);
    if (!found)
      throw InputError(text(
          "found a text at ", index_text(place, header.shape), " that is not ",
          header.type.kind == 'U' ? "Unicode, expected characters" : "UTF-8; save np.char.decode(array, 'latin-1')"));
    texts[place] = std::move(*found);
  });
}

// Says what to save instead of values that are not read.
[[noreturn]] void refuse_type(const NpyType& type) {
  struct Advice {
    char kind;
    const char* found;
    const char* instead;
  };
  constexpr Advice advices[] = {
      {'O', "Python objects (a pickle)", "np.save(file, table.to_numpy(float)), or texts as array.astype(str)"},
      {'c', "complex numbers", "np.save(file, np.stack([array.real, array.imag], axis=-1))"},
      {'M', "dates", "np.save(file, array.astype('datetime64[s]').astype(float))"},
      {'m', "time differences", "np.save(file, array / np.timedelta64(1, 's'))"},
      {'f', "floating-point numbers of another size", "np.save(file, array.astype(float))"},
      {'V', "raw bytes", "np.save(file, array.astype(float))"},
  };
  const std::string descr = "'" + one_line(type.descr) + "'";
  for (const auto& [kind, found, instead] : advices)
    if (kind == type.kind)
      throw InputError(text("found ", found, ", type ", descr, ", expected numbers or texts; save ", instead));
  throw InputError(text("found type ", descr, ", expected numbers or texts, such as '<f8', '|i1' or '<U7'"));
}

NumpyArray read_array(std::istream& file, const ZipMember& member) {
  ZipMemberBytes bytes(file, member);
  const NpyHeader header = detail::read_npy_header(bytes);
  const NpyType& type = header.type;
  const ReadNumbers read = reader_of(type);
  const bool is_text = (type.kind == 'U' || type.kind == 'S') && type.item_size > 0;
  if (!read && !is_text) refuse_type(type);
  const std::uint64_t count = detail::checked_count(header, bytes);
  NumpyArray array{.shape = header.shape};
  if (is_text) {
    require_memory(static_cast<double>(count) * static_cast<double>(sizeof(std::string) + type.item_size), "its texts");
    array.texts.resize(count);
    read_texts(bytes, header, array.texts);
  } else {
    require_memory(static_cast<double>(count) * static_cast<double>(sizeof(double)), "its numbers");
    LargeVector<double> numbers(count);
    read(bytes, header, numbers);
    array.numbers = Matrix<double>(array.rows(), array.cols(), std::move(numbers));
  }
  return array;
}

// The name of the array in a member of an archive.
std::string name_of(const ZipMember& member) {
  constexpr std::string_view ending = ".npy";
  if (!member.name.ends_with(ending) || !is_utf8(member.name))
    throw InputError(text("member \"", one_line(member.name), "\": expected arrays alone, which are called NAME.npy"));
  return member.name.substr(0, member.name.size() - ending.size());
}

std::vector<NumpyArray> archived_arrays(std::istream& file) {
  std::vector<NumpyArray> arrays;
  for (const ZipMember& member : zip_members(file)) {
    const std::string name = name_of(member);
    within(text("array \"", one_line(name), "\": "), [&] { arrays.push_back(read_array(file, member)); });
    arrays.back().name = name;
  }
  return arrays;
}

// The first bytes of a file.
std::string beginning(std::istream& file) {
  std::string bytes(npy_magic.size(), '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  file.clear();
  return bytes;
}

// Of an archive's first member, or of one without members.
bool begins_zip(std::string_view bytes) { return bytes.starts_with("PK\3\4") || bytes.starts_with("PK\5\6"); }

// Opens the file, in front of its first byte, and says whether it is an archive.
bool open_archive(const fs::path& path, std::ifstream& file) {
  std::error_code error;
  // A folder can be opened, and a pipe without a writer would block.
  if (const fs::file_status status = fs::status(path, error); !fs::is_regular_file(status))
    throw InputError(text(error ? error.message() : "found no regular file, expected one"));
  file.open(path, std::ios::binary);
  if (!file) throw InputError(text("cannot open for reading: ", std::generic_category().message(errno)));
  const std::string begin = beginning(file);
  if (begins_zip(begin)) return true;
  if (begin != npy_magic)
    throw InputError(
        text("found \"", one_line(begin), "\" at its beginning, expected \"?NUMPY\" (.npy) or \"PK\" (.npz)"));
  return false;
}

}  // namespace

Index NumpyArray::rows() const { return shape.empty() ? 1 : shape[0]; }

Index NumpyArray::cols() const {
  Index count = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) count *= shape[axis];
  return count;
}

std::vector<NumpyArray> numpy_arrays(const fs::path& path) {
  return within(path.string() + ": ", [&]() -> std::vector<NumpyArray> {
    std::ifstream file;
    if (open_archive(path, file)) return archived_arrays(file);
    std::error_code error;
    const std::uint64_t size = fs::file_size(path, error);
    if (error) throw InputError(text("cannot tell its size: ", error.message()));
    std::vector<NumpyArray> arrays;
    arrays.push_back(read_array(file, {.stored_size = size, .size = size}));
    return arrays;
  });
}

std::vector<std::string> numpy_names(const fs::path& path) {
  return within(path.string() + ": ", [&] {
    std::ifstream file;
    if (!open_archive(path, file)) return std::vector<std::string>(1);
    std::vector<std::string> names;
    for (const ZipMember& member : zip_members(file)) names.push_back(name_of(member));
    return names;
  });
}

bool is_numpy_file(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  const std::string begin = beginning(file);
  return begin == npy_magic || begins_zip(begin);
}

}  // namespace normalign

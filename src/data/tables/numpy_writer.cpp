#include "data/tables/numpy_writer.hpp"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "base/utf8.hpp"
#include "data/tables/numpy_header.hpp"

namespace normalign {
namespace {

static_assert(std::endian::native == std::endian::little, "values are written as they lie in memory");

// The lowest bytes of a number, the lowest first.
template <std::size_t size>
std::string little(std::uint64_t number) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(number & 0xFF);
    number >>= 8;
  }
  return bytes;
}

constexpr std::uint64_t full = 0xFFFF'FFFF;    // the number stands in a ZIP64 field
constexpr std::uint64_t crc_place = 14;        // in the header of a member
constexpr std::uint64_t zip64_version = 45;    // that a reader must know
constexpr std::uint64_t first_of_1980 = 0x21;  // the first date there is: archives of the same arrays are the same

// What both headers of a member have in common, from the version to the length of the name.
std::string common_fields(std::uint64_t crc, std::size_t name_size) {
  constexpr std::uint64_t names_are_utf8 = 1 << 11, stored = 0;
  return little<2>(zip64_version) + little<2>(names_are_utf8) + little<2>(stored) + little<2>(0) +
         little<2>(first_of_1980) + little<4>(crc) + little<4>(full) + little<4>(full) + little<2>(name_size);
}

// A ZIP64 field of these numbers.
std::string zip64_field(std::initializer_list<std::uint64_t> numbers) {
  std::string field = little<2>(1) + little<2>(8 * numbers.size());
  for (const std::uint64_t number : numbers) field += little<8>(number);
  return field;
}

// "(3, 4)", "(3,)" and "()", as Python has it.
std::string shape_text(const std::vector<Index>& shape) {
  return "(" + joined(shape, ", ", [](Index extent) { return std::to_string(extent); }) +
         (shape.size() == 1 ? ",)" : ")");
}

// The beginning of a .npy file of version 1.0.
std::string npy_head(const std::string& type, const std::vector<Index>& shape) {
  constexpr std::size_t length_size = 2, alignment = 64;
  std::string head(detail::npy_magic);
  head += std::string("\1\0", 2);
  std::string dictionary = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape_text(shape) + ", }";
  while ((head.size() + length_size + dictionary.size() + 1) % alignment != 0) dictionary += ' ';
  dictionary += '\n';
  if (dictionary.size() > 0xFFFF) throw InputError(text("found ", shape.size(), " dimensions, expected fewer"));
  return head + little<2>(dictionary.size()) + dictionary;
}

// The product of the extents.
std::uint64_t values_in(const std::vector<Index>& shape) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
  std::uint64_t count = 1;
  for (const Index extent : shape) {
    if (extent < 0) throw InputError(text("found shape ", shape_text(shape), ", expected no negative extent"));
    const auto factor = static_cast<std::uint64_t>(extent);
    if (factor != 0 && count > most / factor)
      throw InputError(text("found shape ", shape_text(shape), ", expected at most ", most, " values"));
    count *= factor;
  }
  return count;
}

void check_count(const std::vector<Index>& shape, std::size_t found) {
  if (const std::uint64_t expected = values_in(shape); found != expected)
    throw InputError(text("found ", found, " values, expected ", expected, " of shape ", shape_text(shape)));
}

template <class T>
constexpr const char* type_of = nullptr;
template <>
constexpr const char* type_of<double> = "<f8";
template <>
constexpr const char* type_of<std::int32_t> = "<i4";
template <>
constexpr const char* type_of<std::int64_t> = "<i8";
template <>
constexpr const char* type_of<std::uint8_t> = "|b1";

template <class T>
std::string_view bytes_in(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

NpzWriter::NpzWriter(std::filesystem::path path)
    : path_([&] {
        if (!is_replaceable(path))
          throw InputError(text(path.string(), ": found a folder, a pipe or a device, expected a regular file"));
        return std::move(path);
      }()),
      file_(path_) {
  must(file_.is_open());
}

void NpzWriter::must(bool succeeded) const {
  if (!succeeded)
    throw_unwritable<InputError>(errno, text(path_.string(), ": cannot be written: ", std::strerror(errno)));
}

void NpzWriter::write(std::string_view bytes) {
  must(file_.write(bytes));
  size_ += bytes.size();
}

void NpzWriter::begin(const std::string& name, const std::string& type, const std::vector<Index>& shape,
                      std::uint64_t size) {
  const std::string member = name + ".npy", head = npy_head(type, shape);
  if (name.empty() || member.size() > 0xFFFF)
    throw InputError(text("array: found a name of ", name.size(), " bytes, expected 1 to ", 0xFFFF - 4));
  if (std::ranges::any_of(members_, [&](const Member& other) { return other.name == member; }))
    throw InputError(text(one_line(name), ": found a second array of that name, expected one"));
  const std::uint64_t whole = head.size() + size;
  members_.push_back({.name = member, .begin = size_, .size = whole});
  const std::string extra = zip64_field({whole, whole});
  write("PK\3\4" + common_fields(0, member.size()) + little<2>(extra.size()) + member + extra);
  append(head);
}

void NpzWriter::append(std::string_view data) {
  if (data.empty()) return;  // zlib would begin the checksum anew
  Member& member = members_.back();
  member.crc =
      static_cast<std::uint32_t>(::crc32_z(member.crc, reinterpret_cast<const Bytef*>(data.data()), data.size()));
  write(data);
}

void NpzWriter::end() {
  const Member& member = members_.back();
  must(file_.rewrite(member.begin + crc_place, little<4>(member.crc)));
}

template <class T>
void NpzWriter::add(const std::string& name, const std::vector<Index>& shape, std::span<const T> values) {
  within(one_line(name) + ": ", [&] { check_count(shape, values.size()); });
  begin(name, type_of<T>, shape, values.size_bytes());
  append(bytes_in(values));
  end();
}

void NpzWriter::add(const std::string& name, const std::vector<Index>& shape, std::span<const std::string> values) {
  within(one_line(name) + ": ", [&] { check_count(shape, values.size()); });
  std::size_t width = 1;
  for (const std::string& value : values) width = std::max(width, utf32_of(value).size());
  begin(name, text("<U", width), shape, values.size() * width * sizeof(char32_t));
  for (const std::string& value : values) {
    std::u32string characters = utf32_of(value);
    characters.resize(width, U'\0');
    append(bytes_in(std::span<const char32_t>(characters)));
  }
  end();
}

void NpzWriter::add_rows(const std::string& name, const std::vector<Index>& shape, const FillRows& fill) {
  constexpr std::uint64_t block_bytes = 1 << 25;
  const std::uint64_t count = within(one_line(name) + ": ", [&] {
    if (shape.empty()) throw InputError("found shape (), expected a dimension that counts rows");
    return values_in(shape);
  });
  const Index n = shape.front(), width = n > 0 ? static_cast<Index>(count) / n : 0;
  begin(name, type_of<double>, shape, count * sizeof(double));
  const Index most = std::max<Index>(1, static_cast<Index>(block_bytes / sizeof(double)) / std::max<Index>(width, 1));
  Matrix<double> block;
  for (Index first = 0; width > 0 && first < n; first += block.rows()) {
    block.resize(std::min(most, n - first), width);
    fill(first, block);
    append(bytes_in(std::as_const(block).span()));
  }
  end();
}

void NpzWriter::finish() {
  const std::uint64_t directory = size_;
  for (const Member& member : members_) {
    const std::string extra = zip64_field({member.size, member.size, member.begin});
    write("PK\1\2" + little<2>(zip64_version) + common_fields(member.crc, member.name.size()) +
          little<2>(extra.size()) + little<2>(0) + little<2>(0) + little<2>(0) + little<4>(0) + little<4>(full) +
          member.name + extra);
  }
  const std::uint64_t end = size_, count = members_.size();
  constexpr std::uint64_t zip64_left = 44;  // bytes of the next record behind its first two fields
  write("PK\6\6" + little<8>(zip64_left) + little<2>(zip64_version) + little<2>(zip64_version) + little<4>(0) +
        little<4>(0) + little<8>(count) + little<8>(count) + little<8>(end - directory) + little<8>(directory));
  write("PK\6\7" + little<4>(0) + little<8>(end) + little<4>(1));
  write("PK\5\6" + little<2>(0) + little<2>(0) + little<2>(full) + little<2>(full) + little<4>(full) + little<4>(full) +
        little<2>(0));
  must(file_.finish());
}

#define NORMALIGN_INSTANTIATE(T) \
  template void NpzWriter::add(const std::string&, const std::vector<Index>&, std::span<const T>);
NORMALIGN_INSTANTIATE(double)
NORMALIGN_INSTANTIATE(std::int32_t)
NORMALIGN_INSTANTIATE(std::int64_t)
NORMALIGN_INSTANTIATE(std::uint8_t)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

// NumPy files and ZIP archives put together byte by byte.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "support/deflated.hpp"

namespace normalign::tests {

/// The lowest `size` bytes of a number, the lowest first.
inline std::string little_endian(std::uint64_t number, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(number >> 8 * i);
  return bytes;
}

/// The bytes of a value as it lies in memory, or in the other order.
template <class T>
std::string bytes_of(T value, bool is_swapped = false) {
  auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
  if (is_swapped) std::reverse(bytes.begin(), bytes.end());
  return {bytes.begin(), bytes.end()};
}

/// A .npy file with this header, which is filled up with spaces as NumPy does, and these bytes behind it.
inline std::string npy_bytes(std::string header, const std::string& data, int version = 1) {
  const std::size_t length_size = version == 1 ? 2 : 4;
  while ((8 + length_size + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return "\x93NUMPY" + little_endian(static_cast<std::uint64_t>(version), 2) +
         little_endian(header.size(), length_size) + header + data;
}

/// The header that NumPy writes for a type such as "<f8" and a shape such as "(3, 4)".
inline std::string npy_header(const std::string& type, const std::string& shape, bool is_fortran = false) {
  return "{'descr': '" + type + "', 'fortran_order': " + (is_fortran ? "True" : "False") + ", 'shape': " + shape +
         ", }";
}

/// One file of an archive, with what the archive says about it, be it true or not.
struct ZipPart {
  std::string name = {};
  std::string data = {};  ///< as they lie in the archive
  std::uint64_t method = 0;
  std::uint64_t size = 0;
  std::uint64_t crc = 0;
  std::uint64_t flags = 0;
  std::uint64_t disk = 0;
  std::uint64_t stored_size = data.size();
  bool is_zip64 = false;                       ///< its sizes stand in extra fields
  bool is_far = false;                         ///< and so does its place
  std::string other_extra = {};                ///< in front of them
  std::optional<std::string> local_name = {};  ///< in front of the data, where it is another
};

/// A part that is stored, or compressed by deflate.
inline ZipPart zip_part(const std::string& name, const std::string& bytes, bool is_deflated = false) {
  return {.name = name,
          .data = is_deflated ? deflated(bytes) : bytes,
          .method = is_deflated ? 8u : 0u,
          .size = bytes.size(),
          .crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size())};
}

/// How an archive ends.
struct ZipEnding {
  bool is_zip64 = false;  ///< with a second record of 64 bits
  bool is_full = true;    ///< then the fields of the first one are full, as they are where the numbers do not fit
  std::string comment = {};
  std::uint64_t disk = 0;
  std::optional<std::uint64_t> count = {};            ///< of parts, where another is written
  std::optional<std::uint64_t> count_here = {};       ///< of parts on this disk, where another is written
  std::optional<std::uint64_t> directory_begin = {};  ///< where another is written
};

/// An archive of the parts.
inline std::string zip_bytes(const std::vector<ZipPart>& parts, const ZipEnding& ending = {}) {
  constexpr std::uint64_t full = 0xFFFF'FFFF;
  std::string archive, directory;
  for (const ZipPart& part : parts) {
    const std::uint64_t begin = archive.size();
    const std::string common = little_endian(part.is_zip64 ? 45 : 20, 2) + little_endian(part.flags, 2) +
                               little_endian(part.method, 2) + little_endian(0, 4);
    const std::string numbers = little_endian(part.crc, 4) + little_endian(part.is_zip64 ? full : part.stored_size, 4) +
                                little_endian(part.is_zip64 ? full : part.size, 4);
    std::string extra = part.other_extra;
    std::string wide;
    if (part.is_zip64) wide += little_endian(part.size, 8) + little_endian(part.stored_size, 8);
    if (part.is_far) wide += little_endian(begin, 8);
    if (!wide.empty()) extra += little_endian(1, 2) + little_endian(wide.size(), 2) + wide;
    const std::string local_name = part.local_name.value_or(part.name);
    archive += "PK\3\4" + common + numbers + little_endian(local_name.size(), 2) + little_endian(extra.size(), 2) +
               local_name + extra + part.data;
    directory += "PK\1\2" + little_endian(45, 2) + common + numbers + little_endian(part.name.size(), 2) +
                 little_endian(extra.size(), 2) + little_endian(0, 2) + little_endian(part.disk, 2) +
                 little_endian(0, 6) + little_endian(part.is_far ? full : begin, 4) + part.name + extra;
  }
  const std::uint64_t begin = ending.directory_begin.value_or(archive.size());
  const std::uint64_t count = ending.count.value_or(parts.size()), count_here = ending.count_here.value_or(count);
  archive += directory;
  if (ending.is_zip64) {
    const std::uint64_t at = archive.size();
    archive += "PK\6\6" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
               little_endian(ending.disk, 4) + little_endian(ending.disk, 4) + little_endian(count_here, 8) +
               little_endian(count, 8) + little_endian(directory.size(), 8) + little_endian(begin, 8);
    archive += "PK\6\7" + little_endian(0, 4) + little_endian(at, 8) + little_endian(1, 4);
  }
  const auto field = [&](std::uint64_t number, std::size_t size) {
    return little_endian(ending.is_zip64 && ending.is_full ? full : number, size);
  };
  archive += "PK\5\6" + field(ending.disk, 2) + field(ending.disk, 2) + field(count_here, 2) + field(count, 2) +
             field(directory.size(), 4) + field(begin, 4) + little_endian(ending.comment.size(), 2) + ending.comment;
  return archive;
}

}  // namespace normalign::tests

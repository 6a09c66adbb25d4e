// Reader of ZIP archives, which NumPy's .npz files are: what is in one, and the bytes of a member.
#pragma once

#include <array>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct z_stream_s;

namespace normalign {

/// Where the bytes of one file lie in an archive, and what they must be.
struct ZipMember {
  std::string name = {};
  bool is_deflated = false;               ///< compressed by deflate; else stored as they are
  std::uint64_t begin = 0;                ///< of its data in the archive, in bytes
  std::uint64_t stored_size = 0;          ///< bytes in the archive
  std::uint64_t size = 0;                 ///< bytes when inflated
  std::optional<std::uint32_t> crc = {};  ///< CRC-32 of the inflated bytes; without one it is not compared
};

/// The members of an archive, in the order of its central directory, without those that are folders (their names end in
/// a slash). ZIP64 archives are read, and comments and data descriptors passed over. No two members share a name or
/// bytes of the file, none lies outside of it, and none claims a size that deflate cannot reach (1032 times the bytes
/// stored).
///
/// Throws InputError, which does not name the archive but does name the member, where that does not hold; on an
/// archive that is cut short, has bytes before or behind it, or spans several disks; on members that are encrypted or
/// compressed by another method than deflate. Source: APPNOTE.TXT 6.3.10 of PKWARE.
std::vector<ZipMember> zip_members(std::istream& archive);

/// The bytes of one member from its first to its last. While they are read, nothing else may move in the archive.
class ZipMemberBytes {
 public:
  /// Borrows the archive. The member is one of `zip_members(archive)` or another stored range of a file.
  ZipMemberBytes(std::istream& archive, const ZipMember& member);
  ~ZipMemberBytes();
  ZipMemberBytes(const ZipMemberBytes&) = delete;
  ZipMemberBytes& operator=(const ZipMemberBytes&) = delete;

  /// How many bytes have not been read yet.
  std::uint64_t left() const { return left_; }
  /// Fills `out`. Throws InputError, which names neither archive nor member, when fewer bytes are left, when the
  /// archive cannot be read, and when deflated data are damaged or shorter than the member's size; with the last byte
  /// also when they are longer, or when the checksum is another.
  void read(std::span<char> out);

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  void read_stored(std::span<char> out);
  std::size_t inflate_some(std::span<char> out);
  void inflate(std::span<char> out);
  void check_end();

  std::istream& archive_;
  ZipMember member_;
  std::uint64_t left_;
  std::uint64_t stored_left_;
  std::uint32_t crc_ = 0;
  bool has_ended_ = false;  // the deflated data have said so
  std::unique_ptr<z_stream_s, End> stream_;
  std::array<char, 1 << 16> input_;
};

}  // namespace normalign

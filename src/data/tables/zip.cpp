#include "data/tables/zip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "base/error.hpp"

namespace normalign {
namespace {

constexpr std::size_t end_size = 22, locator_size = 20, zip64_end_size = 56, local_size = 30;
constexpr std::uint64_t no_number16 = 0xFFFF, no_number32 = 0xFFFF'FFFF;  // the number stands in a ZIP64 field

// Little-endian numbers and texts, one after the other.
class ZipFields {
 public:
  // `what` names them for messages.
  ZipFields(std::string_view bytes, const char* what) : bytes_(bytes), what_(what) {}

  std::size_t left() const { return bytes_.size(); }
  std::string_view bytes(std::size_t count) {
    if (count > bytes_.size())
      throw InputError(text("found ", bytes_.size(), " bytes where ", what_, " goes on, expected ", count,
                            " (is the file damaged?)"));
    const std::string_view result = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return result;
  }
  std::uint64_t u16() { return number(2); }
  std::uint64_t u32() { return number(4); }
  std::uint64_t u64() { return number(8); }
  // The four bytes that such a record begins with.
  void signature(std::uint64_t expected) {
    if (const std::uint64_t found = u32(); found != expected)
      throw InputError(
          text("found signature ", found, " where ", what_, " begins, expected ", expected, " (is the file damaged?)"));
  }

 private:
  std::uint64_t number(std::size_t size) {
    const std::string_view digits = bytes(size);
    std::uint64_t result = 0;
    for (std::size_t i = size; i-- > 0;) result = result << 8 | static_cast<unsigned char>(digits[i]);
    return result;
  }

  std::string_view bytes_;
  const char* what_;
};

// An archive's bytes by their places.
class ZipBytes {
 public:
  explicit ZipBytes(std::istream& archive) : archive_(archive) {
    archive_.clear();
    archive_.seekg(0, std::ios::end);
    const auto end = archive_.tellg();
    if (!archive_ || end < 0) throw InputError("cannot tell its size");
    size_ = static_cast<std::uint64_t>(end);
  }

  std::uint64_t size() const { return size_; }
  std::string at(std::uint64_t begin, std::uint64_t count, const char* what) const {
    if (begin > size_ || count > size_ - begin)
      throw InputError(text("found ", size_, " bytes, expected ", what, " of ", count, " bytes at byte ", begin,
                            " (is the file truncated?)"));
    std::string bytes(count, '\0');
    archive_.clear();
    archive_.seekg(static_cast<std::streamoff>(begin));
    archive_.read(bytes.data(), static_cast<std::streamsize>(count));
    if (!archive_) throw InputError(text("reading ", what, " failed"));
    return bytes;
  }

 private:
  std::istream& archive_;
  std::uint64_t size_ = 0;
};

// The central directory, which lists the members.
struct ZipDirectory {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t count = 0;  // of members
};

// Where the record at the end of the archive begins. A comment of up to 65535 bytes follows it.
std::uint64_t end_of_directory(const ZipBytes& archive) {
  const std::uint64_t tail_size = std::min<std::uint64_t>(archive.size(), end_size + 0xFFFF);
  const std::string tail = archive.at(archive.size() - tail_size, tail_size, "a tail");
  for (std::size_t at = tail.size() < end_size ? 0 : tail.size() - end_size + 1; at-- > 0;) {
    if (!std::string_view(tail).substr(at).starts_with("PK\5\6")) continue;
    const std::size_t comment =
        static_cast<unsigned char>(tail[at + 20]) + 256u * static_cast<unsigned char>(tail[at + 21]);
    if (at + end_size + comment == tail.size()) return archive.size() - tail_size + at;
  }
  throw InputError("found no end of a ZIP archive, expected one (is the file truncated?)");
}

// What the record at byte `end` says about the directory in front of it; both forms have the same fields.
ZipDirectory checked_directory(ZipFields& fields, bool is_zip64, std::uint64_t end) {
  const std::uint64_t disk = is_zip64 ? fields.u32() : fields.u16();
  const std::uint64_t directory_disk = is_zip64 ? fields.u32() : fields.u16();
  const std::uint64_t count_here = is_zip64 ? fields.u64() : fields.u16();
  const std::uint64_t count = is_zip64 ? fields.u64() : fields.u16();
  const std::uint64_t size = is_zip64 ? fields.u64() : fields.u32();
  const std::uint64_t begin = is_zip64 ? fields.u64() : fields.u32();
  if (disk != 0 || directory_disk != 0 || count_here != count)
    throw InputError("found one of several disks, expected an archive in one file");
  if (begin > end || size != end - begin)
    throw InputError(text("found a directory of ", size, " bytes at byte ", begin, ", expected it to end at byte ", end,
                          " (is the file damaged, or are there bytes before the archive?)"));
  return {.begin = begin, .end = end, .count = count};
}

ZipDirectory directory_of(const ZipBytes& archive) {
  const std::uint64_t end = end_of_directory(archive);
  // A ZIP64 archive has a second record with wider fields. In front of the first one stands where it begins.
  if (end >= locator_size) {
    const std::string bytes = archive.at(end - locator_size, locator_size, "a ZIP64 locator");
    if (bytes.starts_with("PK\6\7")) {
      ZipFields locator(std::string_view(bytes).substr(8), "the ZIP64 locator");
      const std::uint64_t zip64_end = locator.u64();
      const std::string record = archive.at(zip64_end, zip64_end_size, "a ZIP64 end of the directory");
      ZipFields fields(record, "the ZIP64 end of the directory");
      fields.signature(0x06064b50);
      fields.bytes(12);  // its size, versions
      return checked_directory(fields, true, zip64_end);
    }
  }
  const std::string record = archive.at(end, end_size, "an end of the directory");
  ZipFields fields(record, "the end of the directory");
  fields.signature(0x06054b50);
  return checked_directory(fields, false, end);
}

// What the directory says about one member.
struct ZipEntry {
  ZipMember member = {};
  std::uint64_t flags = 0;
  std::uint64_t method = 0;
  std::uint64_t disk = 0;
  std::uint64_t local_begin = 0;  // of the header in front of the data
};

// Takes the numbers that did not fit from the extra fields: those that are full, in this order.
void take_zip64(std::string_view extra, ZipEntry& entry) {
  ZipFields fields(extra, "an extra field");
  while (fields.left() >= 4) {
    const std::uint64_t kind = fields.u16(), size = fields.u16();
    ZipFields values(fields.bytes(size), "a ZIP64 extra field");
    if (kind != 1) continue;
    for (std::uint64_t* number : {&entry.member.size, &entry.member.stored_size, &entry.local_begin})
      if (*number == no_number32) *number = values.u64();
    if (entry.disk == no_number16) entry.disk = values.u32();
    return;
  }
}

ZipEntry next_entry(ZipFields& fields) {
  ZipEntry entry;
  fields.signature(0x02014b50);
  fields.bytes(4);  // versions
  entry.flags = fields.u16();
  entry.method = fields.u16();
  fields.bytes(4);  // time and date
  entry.member.crc = static_cast<std::uint32_t>(fields.u32());
  entry.member.stored_size = fields.u32();
  entry.member.size = fields.u32();
  const std::uint64_t name_size = fields.u16(), extra_size = fields.u16(), comment_size = fields.u16();
  entry.disk = fields.u16();
  fields.bytes(6);  // attributes
  entry.local_begin = fields.u32();
  entry.member.name = fields.bytes(name_size);
  take_zip64(fields.bytes(extra_size), entry);
  fields.bytes(comment_size);
  return entry;
}

// The member, once its numbers agree with each other and with the header in front of its data.
ZipMember checked_member(const ZipBytes& archive, const ZipDirectory& directory, ZipEntry entry) {
  constexpr std::uint64_t encrypted = 1 | 1 << 6 | 1 << 13, stored = 0, deflated = 8, most_inflation = 1032;
  ZipMember member = std::move(entry.member);
  if (entry.flags & encrypted) throw InputError("found an encrypted file, expected one without encryption");
  if (entry.method != stored && entry.method != deflated)
    throw InputError(text("found compression method ", entry.method, ", expected 0 (stored) or 8 (deflated)"));
  if (entry.disk != 0) throw InputError(text("found disk ", entry.disk, ", expected an archive in one file"));
  member.is_deflated = entry.method == deflated;
  if (entry.local_begin > directory.begin || member.stored_size > directory.begin - entry.local_begin)
    throw InputError(text("found ", member.stored_size, " bytes at byte ", entry.local_begin,
                          ", expected them before the directory at byte ", directory.begin));
  const std::string header = archive.at(entry.local_begin, local_size, "a header");
  ZipFields fields(header, "its header");
  fields.signature(0x04034b50);
  fields.bytes(22);
  const std::uint64_t name_size = fields.u16(), extra_size = fields.u16();
  if (archive.at(entry.local_begin + local_size, name_size, "a name") != member.name)
    throw InputError("found another name in front of its data, expected the same as in the directory");
  member.begin = entry.local_begin + local_size + name_size + extra_size;
  if (member.begin > directory.begin || member.stored_size > directory.begin - member.begin)
    throw InputError(text("found ", member.stored_size, " bytes of data at byte ", member.begin,
                          ", expected them before the directory at byte ", directory.begin));
  if (!member.is_deflated && member.size != member.stored_size)
    throw InputError(text("found ", member.stored_size, " bytes stored, expected ", member.size, ", its size"));
  if (member.is_deflated && member.size > most_inflation * member.stored_size)
    throw InputError(
        text("found size ", member.size, ", expected at most 1032 times its ", member.stored_size, " deflated bytes"));
  return member;
}

// Members that share their bytes could ask for far more memory than the file's size.
void check_overlap(const std::vector<ZipMember>& members) {
  std::vector<const ZipMember*> by_place;
  for (const ZipMember& member : members) by_place.push_back(&member);
  std::sort(by_place.begin(), by_place.end(), [](const auto* a, const auto* b) { return a->begin < b->begin; });
  std::uint64_t end = 0;
  for (const ZipMember* member : by_place) {
    // In front of the data lies their header.
    if (member->begin < end + local_size)
      throw InputError(text("member \"", one_line(member->name),
                            "\": found its data among those of another, expected data of its own"));
    end = member->begin + member->stored_size;
  }
}

}  // namespace

std::vector<ZipMember> zip_members(std::istream& file) {
  const ZipBytes archive(file);
  const ZipDirectory directory = directory_of(archive);
  const std::string bytes = archive.at(directory.begin, directory.end - directory.begin, "a directory");
  ZipFields fields(bytes, "the directory");
  std::vector<ZipMember> members;
  std::set<std::string> names;
  std::uint64_t count = 0;
  for (; fields.left() > 0; ++count) {
    ZipEntry entry = next_entry(fields);
    const std::string& name = entry.member.name;
    if (name.ends_with('/')) continue;
    if (!names.insert(name).second)
      throw InputError(text("found two members \"", one_line(name), "\", expected different names"));
    within(text("member \"", one_line(name), "\": "),
           [&] { members.push_back(checked_member(archive, directory, entry)); });
  }
  if (count != directory.count)
    throw InputError(
        text("found ", count, " members in the directory, expected ", directory.count, " (is the file damaged?)"));
  check_overlap(members);
  return members;
}

void ZipMemberBytes::End::operator()(z_stream_s* stream) const {
  ::inflateEnd(stream);
  delete stream;
}

ZipMemberBytes::ZipMemberBytes(std::istream& archive, const ZipMember& member)
    : archive_(archive), member_(member), left_(member.size), stored_left_(member.stored_size) {
  archive_.clear();
  archive_.seekg(static_cast<std::streamoff>(member.begin));
  if (!member.is_deflated) return;
  auto stream = std::make_unique<z_stream>();
  constexpr int raw_window = -15;  // neither zlib's header nor gzip's
  if (::inflateInit2(stream.get(), raw_window) != Z_OK) throw RunError("zlib: inflateInit2 failed");
  stream_.reset(stream.release());
}

ZipMemberBytes::~ZipMemberBytes() = default;

void ZipMemberBytes::read(std::span<char> out) {
  if (out.size() > left_)
    throw InputError(text("found ", left_, " more bytes, expected ", out.size(), " (is the file truncated?)"));
  if (member_.is_deflated)
    inflate(out);
  else
    read_stored(out);
  left_ -= out.size();
  if (member_.crc)
    crc_ = static_cast<std::uint32_t>(::crc32_z(crc_, reinterpret_cast<const Bytef*>(out.data()), out.size()));
  if (left_ == 0) check_end();
}

void ZipMemberBytes::read_stored(std::span<char> out) {
  archive_.read(out.data(), static_cast<std::streamsize>(out.size()));
  if (!archive_) throw InputError("reading failed");
  stored_left_ -= out.size();
}

// One step of zlib's; the number of bytes that it wrote.
std::size_t ZipMemberBytes::inflate_some(std::span<char> out) {
  constexpr std::size_t most_at_once = std::numeric_limits<int>::max();
  z_stream& stream = *stream_;
  if (stream.avail_in == 0 && stored_left_ > 0) {
    const auto size = std::min<std::uint64_t>(stored_left_, input_.size());
    read_stored(std::span(input_).first(size));
    stream.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream.avail_in = static_cast<uInt>(size);
  }
  const auto wanted = static_cast<uInt>(std::min(out.size(), most_at_once));
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = wanted;
  const int status = ::inflate(&stream, Z_NO_FLUSH);
  has_ended_ = status == Z_STREAM_END;
  if (status == Z_BUF_ERROR) throw InputError(text("the deflated data end early, expected ", left_, " more bytes"));
  if (status != Z_OK && !has_ended_)
    throw InputError(text("the deflated data are damaged", stream.msg ? text(": ", stream.msg) : std::string()));
  return wanted - stream.avail_out;
}

void ZipMemberBytes::inflate(std::span<char> out) {
  while (!out.empty()) {
    if (has_ended_) throw InputError(text("the deflated data end early, expected ", member_.size, " bytes"));
    out = out.subspan(inflate_some(out));
  }
}

// What must hold behind the last byte.
void ZipMemberBytes::check_end() {
  if (member_.is_deflated) {
    char beyond = 0;
    while (!has_ended_)
      if (inflate_some({&beyond, 1}) > 0)
        throw InputError(text("found more deflated data, expected ", member_.size, " bytes"));
    if (const std::uint64_t behind = stored_left_ + stream_->avail_in; behind > 0)
      throw InputError(text("found ", behind, " bytes behind the deflated data, expected none"));
  }
  if (member_.crc && crc_ != *member_.crc)
    throw InputError(text("found checksum ", crc_, ", expected ", *member_.crc, " (CRC-32; the data are damaged)"));
}

}  // namespace normalign

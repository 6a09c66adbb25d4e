#include "data/tables/zip.hpp"

#include <random>
#include <sstream>

#include "support/catch.hpp"
#include "support/message_of.hpp"
#include "support/numpy_files.hpp"

namespace normalign::tests {
namespace {

using ZippedFiles = std::vector<std::pair<std::string, std::string>>;  // names and bytes

// The bytes of a member, read in pieces of this size.
std::string member_content(std::istream& archive, const ZipMember& member, std::size_t piece_size = 1 << 16) {
  ZipMemberBytes bytes(archive, member);
  CHECK(bytes.left() == member.size);
  std::string result(member.size, '\0');
  for (std::size_t at = 0; at < result.size(); at += piece_size)
    bytes.read(std::span(result).subspan(at, std::min(piece_size, result.size() - at)));
  CHECK(bytes.left() == 0);
  return result;
}

ZippedFiles zipped_files(const std::string& bytes) {
  std::istringstream archive(bytes);
  ZippedFiles files;
  for (const ZipMember& member : zip_members(archive)) files.emplace_back(member.name, member_content(archive, member));
  return files;
}

std::string zip_refusal(const std::string& bytes) {
  return message_of([&] { zipped_files(bytes); });
}

std::string random_text(std::mt19937& random, std::size_t size, unsigned values) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random() % values);
  return bytes;
}

const std::string poem = "so much depends upon so much depends upon so much depends upon a red wheel barrow";

}  // namespace

TEST_CASE("the members of an archive are read in order, stored and deflated, in ZIP64 and not", "[data]") {
  std::mt19937 random(1);
  for (int trial = 0; trial < 200; ++trial) {
    CAPTURE(trial);
    ZippedFiles files;
    std::vector<ZipPart> parts;
    for (std::size_t i = 0; i < random() % 5; ++i) {
      files.emplace_back("name" + std::to_string(9 - i), random_text(random, random() % 3000, 1 + random() % 256));
      parts.push_back(zip_part(files[i].first, files[i].second, random() % 2 == 0));
      parts.back().is_zip64 = random() % 2 == 0;
      parts.back().is_far = random() % 2 == 0;
      if (random() % 3 == 0) parts.back().other_extra = little_endian(0x5455, 2) + little_endian(5, 2) + "\1abcd";
    }
    const ZipEnding ending{.is_zip64 = random() % 2 == 0,
                           .is_full = random() % 2 == 0,
                           .comment = random_text(random, random() % 100, 256)};
    CHECK(zipped_files(zip_bytes(parts, ending)) == files);
  }
}

TEST_CASE("a member is the same in pieces of any size", "[data]") {
  std::mt19937 random(2);
  const std::string bytes = random_text(random, 200'000, 20);
  std::istringstream archive(zip_bytes({zip_part("stored", bytes), zip_part("deflated", bytes, true)}));
  for (const ZipMember& member : zip_members(archive))
    for (const std::size_t piece_size : {1u, 7u, 65'536u, 65'537u, 200'000u})
      CHECK(member_content(archive, member, piece_size) == bytes);
}

TEST_CASE("folders are passed over, and a comment may look like the end of an archive", "[data]") {
  CHECK(zipped_files(zip_bytes({zip_part("folder/", ""), zip_part("folder/a", poem)})) ==
        ZippedFiles{{"folder/a", poem}});
  const std::string empty_archive = zip_bytes({});
  for (const std::string& comment : {empty_archive + "x", std::string("PK\5\6 and so on, longer than such a record is"),
                                     std::string("PK\5\6"), std::string(65'535, 'x')})
    CHECK(zipped_files(zip_bytes({zip_part("a", poem)}, {.comment = comment})) == ZippedFiles{{"a", poem}});
  CHECK(zipped_files(empty_archive).empty());
}

TEST_CASE("65535 members, a number that stands for ZIP64 elsewhere, are read without it", "[data]") {
  std::vector<ZipPart> parts;
  for (int i = 0; i < 65'535; ++i) parts.push_back(zip_part(std::to_string(i), ""));
  std::istringstream archive(zip_bytes(parts));
  CHECK(zip_members(archive).size() == 65'535);
}

TEST_CASE("data descriptors behind the data are passed over", "[data]") {
  ZipPart part = zip_part("a", poem, true);
  const std::uint64_t size = part.data.size();
  part.flags = 8;
  part.data += "PK\7\10" + little_endian(part.crc, 4) + little_endian(size, 4) + little_endian(poem.size(), 4);
  part.stored_size = size;
  CHECK(zipped_files(zip_bytes({part, zip_part("b", poem)})) == ZippedFiles{{"a", poem}, {"b", poem}});
}

TEST_CASE("an archive cut at any byte is refused", "[data]") {
  for (const bool is_zip64 : {false, true}) {
    const std::string bytes = zip_bytes({zip_part("a", poem), zip_part("b", poem, true)}, {.is_zip64 = is_zip64});
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      CHECK(zip_refusal(bytes.substr(0, size)) ==
            "found no end of a ZIP archive, expected one (is the file truncated?)");
      if (size > 0) CHECK(zip_refusal(bytes.substr(size)) != "nothing was thrown");
    }
  }
}

TEST_CASE("an archive with any bit changed is refused or has the same bytes", "[data]") {
  std::vector<ZipPart> parts = {zip_part("a", poem), zip_part("b", poem, true)};
  parts[1].is_zip64 = parts[1].is_far = true;
  for (const bool is_zip64 : {false, true}) {
    const std::string bytes = zip_bytes(parts, {.is_zip64 = is_zip64});
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      for (int bit = 0; bit < 8; ++bit) {
        CAPTURE(i, bit);
        std::string spoiled = bytes;
        spoiled[i] = static_cast<char>(spoiled[i] ^ 1 << bit);
        try {
          for (const auto& [name, content] : zipped_files(spoiled)) CHECK(content == poem);
        } catch (const InputError& error) {
          CHECK(std::string(error.what()).find_first_of("\n\r") == std::string::npos);
        }
      }
    }
  }
}

TEST_CASE("what the numbers of a member say must be so", "[data]") {
  const auto with = [](bool is_deflated, const auto& change) {
    ZipPart part = zip_part("a", poem, is_deflated);
    change(part);
    return zip_refusal(zip_bytes({part, zip_part("behind", poem)}));
  };
  const std::string size = std::to_string(poem.size());
  CHECK(with(false, [](ZipPart&) {}) == "nothing was thrown");
  for (const bool is_deflated : {false, true})
    CHECK(with(is_deflated, [](ZipPart& part) { ++part.crc; }).starts_with("found checksum "));
  for (const std::uint64_t flags : {1u, 1u << 6, 1u << 13})
    CHECK(with(false, [&](ZipPart& part) { part.flags = flags; }) ==
          "member \"a\": found an encrypted file, expected one without encryption");
  CHECK(with(false, [](ZipPart& part) { part.method = 12; }) ==
        "member \"a\": found compression method 12, expected 0 (stored) or 8 (deflated)");
  CHECK(with(false, [](ZipPart& part) { part.disk = 2; }) ==
        "member \"a\": found disk 2, expected an archive in one file");
  CHECK(with(false, [](ZipPart& part) { part.local_name = "b"; }) ==
        "member \"a\": found another name in front of its data, expected the same as in the directory");
  CHECK(with(false, [](ZipPart& part) { ++part.size; }) ==
        "member \"a\": found " + size + " bytes stored, expected " + std::to_string(poem.size() + 1) + ", its size");
  CHECK(with(true, [](ZipPart& part) { ++part.size; }) ==
        "the deflated data end early, expected " + std::to_string(poem.size() + 1) + " bytes");
  CHECK(with(true, [](ZipPart& part) { --part.size; }) ==
        "found more deflated data, expected " + std::to_string(poem.size() - 1) + " bytes");
  CHECK(
      with(true, [](ZipPart& part) { part.size = 1033 * part.data.size(); }).starts_with("member \"a\": found size "));
  CHECK(with(true, [](ZipPart& part) {
          part.is_zip64 = true;
          part.size = std::uint64_t{1} << 63;
        }).starts_with("member \"a\": found size 9223372036854775808, expected at most 1032 times"));
  CHECK(with(true, [](ZipPart& part) {
          part.data += "xyz";
          part.stored_size += 3;
        }) == "found 3 bytes behind the deflated data, expected none");
  CHECK(
      with(true, [](ZipPart& part) { part.data.resize(part.stored_size -= 5); }).starts_with("the deflated data end"));
  CHECK(with(true, [](ZipPart& part) { part.data[0] = 7; }).starts_with("the deflated data are damaged"));
  for (const std::uint64_t huge : {std::uint64_t{1} << 20, ~std::uint64_t{0}, std::uint64_t{1} << 63})
    CHECK(with(false, [&](ZipPart& part) {
            part.is_zip64 = true;
            part.size = part.stored_size = huge;
          }).starts_with("member \"a\": found " + std::to_string(huge) + " bytes at byte 0, expected them before"));
  CHECK(with(false, [&](ZipPart& part) {
          part.size = part.stored_size = zip_bytes({part, zip_part("behind", poem)}).size() - 100;
        }).starts_with("member \"a\": found "));
}

TEST_CASE("members that share a name or bytes are refused", "[data]") {
  CHECK(zip_refusal(zip_bytes({zip_part("a", poem), zip_part("a", "")})) ==
        "found two members \"a\", expected different names");
  // The first goes on into the second.
  ZipPart first = zip_part("a", poem);
  const ZipPart second = zip_part("b", poem);
  const std::string both = zip_bytes({first, second});
  const std::string long_data = both.substr(31, 2 * (31 + poem.size()) - 31);
  first.size = first.stored_size = long_data.size();
  first.crc = zip_part("a", long_data).crc;
  CHECK(zip_refusal(zip_bytes({first, second})) ==
        "member \"b\": found its data among those of another, expected data of its own");
}

TEST_CASE("an end that does not fit the archive is refused", "[data]") {
  const std::vector<ZipPart> parts = {zip_part("a", poem)};
  for (const bool is_zip64 : {false, true}) {
    CAPTURE(is_zip64);
    CHECK(zip_refusal(zip_bytes(parts, {.is_zip64 = is_zip64, .disk = 1})) ==
          "found one of several disks, expected an archive in one file");
    CHECK(zip_refusal(zip_bytes(parts, {.is_zip64 = is_zip64, .count_here = 0})) ==
          "found one of several disks, expected an archive in one file");
    for (const std::uint64_t count : {0u, 2u})
      CHECK(zip_refusal(zip_bytes(parts, {.is_zip64 = is_zip64, .count = count})) ==
            text("found 1 members in the directory, expected ", count, " (is the file damaged?)"));
    for (const std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{100}, std::uint64_t{1} << 30})
      CHECK(contains(zip_refusal(zip_bytes(parts, {.is_zip64 = is_zip64, .directory_begin = begin})),
                     "bytes before the archive?"));
  }
  CHECK(contains(zip_refusal("#!/bin/sh\n" + zip_bytes(parts)), "bytes before the archive?"));
  CHECK(contains(zip_refusal(zip_bytes(parts) + "x"), "found no end of a ZIP archive"));
  std::string far = zip_bytes(parts, {.is_zip64 = true});
  far.replace(far.size() - 22 - 12, 8, std::string(8, '\xff'));  // where the ZIP64 end is
  CHECK(contains(zip_refusal(far), "expected a ZIP64 end of the directory"));
}

TEST_CASE("more bytes than a member has are refused", "[data]") {
  std::istringstream archive(zip_bytes({zip_part("a", poem)}));
  const std::vector<ZipMember> members = zip_members(archive);
  ZipMemberBytes bytes(archive, members.front());
  std::string out(poem.size() + 1, '\0');
  CHECK(message_of([&] { bytes.read(out); }) ==
        text("found ", poem.size(), " more bytes, expected ", poem.size() + 1, " (is the file truncated?)"));
}

}  // namespace normalign::tests

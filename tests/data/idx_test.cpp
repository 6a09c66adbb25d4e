#include "data/idx.hpp"

#include "support/catch.hpp"
#include "support/idx_files.hpp"
#include "support/message_of.hpp"
#include "support/peak_memory.hpp"
#include "support/temporary_folder.hpp"

namespace normalign::tests {
namespace {

// What the readers say to a file of these bytes, without the file's name; checks that the name came first.
std::string images_message(const std::string& bytes, const std::string& name = "file") {
  const TemporaryFolder folder;
  write_file(folder / name, bytes);
  const std::string message = message_of([&] { idx_images(folder / name); });
  const std::string prefix = (folder / name).string() + ": ";
  if (!message.starts_with(prefix)) return message;
  CHECK(message.find('\n') == message.npos);
  return message.substr(prefix.size());
}

}  // namespace

TEST_CASE("images and labels are read byte for byte, plain and gzip, whatever the name", "[data]") {
  const TemporaryFolder folder;
  const std::string image_bytes = idx_images_bytes(5, 3, 4), label_bytes = idx_labels_bytes({3, 0, -1, 9});
  for (const char* name : {"file", "file.gz"}) {
    for (const bool compressed : {false, true}) {
      CAPTURE(name, compressed);
      write_file(folder / name, compressed ? gzipped(image_bytes) : image_bytes);
      const IdxImages images = idx_images(folder / name);
      CHECK(images.count == 5);
      CHECK(images.height == 3);
      CHECK(images.width == 4);
      REQUIRE(images.pixels.size() == 60);
      for (std::size_t j = 0; j < 60; ++j) CHECK(images.pixels[j] == (7 * j) % 256);
      for (Index i = 0; i < 5; ++i) {
        REQUIRE(images.image(i).size() == 12);
        for (std::size_t j = 0; j < 12; ++j)
          CHECK(images.image(i)[j] == 7 * (12 * static_cast<std::size_t>(i) + j) % 256);
      }
      write_file(folder / name, compressed ? gzipped(label_bytes) : label_bytes);
      CHECK(idx_labels(folder / name) == std::vector<std::uint8_t>{3, 0, 255, 9});
    }
  }
}

TEST_CASE("images larger than one piece of reading are whole", "[data]") {
  const TemporaryFolder folder;
  const std::string bytes = idx_images_bytes(5000, 28, 28, 13);
  for (const bool compressed : {false, true}) {
    write_file(folder / "images", compressed ? gzipped(bytes) : bytes);
    const IdxImages images = idx_images(folder / "images");
    CHECK(std::string(images.pixels.begin(), images.pixels.end()) == bytes.substr(16));
  }
}

TEST_CASE("two gzip members in a row are one file, as gzip has it", "[data]") {
  const TemporaryFolder folder;
  const std::string bytes = idx_images_bytes(5, 3, 4);
  write_file(folder / "images", gzipped(bytes.substr(0, 30)) + gzipped(bytes.substr(30)));
  CHECK(idx_images(folder / "images").pixels.size() == 60);
}

TEST_CASE("a file cut at any byte is refused by its name", "[data]") {
  const std::string bytes = idx_images_bytes(2, 3, 3);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    const std::string message = images_message(bytes.substr(0, size));
    CHECK(contains(message, "is the file truncated?"));
    if (size < 16)
      CHECK(message.starts_with(text("found ", size, " bytes, expected a header of 16")));
    else
      CHECK(message.starts_with(text("found ", size - 16, " bytes of data, expected 18")));
  }
}

TEST_CASE("a gzip file cut at any byte is refused by its name", "[data]") {
  const std::string bytes = gzipped(idx_images_bytes(2, 3, 3));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CAPTURE(size);
    CHECK(contains(images_message(bytes.substr(0, size)), "truncated?"));
  }
}

TEST_CASE("a gzip file with any bit of its data or checksum changed gives the same images or none", "[data]") {
  const std::string plain = idx_images_bytes(2, 3, 3), bytes = gzipped(plain);
  const TemporaryFolder folder;
  int harmless = 0;
  // Behind the ten bytes of the header, whose time and system of origin mean nothing.
  for (std::size_t i = 10; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(i, bit);
      std::string spoiled = bytes;
      spoiled[i] = static_cast<char>(spoiled[i] ^ 1 << bit);
      write_file(folder / "images", spoiled);
      try {
        const IdxImages images = idx_images(folder / "images");
        CHECK(std::string(images.pixels.begin(), images.pixels.end()) == plain.substr(16));
        ++harmless;
      } catch (const InputError&) {
      }
    }
  }
  CHECK(harmless < 8);  // the bits that fill up the last byte of the compressed data
  std::string spoiled = bytes;
  spoiled[bytes.size() - 6] = static_cast<char>(spoiled[bytes.size() - 6] ^ 1);
  CHECK(contains(images_message(spoiled), "the gzip data are damaged"));
}

TEST_CASE("bytes behind the data are refused", "[data]") {
  const std::string bytes = idx_images_bytes(2, 3, 3);
  CHECK(images_message(bytes + '\0') == "found more than the 18 bytes of data that its header tells");
  CHECK(images_message(gzipped(bytes + '\0')) == "found more than the 18 bytes of data that its header tells");
  CHECK(images_message(bytes) == "nothing was thrown");
}

TEST_CASE("another magic number is refused with the expected one", "[data]") {
  const std::string data(18, 'x');
  for (const std::uint32_t magic : {0u, 2049u, 2050u, 2052u, 0x0d03u, 0x0308'0000u, 0xffff'ffffu}) {
    CAPTURE(magic);
    CHECK(images_message(idx_header({magic, 2, 3, 3}) + data)
              .starts_with(text("found magic number ", magic, ", expected 2051")));
  }
  CHECK(images_message("<!DOCTYPE html><html></html>", "images.gz") ==
        "found magic number 1008813135, expected 2051 (IDX images of unsigned bytes, plain or gzip)");
  const TemporaryFolder folder;
  write_file(folder / "labels", idx_images_bytes(2, 3, 3));
  CHECK(contains(message_of([&] { idx_labels(folder / "labels"); }), "found magic number 2051, expected 2049"));
}

TEST_CASE("an extent of zero is refused", "[data]") {
  CHECK(images_message(idx_header({2051, 0, 3, 3})) ==
        "found extent 0 in dimension 1 of its images, expected at least 1");
  CHECK(contains(images_message(idx_header({2051, 2, 0, 3})), "found extent 0 in dimension 2"));
  CHECK(contains(images_message(idx_header({2051, 2, 3, 0})), "found extent 0 in dimension 3"));
  const TemporaryFolder folder;
  write_file(folder / "labels", idx_header({2049, 0}));
  CHECK(contains(message_of([&] { idx_labels(folder / "labels"); }), "found extent 0 in dimension 1 of its labels"));
}

TEST_CASE("a header that claims more than there is costs little memory", "[data]") {
  const long before = peak_memory();
  const std::uint32_t most = 0xffff'ffff;
  const std::string some(1000, 'x');
  // Whose product is 2^64 and 2^96 among them: no overflow makes them look small.
  CHECK(contains(images_message(idx_header({2051, most, 28, 28}) + some), "found extent 4294967295 in dimension 1"));
  CHECK(contains(images_message(idx_header({2051, most, most, most}) + some), "expected at most 1 GiB"));
  CHECK(contains(images_message(idx_header({2051, 1, 0x8000'0000, 2}) + some), "2147483648 in dimension 2"));
  CHECK(contains(images_message(idx_header({2051, 0x10000, 0x10000, 0x10000}) + some), "65536 in dimension 2"));
  CHECK(contains(images_message(idx_header({2051, 1 << 10, 1 << 10, (1 << 10) + 1}) + some), "in dimension 3"));
  // Within the limit, but not there.
  CHECK(images_message(idx_header({2051, 1 << 10, 1 << 10, 1 << 10}) + some)
            .starts_with("found 1000 bytes of data, expected 1073741824"));
  CHECK(images_message(gzipped(idx_header({2051, 1 << 20, 28, 28}) + some))
            .starts_with("found 1000 bytes of data, expected 822083584"));
  CHECK(peak_memory() - before < 32 << 20);
}

TEST_CASE("a gzip file that inflates to far more than its header says costs little memory", "[data]") {
  const std::string bomb = gzipped(idx_header({2051, 2, 3, 3}) + std::string(256 << 20, '\0'));
  REQUIRE(bomb.size() < 1 << 20);
  const long before = peak_memory();
  CHECK(images_message(bomb) == "found more than the 18 bytes of data that its header tells");
  CHECK(images_message(gzipped(bomb)).starts_with("found magic number "));
  CHECK(peak_memory() - before < 32 << 20);
}

TEST_CASE("what is no readable file is refused by its name", "[data]") {
  const TemporaryFolder folder;
  const std::string missing = (folder / "missing").string();
  CHECK(message_of([&] { idx_images(missing); }) == missing + ": No such file or directory");
  CHECK(message_of([&] { idx_labels(missing); }) == missing + ": No such file or directory");
  CHECK(message_of([&] { idx_images(folder.path()); }) ==
        folder.path().string() + ": found no regular file, expected one");
  CHECK(images_message("").starts_with("found 0 bytes"));
}

}  // namespace normalign::tests

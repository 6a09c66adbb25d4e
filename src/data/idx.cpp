#include "data/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include "base/error.hpp"

namespace normalign {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

template <class... Parts>
[[noreturn]] void refuse(const fs::path& path, const Parts&... parts) {
  throw InputError(text(path.string(), ": ", parts...));
}

// The bytes of a file, inflated where it is gzip.
class Bytes {
 public:
  explicit Bytes(const fs::path& path) : path_(path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    // A folder can be opened, and a pipe without a writer would block.
    if (!fs::is_regular_file(status)) refuse(path, error ? error.message() : "found no regular file, expected one");
    file_.reset(::gzopen(path.c_str(), "rb"));
    if (!file_) refuse(path, "cannot open for reading: ", std::generic_category().message(errno));
  }

  /// Fills `out`, and returns how many bytes there were before the end.
  std::size_t read(std::span<std::uint8_t> out) {
    constexpr std::size_t most_at_once = 1 << 20;
    std::size_t total = 0;
    while (total < out.size()) {
      const auto wanted = static_cast<unsigned>(std::min(out.size() - total, most_at_once));
      const int found = ::gzread(file_.get(), out.data() + total, wanted);
      if (found <= 0) break;
      total += static_cast<std::size_t>(found);
    }
    int error = Z_OK;
    const char* message = ::gzerror(file_.get(), &error);
    if (error == Z_BUF_ERROR) refuse(path_, "the gzip data end early (is the file truncated?)");
    if (error == Z_ERRNO) refuse(path_, "reading failed: ", std::generic_category().message(errno));
    if (error != Z_OK) refuse(path_, "the gzip data are damaged: ", message);
    return total;
  }

 private:
  struct Close {
    void operator()(gzFile file) const { ::gzclose_r(file); }
  };
  const fs::path& path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

// The rest of a file, which must be `size` bytes. What is allocated follows what is there.
std::vector<std::uint8_t> remaining(Bytes& bytes, const fs::path& path, std::size_t size) {
  constexpr std::size_t first_size = 1 << 20;
  std::vector<std::uint8_t> values;
  std::size_t found = 0;
  while (found == values.size() && found < size) {
    values.resize(std::min(size, std::max(2 * values.size(), first_size)));
    found += bytes.read(std::span(values).subspan(found));
  }
  if (found < size)
    refuse(path, "found ", found, " bytes of data, expected ", size, " by its header (is the file truncated?)");
  // This is also what makes zlib compare the checksum at the end of the stream.
  std::uint8_t beyond = 0;
  if (bytes.read({&beyond, 1}) != 0) refuse(path, "found more than the ", size, " bytes of data that its header tells");
  return values;
}

struct Idx {
  std::vector<Index> extents;
  std::vector<std::uint8_t> values;
};

// `kind` names the data for messages: "images" or "labels".
Idx read_idx(const fs::path& path, std::size_t dimensions, const char* kind) {
  Bytes bytes(path);
  // Two zero bytes, the code of the unsigned byte, the number of dimensions; then the extents.
  const std::uint32_t expected_magic = 0x800 + static_cast<std::uint32_t>(dimensions);
  std::array<std::uint32_t, 4> words{};
  for (std::size_t i = 0; i <= dimensions; ++i) {
    std::array<std::uint8_t, 4> big_endian{};
    const std::size_t found = bytes.read(big_endian);
    if (found < 4)
      refuse(path, "found ", 4 * i + found, " bytes, expected a header of ", 4 * (dimensions + 1),
             " (is the file truncated?)");
    for (const std::uint8_t byte : big_endian) words[i] = words[i] << 8 | byte;
    if (words[0] != expected_magic)
      refuse(path, "found magic number ", words[0], ", expected ", expected_magic, " (IDX ", kind,
             " of unsigned bytes, plain or gzip)");
  }

  Idx idx;
  std::uint64_t size = 1;
  for (std::size_t i = 1; i <= dimensions; ++i) {
    const std::uint64_t extent = words[i];
    if (extent == 0) refuse(path, "found extent 0 in dimension ", i, " of its ", kind, ", expected at least 1");
    if (extent > most_bytes / size)
      refuse(path, "found extent ", extent, " in dimension ", i, " of its ", kind, ", expected at most 1 GiB of data");
    size *= extent;
    idx.extents.push_back(static_cast<Index>(extent));
  }
  idx.values = remaining(bytes, path, static_cast<std::size_t>(size));
  return idx;
}

}  // namespace

IdxImages idx_images(const fs::path& path) {
  Idx idx = read_idx(path, 3, "images");
  return {.count = idx.extents[0], .height = idx.extents[1], .width = idx.extents[2], .pixels = std::move(idx.values)};
}

std::vector<std::uint8_t> idx_labels(const fs::path& path) { return read_idx(path, 1, "labels").values; }

}  // namespace normalign

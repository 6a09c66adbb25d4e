#include "base/content_hash.hpp"

#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "base/error.hpp"

namespace normalign {

std::string content_hash(std::span<const std::filesystem::path> files) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  if (!state || XXH3_128bits_reset(state.get()) != XXH_OK) throw RunError("content_hash: no memory for its state");
  std::vector<char> part(std::size_t{1} << 16);
  for (const auto& file : files) {
    std::error_code ignored;
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (std::filesystem::is_directory(file, ignored) || !in)
      throw InputError(
          text(file.string(), ": cannot be read: ", in ? "it is a folder" : std::strerror(errno), "; expected a file"));
    std::uint64_t size = 0;
    while (in.read(part.data(), static_cast<std::streamsize>(part.size())) || in.gcount() > 0) {
      const auto count = static_cast<std::size_t>(in.gcount());
      XXH3_128bits_update(state.get(), part.data(), count);
      size += count;
    }
    if (in.bad()) throw InputError(text(file.string(), ": cannot be read to its end"));
    // The size tells where a file ends: "ab", "c" is not "a", "bc".
    XXH3_128bits_update(state.get(), &size, sizeof size);
  }
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state.get()));
  std::string result;
  for (const unsigned char byte : bytes.digest) {
    constexpr const char* digits = "0123456789abcdef";
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

}  // namespace normalign

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace normalign {
namespace {

// Where UTF-8 takes one more byte: codes from least[n] on take n bytes or more.
constexpr std::array<char32_t, 5> least_of_length = {0, 0, 0x80, 0x800, 0x10000};

bool is_character(char32_t code) { return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF); }

// The character that the bytes begin with: how many bytes it takes and which one it is; no bytes where they begin with
// none.
struct Character {
  std::size_t length = 0;
  char32_t code = 0xFFFD;
};

Character first_character(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC0 || first > 0xF7 || bytes.size() < length) return {};
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  return code >= least_of_length[length] && is_character(code) ? Character{length, code} : Character{};
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) { return first_character(bytes).length; }

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::size_t characters(std::string_view bytes) {
  return static_cast<std::size_t>(std::ranges::count_if(bytes, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::optional<std::string> utf8_of(char32_t code) {
  if (!is_character(code)) return std::nullopt;
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  std::size_t length = 4;
  while (code < least_of_length[length]) --length;
  std::string bytes(length, '\0');
  for (std::size_t i = length - 1; i > 0; --i, code >>= 6) bytes[i] = static_cast<char>(0x80 | (code & 0x3F));
  bytes[0] = static_cast<char>((0xF00U >> length & 0xFFU) | code);
  return bytes;
}

std::u32string utf32_of(std::string_view bytes) {
  std::u32string result;
  while (!bytes.empty()) {
    const auto [length, code] = first_character(bytes);
    result += code;
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace normalign

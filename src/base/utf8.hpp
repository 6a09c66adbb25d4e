// Characters of UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace normalign {

/// The number of bytes, 1 to 4, of the character that `bytes` begin with. Returns 0 where they begin with none (RFC
/// 3629: no surrogates, nothing above U+10FFFF, no longer form of a shorter one), and where they are empty.
std::size_t utf8_length(std::string_view bytes);

/// Whether `bytes` are characters of UTF-8 one after the other. No bytes are.
bool is_utf8(std::string_view bytes);

/// How many characters of UTF-8 `bytes` are: bytes that go on with one do not count.
std::size_t characters(std::string_view bytes);

/// The character with this number. Returns none for surrogates and above U+10FFFF, which are no characters.
std::optional<std::string> utf8_of(char32_t code);

/// The numbers of the characters, and U+FFFD in place of each byte that begins none.
std::u32string utf32_of(std::string_view bytes);

}  // namespace normalign

#include "base/utf8.hpp"

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("every character of Unicode has bytes of UTF-8 that are one character, and no other number has", "[base]") {
  // By the table of RFC 3629.
  int wrong = 0;
  for (char32_t code = 0; code < 0x120000; ++code) {
    const auto bytes = utf8_of(code);
    const bool is_character = code < 0xD800 || (code >= 0xE000 && code <= 0x10FFFF);
    const std::size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (bytes.has_value() != is_character) ++wrong;
    if (!bytes) continue;
    if (utf32_of(*bytes) != std::u32string(1, code)) ++wrong;
    if (bytes->size() != length || utf8_length(*bytes) != length || utf8_length(*bytes + "x") != length) ++wrong;
    for (std::size_t cut = 0; cut < length; ++cut)
      if (utf8_length(bytes->substr(0, cut)) != 0) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(!utf8_of(0xFFFF'FFFF));
  CHECK(utf8_of(U'a') == "a");
  CHECK(utf8_of(U'\u00e9') == "\xC3\xA9");
  CHECK(utf8_of(U'\u20ac') == "\xE2\x82\xAC");
  CHECK(utf8_of(U'\U0001F600') == "\xF0\x9F\x98\x80");
}

TEST_CASE("of all strings of two bytes those are UTF-8 that are two ASCII characters or one of two bytes", "[base]") {
  int count = 0;
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second)
      if (is_utf8(std::string{static_cast<char>(first), static_cast<char>(second)})) ++count;
  CHECK(count == 128 * 128 + (0x800 - 0x80));
}

TEST_CASE("longer forms, surrogates, numbers above Unicode and lone bytes are not UTF-8", "[base]") {
  for (const char* bytes : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
                            "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\x80", "\xFF", "a\xC3", "\xE2\x82z"}) {
    CAPTURE(bytes);
    CHECK(!is_utf8(bytes));
  }
  for (const char* bytes : {"", "plain", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF",
                            "na\xC3\xAFve \xE2\x82\xAC"}) {
    CAPTURE(bytes);
    CHECK(is_utf8(bytes));
  }
}

TEST_CASE("bytes that are no UTF-8 become the replacement character, one each", "[base]") {
  CHECK(utf32_of("") == U"");
  CHECK(utf32_of("na\xC3\xAFve") == U"na\u00EFve");
  CHECK(utf32_of("a\xC3z\xED\xA0\x80") == U"a\uFFFDz\uFFFD\uFFFD\uFFFD");
}

}  // namespace normalign::tests

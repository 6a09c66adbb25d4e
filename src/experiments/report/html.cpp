#include "experiments/report/html.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace normalign::html {
namespace {

// The length of the character of UTF-8 at the start of `bytes`, which is not empty; 0 where there is none that XML
// allows.
std::size_t character_length(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || bytes.size() < length) return 0;
  std::uint32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < least[length] || code > 0x10FFFF || is_surrogate || code == 0xFFFE || code == 0xFFFF ? 0 : length;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result;
  result.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8 | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) result += i <= count ? digits[group >> (18 - 6 * i) & 63U] : '=';
  }
  return result;
}

Markup tag(std::string_view name, Attributes attributes, std::string_view end) {
  std::string result = text('<', name);
  for (const auto& [key, value] : attributes) result += text(' ', key, "=\"", escaped(value), '"');
  result += end;
  return {std::move(result)};
}

}  // namespace

std::string escaped(std::string_view words) {
  std::string result;
  while (!words.empty()) {
    const std::size_t length = character_length(words);
    if (length == 0)
      result += "\xEF\xBF\xBD";
    else if (words[0] == '&')
      result += "&amp;";
    else if (words[0] == '<')
      result += "&lt;";
    else if (words[0] == '>')
      result += "&gt;";
    else if (words[0] == '"')
      result += "&quot;";
    else if (words[0] == '\'')
      result += "&#39;";
    else
      result += words.substr(0, length);
    words.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

Markup opening(std::string_view name, Attributes attributes) { return tag(name, attributes, ">"); }

Markup empty_element(std::string_view name, Attributes attributes) { return tag(name, attributes, "/>"); }

Markup image(std::string_view bytes, std::string_view type, std::string_view description) {
  const std::string address = text("data:", type, ";base64,", base64(bytes));
  return empty_element("img", {{"src", address}, {"alt", description}});
}

}  // namespace normalign::html

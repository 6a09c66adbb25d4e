#include "experiments/report/html.hpp"

#include <algorithm>
#include <cstdint>

#include "base/utf8.hpp"

namespace normalign::html {
namespace {

// The length of the character of UTF-8 at the start of `bytes`, which is not empty; 0 where there is none that XML
// allows.
std::size_t character_length(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x20) return first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const bool is_excluded = bytes.starts_with("\xEF\xBF\xBE") || bytes.starts_with("\xEF\xBF\xBF");  // U+FFFE, U+FFFF
  return is_excluded ? 0 : utf8_length(bytes);
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

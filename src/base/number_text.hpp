// Numbers as text, and back.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace normalign {

/// The shortest digits that read back the same.
inline std::string number_text(double value) {
  std::array<char, 32> digits{};
  return {digits.data(), std::to_chars(digits.begin(), digits.end(), value).ptr};
}

/// The number as printf writes it by `format`, such as "%.2f".
inline std::string formatted(const char* format, double value) {
  std::array<char, 400> buffer;
  std::snprintf(buffer.data(), buffer.size(), format, value);
  return buffer.data();
}

/// The finite number that `words` are as a whole, with a sign or without; none where they are anything else, or beyond
/// what a double holds.
inline std::optional<double> number_in(std::string_view words) {
  if (words.starts_with('+') && !words.starts_with("+-")) words.remove_prefix(1);
  double value = 0;
  const auto [rest, error] = std::from_chars(words.data(), words.data() + words.size(), value);
  if (error != std::errc() || rest != words.data() + words.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The whole number that `field` is, written in digits alone; none where it is anything else or too large.
inline std::optional<std::int64_t> whole_number(std::string_view field) {
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || rest != field.data() + field.size() || field.starts_with('-')) return std::nullopt;
  return value;
}

/// The whole number that the decimal number `words` is exactly, such as 12, -12.0 and 1.2e1; none where it is no
/// number, not whole, or has more than 17 digits.
std::optional<std::int64_t> exact_whole_number(std::string_view words);

}  // namespace normalign

#include "base/number_text.hpp"

#include <algorithm>

namespace normalign {

std::optional<std::int64_t> exact_whole_number(std::string_view words) {
  if (!number_in(words)) return std::nullopt;
  constexpr std::int64_t most = 100'000'000'000'000'000;
  const bool negative = words.front() == '-';
  const std::size_t e = std::min(words.find_first_of("eE"), words.size());
  std::string digits;
  std::int64_t exponent = 0;
  bool fraction = false;
  for (const char c : words.substr(0, e)) {
    if (c == '.') fraction = true;
    if (c < '0' || c > '9') continue;
    digits += c;
    exponent -= fraction;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  if (digits.find_first_not_of('0') == digits.npos) return 0;
  if (e < words.size()) exponent += static_cast<std::int64_t>(*number_in(words.substr(e + 1)));
  if (exponent < 0) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits)
    if (value = 10 * value + (c - '0'); value >= most) return std::nullopt;
  for (; exponent > 0; --exponent)
    if (value *= 10; value >= most) return std::nullopt;
  return negative ? -value : value;
}

}  // namespace normalign

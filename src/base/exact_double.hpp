// Which whole numbers double precision holds.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

namespace normalign {

/// Whether double precision, with its 53 bits, holds the value.
template <std::integral T>
bool is_exact_double(T value) {
  const auto bits = static_cast<std::uint64_t>(value);
  const std::uint64_t magnitude = value < 0 ? 0 - bits : bits;
  return magnitude >> 53 == 0 || std::bit_width(magnitude >> std::countr_zero(magnitude)) <= 53;
}

}  // namespace normalign

#include "linalg/random.hpp"

#include <algorithm>
#include <numbers>
#include <numeric>
#include <utility>

#include "linalg/simd_math.hpp"

namespace normalign {
namespace {

// The middle of the word's share of the unit interval, so neither 0 (a pole of the logarithm) nor 1 occurs.
double unit_interval(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  const auto high = [](std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); };
  const auto low = [](std::uint64_t product) { return static_cast<std::uint32_t>(product); };
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high(second) ^ counter[1] ^ key[0], low(second), high(first) ^ counter[3] ^ key[1], low(first)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

std::array<std::uint32_t, 4> RandomRows::words(std::uint32_t row, std::uint32_t group) const {
  return philox4x32({group, row, step_, static_cast<std::uint32_t>(stream_)},
                    {static_cast<std::uint32_t>(seed_), static_cast<std::uint32_t>(seed_ >> 32)});
}

template <class T>
void RandomRows::uniform(std::uint32_t row, std::span<T> out, double low, double high) const {
  for (std::size_t first = 0; first < out.size(); first += 4) {
    const auto word = words(row, static_cast<std::uint32_t>(first / 4));
    for (std::size_t i = 0; i < 4 && first + i < out.size(); ++i)
      out[first + i] = static_cast<T>(low + (high - low) * unit_interval(word[i]));
  }
}

template <class T>
void RandomRows::normal(std::uint32_t row, std::span<T> out, std::uint32_t first_group) const {
  // Two groups at a time, always both, so that a value's bits do not depend on how many are asked for.
  constexpr std::size_t pairs = 4;
  for (std::size_t first = 0; first < out.size(); first += 2 * pairs) {
    double radius[pairs], angle[pairs], values[2 * pairs];
    for (std::size_t half = 0; half < 2; ++half) {
      const auto word = words(row, first_group + static_cast<std::uint32_t>(first / 4 + half));
      for (std::size_t i = 0; i < 2; ++i) {
        radius[2 * half + i] = unit_interval(word[2 * i]);
        angle[2 * half + i] = 2 * std::numbers::pi * unit_interval(word[2 * i + 1]);
      }
    }
    // A loop for each function: the compiler makes one scalar sincos call of a sine and a cosine side by side.
#pragma omp simd
    for (std::size_t i = 0; i < pairs; ++i) radius[i] = std::sqrt(-2 * std::log(radius[i]));
#pragma omp simd
    for (std::size_t i = 0; i < pairs; ++i) values[2 * i] = radius[i] * std::cos(angle[i]);
#pragma omp simd
    for (std::size_t i = 0; i < pairs; ++i) values[2 * i + 1] = radius[i] * std::sin(angle[i]);
    const std::size_t count = std::min(2 * pairs, out.size() - first);
    for (std::size_t i = 0; i < count; ++i) out[first + i] = static_cast<T>(values[i]);
  }
}

std::vector<bool> RandomRows::bits(std::uint32_t row, Index count) const {
  std::vector<bool> result(static_cast<std::size_t>(count));
  std::array<std::uint32_t, 4> group{};
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (i % 128 == 0) group = words(row, static_cast<std::uint32_t>(i / 128));
    result[i] = (group[i % 128 / 32] >> (i % 32) & 1u) != 0;
  }
  return result;
}

template void RandomRows::uniform(std::uint32_t, std::span<float>, double, double) const;
template void RandomRows::uniform(std::uint32_t, std::span<double>, double, double) const;
template void RandomRows::normal(std::uint32_t, std::span<float>, std::uint32_t) const;
template void RandomRows::normal(std::uint32_t, std::span<double>, std::uint32_t) const;

std::uint32_t RandomIntegers::word() {
  if (used_ == 4) {
    words_ = rows_.words(row_, group_++);
    used_ = 0;
  }
  return words_[static_cast<std::size_t>(used_++)];
}

std::uint64_t RandomIntegers::below(std::uint64_t bound) {
  constexpr std::uint64_t word_count = std::uint64_t{1} << 32;
  if (bound == 0 || bound > word_count)
    throw InputError(text("RandomIntegers::below: bound is ", bound, "; it must lie in 1, ..., 2^32"));
  // Words from the last, incomplete run of `bound` would favour the small remainders.
  const std::uint64_t accepted = word_count - word_count % bound;
  std::uint64_t drawn = word();
  while (drawn >= accepted) drawn = word();
  return drawn % bound;
}

void shuffle(std::span<Index> items, RandomIntegers integers) {
  for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[integers.below(left)]);
}

std::vector<Index> permutation(Index count, RandomIntegers integers) {
  if (count < 0) throw InputError(text("permutation: count is ", count, "; it must not be negative"));
  std::vector<Index> items(static_cast<std::size_t>(count));
  std::iota(items.begin(), items.end(), Index{0});
  shuffle(items, integers);
  return items;
}

}  // namespace normalign

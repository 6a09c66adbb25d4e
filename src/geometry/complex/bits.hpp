// Sets of small numbers as bits in words.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace normalign::detail {

/// 64 members of a set.
using Word = std::uint64_t;
inline constexpr std::size_t word_bits = 64;

/// How many words a set of numbers below `count` takes.
constexpr std::size_t words_for(std::size_t count) { return (count + word_bits - 1) / word_bits; }

/// Whether a set has a member.
inline bool has(std::span<const Word> set, std::size_t member) {
  return set[member / word_bits] >> (member % word_bits) & 1;
}
/// Takes a member into a set, or out of it.
inline void assign(std::span<Word> set, std::size_t member, bool in) {
  const Word bit = Word{1} << (member % word_bits);
  set[member / word_bits] = in ? set[member / word_bits] | bit : set[member / word_bits] & ~bit;
}
/// How many members a set has.
inline std::size_t size_of(std::span<const Word> set) {
  std::size_t count = 0;
  for (const Word word : set) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}
/// Whether all members of `part`, a set of the same range, are in `whole`.
inline bool includes(std::span<const Word> whole, std::span<const Word> part) {
  for (std::size_t w = 0; w < part.size(); ++w)
    if (part[w] & ~whole[w]) return false;
  return true;
}
/// Calls visit(member) for the members of a set in order.
template <class Visit>
void for_each_member(std::span<const Word> set, const Visit& visit) {
  for (std::size_t w = 0; w < set.size(); ++w)
    for (Word rest = set[w]; rest; rest &= rest - 1)
      visit(w * word_bits + static_cast<std::size_t>(std::countr_zero(rest)));
}

}  // namespace normalign::detail

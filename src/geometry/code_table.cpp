#include "geometry/code_table.hpp"

#include <algorithm>

namespace normalign {

CodeTable::CodeTable(Index units) : width_(static_cast<std::size_t>(units) / 64 + 1), slots_(1024, -1) {
  packed_.resize(width_);
}

std::pair<Index, bool> CodeTable::insert(std::span<const std::uint8_t> code) {
  std::ranges::fill(packed_, 0);
  for (std::size_t u = 0; u < code.size(); ++u) packed_[u / 64] |= std::uint64_t{code[u]} << (u % 64);
  const std::size_t slot = slot_of(packed_);
  if (slots_[slot] >= 0) return {slots_[slot], false};
  const Index number = size();
  slots_[slot] = number;
  words_.insert(words_.end(), packed_.begin(), packed_.end());
  if (2 * words_.size() / width_ > slots_.size()) grow();
  return {number, true};
}

void CodeTable::read(Index number, std::span<std::uint8_t> code) const {
  const std::uint64_t* words = words_.data() + static_cast<std::size_t>(number) * width_;
  for (std::size_t u = 0; u < code.size(); ++u) code[u] = words[u / 64] >> (u % 64) & 1;
}

// Where these words are or would be put.
std::size_t CodeTable::slot_of(std::span<const std::uint64_t> words) const {
  // The finalizer of SplitMix64 over all words: every bit of them moves every bit of the hash.
  std::uint64_t hash = 0;
  for (const std::uint64_t word : words) {
    hash = (hash ^ word) + 0x9e3779b97f4a7c15;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    hash ^= hash >> 31;
  }
  for (std::size_t slot = hash & (slots_.size() - 1);; slot = (slot + 1) & (slots_.size() - 1)) {
    if (slots_[slot] < 0) return slot;
    const std::uint64_t* there = words_.data() + static_cast<std::size_t>(slots_[slot]) * width_;
    if (std::equal(words.begin(), words.end(), there)) return slot;
  }
}

void CodeTable::grow() {
  slots_.assign(2 * slots_.size(), -1);
  for (Index number = 0; number < size(); ++number)
    slots_[slot_of({words_.data() + static_cast<std::size_t>(number) * width_, width_})] = number;
}

}  // namespace normalign

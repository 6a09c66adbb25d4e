// A set of activation codes, each with a number.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// Codes of one length, eight bytes for 64 units, numbered 0, 1, ... in the order in which they came.
class CodeTable {
 public:
  explicit CodeTable(Index units);

  Index size() const { return static_cast<Index>(words_.size() / width_); }
  /// The number of the code and whether it is new. It must have one entry for each unit.
  std::pair<Index, bool> insert(std::span<const std::uint8_t> code);
  /// Writes code `number` to `code`.
  void read(Index number, std::span<std::uint8_t> code) const;

 private:
  std::size_t slot_of(std::span<const std::uint64_t> words) const;
  void grow();

  std::size_t width_;                 // words for one code
  std::vector<std::uint64_t> words_;  // of all codes
  std::vector<Index> slots_;          // a power of two, at most half of it used; -1 where empty
  std::vector<std::uint64_t> packed_;
};

}  // namespace normalign

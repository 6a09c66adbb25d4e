// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011). A value depends on (seed, stream, step, row, position) alone, never on which thread
// or row block asks for it, nor on what was drawn before.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "linalg/matrix.hpp"

namespace normalign {

/// What a draw is for; two streams of one seed never share a number.
enum class Stream : std::uint32_t {
  init = 0,         ///< initial weights: step = layer, row = output unit
  data = 1,         ///< synthetic inputs
  split = 2,        ///< training / test split
  shuffle = 3,      ///< order of the samples within an epoch: step = epoch
  projection = 4,   ///< random output directions of the Jacobian-norm estimate: row = sample
  gradcheck = 5,    ///< inputs and directions of gradient checks
  input_noise = 6,  ///< noise on training inputs: step = epoch, row = sample
  test_noise = 7,   ///< noise on test inputs: step = epoch, row = sample
  attack = 8,       ///< random starts of adversarial attacks: row = sample
  frame = 9,        ///< directions of local complexity: row = direction
  bootstrap = 10,   ///< rows drawn with replacement: step = update, row = number of the fit
  landmarks = 11,   ///< the order of points, of which the first are landmarks of an approximation
  share = 12,       ///< the rows of a batch on which a step finds a penalty
};

/// Ten rounds of Philox4x32 on a counter of four words under a key of two, least significant word first.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Random values of one stream, addressed by row: counter = (group of four within the row, row, step,
/// stream), key = (low, high word of the seed).
class RandomRows {
 public:
  /// Rows of one step of a stream.
  RandomRows(std::uint64_t seed, Stream stream, std::uint32_t step = 0) : seed_(seed), stream_(stream), step_(step) {}

  /// The raw words of group `group` of row `row`: values 4 group, ..., 4 group + 3 are made of them.
  std::array<std::uint32_t, 4> words(std::uint32_t row, std::uint32_t group) const;
  /// Fills `out` with values uniform in (low, high) of row `row`: low + (high - low) (word + 0.5) 2^-32,
  /// computed in double and rounded once to T. That rounding may land on a bound: in float, on 1 of (0, 1)
  /// with probability 2^-25.
  template <class T>
  void uniform(std::uint32_t row, std::span<T> out, double low = 0, double high = 1) const;
  /// Fills `out` with standard normals of row `row`: Box-Muller in double on the pairs (w0, w1), (w2, w3) of
  /// each group, cosine first, rounded once to T. The first value is the first of group `first_group`.
  template <class T>
  void normal(std::uint32_t row, std::span<T> out, std::uint32_t first_group = 0) const;
  /// `count` bits of row `row`, each 0 or 1 with equal probability: 128 to a group of four words, the lowest bit of a
  /// word first.
  std::vector<bool> bits(std::uint32_t row, Index count) const;

 private:
  std::uint64_t seed_;
  Stream stream_;
  std::uint32_t step_;
};

/// A sequence of whole numbers below a bound, each equally likely (rejection, no modulo bias).
class RandomIntegers {
 public:
  /// The sequence at `row` of the stream.
  RandomIntegers(std::uint64_t seed, Stream stream, std::uint32_t step = 0, std::uint32_t row = 0)
      : rows_(seed, stream, step), row_(row) {}
  /// The next number in 0, ..., bound - 1. Throws InputError unless 0 < bound <= 2^32.
  std::uint64_t below(std::uint64_t bound);
  /// The next raw 32-bit word.
  std::uint32_t word();

 private:
  RandomRows rows_;
  std::uint32_t row_;
  std::uint32_t group_ = 0;
  std::array<std::uint32_t, 4> words_{};
  int used_ = 4;
};

/// Puts `items` into a random order: Fisher-Yates from the back, numbers from `integers`. At most 2^32 items.
/// Throws InputError on more.
void shuffle(std::span<Index> items, RandomIntegers integers);

/// 0, ..., count - 1 in a random order. Throws InputError on a negative count.
std::vector<Index> permutation(Index count, RandomIntegers integers);

}  // namespace normalign

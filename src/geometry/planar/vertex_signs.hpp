// The vertices of a complex with the signs of functions there, each decided once.
#pragma once

#include <cstdint>
#include <vector>

#include "geometry/planar/plane.hpp"

namespace normalign {

/// How far along the way from a point to another an affine function is zero, as a share of the way, given its values
/// `from` and `to` there: not both zero, and not of one sign. Holds for values of any size.
inline double zero_share(double from, double to) { return from / 2 / (from / 2 - to / 2); }

/// When a value is zero: |value| at vertex v of function k counts as zero up to 1e-12 (slopes[k] sizes[v] +
/// offsets[k]). For t = w z + b this bounds the rounding of the product with slopes = |w|, sizes = |z|, offsets = |b|
/// by a wide margin; with anything between 1e-15 and 1e-9 the exact partitions of 39 networks came out alike.
struct ZeroTest {
  std::vector<double> slopes;   ///< one for each function
  std::vector<double> offsets;  ///< one for each function
  std::vector<double> sizes;    ///< one for each vertex

  /// The bound for a function at a vertex of that size.
  double bound(double size, std::size_t function) const {
    return 1e-12 * (slopes[function] * size + offsets[function]);
  }
};

namespace detail {

/// Signs are kept in words of so many bits.
inline constexpr std::size_t bits_per_word = 64;

/// How many words the signs of so many functions take.
constexpr std::size_t sign_words(std::size_t functions) { return (functions + bits_per_word - 1) / bits_per_word; }

/// Vertices with everything that is known of them, for n functions.
struct VertexSet {
  std::vector<Point> points;
  LargeVector<double> values;  ///< n for each
  std::vector<double> sizes;   ///< of the ZeroTest
  /// Words, sign_words(n) for each vertex: bit k tells the sign of function k; neither is set where it is zero.
  std::vector<std::uint64_t> positive, negative;

  /// How many there are.
  std::size_t count() const { return points.size(); }
};

/// The vertices of a block of work: those that all blocks share, which only are read, and those that it makes, which
/// are its `own` and numbered after the shared ones.
class Vertices {
 public:
  /// Of `functions` functions; zero, shared and own must outlive it.
  Vertices(std::size_t functions, const ZeroTest& zero, const VertexSet& shared, VertexSet& own)
      : n_(functions), words_(sign_words(functions)), zero_(zero), shared_(shared), own_(own) {}

  /// How many words of signs a vertex has.
  std::size_t words() const { return words_; }
  const std::uint64_t* positive(std::int32_t v) const { return data(v, &VertexSet::positive, words_); }
  const std::uint64_t* negative(std::int32_t v) const { return data(v, &VertexSet::negative, words_); }
  /// The sign of function k: 1, 0 or -1.
  int sign(std::int32_t v, std::size_t k) const {
    const std::size_t word = k / bits_per_word, bit = k % bits_per_word;
    return static_cast<int>(positive(v)[word] >> bit & 1) - static_cast<int>(negative(v)[word] >> bit & 1);
  }

  /// A new vertex where function k, of opposite signs at a and b, is zero between them; returns its number.
  std::int32_t crossing(std::int32_t a, std::int32_t b, std::size_t k);

  /// Sets the signs of vertex v of a set, and what counts as zero to zero.
  static void classify(VertexSet& set, std::size_t v, std::size_t functions, const ZeroTest& zero);

 private:
  template <class Vector>
  const typename Vector::value_type* data(std::int32_t v, Vector VertexSet::*member, std::size_t stride) const {
    const auto id = static_cast<std::size_t>(v);
    return id < shared_.count() ? (shared_.*member).data() + id * stride
                                : (own_.*member).data() + (id - shared_.count()) * stride;
  }

  std::size_t n_, words_;
  const ZeroTest& zero_;
  const VertexSet& shared_;
  VertexSet& own_;
};

/// Appends block sets in order and empties them; returns for each the number of vertices before it.
std::vector<std::size_t> append(VertexSet& to, std::vector<VertexSet>& blocks);

}  // namespace detail
}  // namespace normalign

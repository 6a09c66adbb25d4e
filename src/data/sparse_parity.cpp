#include "data/sparse_parity.hpp"

#include <limits>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

void check(const SparseParityOptions& options) {
  // Rows and their groups of words are numbered by 32 bits.
  constexpr Index limit = std::numeric_limits<std::int32_t>::max();
  if (options.bits < 1 || options.bits > limit)
    throw InputError(text("sparse_parity: bits is ", options.bits, "; it must lie in 1, ..., ", limit));
  if (options.relevant < 1 || options.relevant > options.bits)
    throw InputError(
        text("sparse_parity: relevant is ", options.relevant, "; it must lie in 1, ..., bits = ", options.bits));
  if (options.samples < 1 || options.samples > limit)
    throw InputError(text("sparse_parity: samples is ", options.samples, "; it must lie in 1, ..., ", limit));
  if (options.bits < 32 && options.samples > Index{1} << options.bits)
    throw InputError(text("sparse_parity: samples is ", options.samples, " but ", options.bits, " bits have only ",
                          Index{1} << options.bits, " distinct rows"));
}

}  // namespace

template <class T>
Split<T> sparse_parity(const SparseParityOptions& options) {
  check(options);
  const RandomRows random(options.seed, Stream::data);
  Dataset<T> data{Matrix<T>(options.samples, options.bits), {}, 2};
  std::unordered_set<std::vector<bool>> seen;
  std::uint32_t draw = 0;
  for (Index row = 0; row < options.samples; ++row) {
    std::vector<bool> bits = random.bits(draw++, options.bits);
    while (!seen.insert(bits).second) bits = random.bits(draw++, options.bits);
    std::int32_t parity = 0;
    for (Index i = 0; i < options.bits; ++i) {
      const bool bit = bits[static_cast<std::size_t>(i)];
      data.inputs(row, i) = bit;
      if (i < options.relevant) parity ^= bit;
    }
    data.labels.push_back(parity);
  }
  // The rows are in random order already.
  return split_in_order(data, options.train_fraction);
}

template Split<float> sparse_parity(const SparseParityOptions&);
template Split<double> sparse_parity(const SparseParityOptions&);

}  // namespace normalign

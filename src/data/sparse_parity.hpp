// The sparse parity task: the label depends on a few of many random bits.
#pragma once

#include <cstdint>

#include "data/dataset.hpp"

namespace normalign {

/// The size of a sparse parity task; the defaults are those of arXiv:2605.08464.
struct SparseParityOptions {
  Index bits = 43;              ///< input dimension
  Index relevant = 3;           ///< the label is the parity of the first `relevant` bits
  Index samples = 2000;         ///< training and test rows together
  double train_fraction = 0.5;  ///< in (0, 1); the count is rounded down
  std::uint64_t seed = 0;
};

/// Distinct random inputs in {0, 1}^bits, n x bits, labelled 0 or 1 with the parity of their first `relevant`
/// bits; the first rows drawn are for training. Bits are drawn from Stream::data; a row that repeats an
/// earlier one is drawn again, so all 2^bits rows take about 2^bits log(2^bits) draws. Throws InputError when
/// `bits`, `relevant` or `samples` is not positive, relevant > bits, samples > 2^bits, or as split_in_order
/// does.
template <class T>
Split<T> sparse_parity(const SparseParityOptions& options = {});

}  // namespace normalign

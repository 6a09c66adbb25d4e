#include "nn/batch.hpp"

namespace normalign {

template <class T>
void check_batch(const char* caller, const Batch<T>& batch, Loss loss, Index outputs) {
  const Index n = batch.inputs.rows();
  if (n < 1) throw InputError(text(caller, ": inputs are ", batch.inputs.shape(), "; there must be a row"));
  if (loss == Loss::cross_entropy) {
    if (static_cast<Index>(batch.labels.size()) != n)
      throw InputError(text(caller, ": inputs are ", batch.inputs.shape(), " but there are ", batch.labels.size(),
                            " labels; there must be one per row"));
  } else if (batch.targets.shape() != Shape{n, outputs}) {
    throw InputError(text(caller, ": targets are ", batch.targets.shape(), "; they must be ", Shape{n, outputs}));
  }
}

template <class T>
std::span<const Index> sample_numbers(const char* caller, const Batch<T>& batch, std::vector<Index>& counted) {
  const auto n = static_cast<std::size_t>(batch.inputs.rows());
  if (batch.samples.empty()) {
    while (counted.size() < n) counted.push_back(static_cast<Index>(counted.size()));
    return std::span(counted).first(n);
  }
  if (batch.samples.size() != n)
    throw InputError(text(caller, ": inputs are ", batch.inputs.shape(), " but there are ", batch.samples.size(),
                          " sample numbers; there must be one per row"));
  return batch.samples;
}

template <class T>
Var<T> target_on(Tape<T>& tape, const Batch<T>& batch, Loss loss, RowBlock rows) {
  if (loss != Loss::cross_entropy) return tape.borrowed_constant(batch.targets.row_block(rows.first, rows.count));
  return tape.labels(batch.labels.subspan(static_cast<std::size_t>(rows.first), static_cast<std::size_t>(rows.count)));
}

#define NORMALIGN_INSTANTIATE(T)                                                                     \
  template void check_batch(const char*, const Batch<T>&, Loss, Index);                              \
  template std::span<const Index> sample_numbers(const char*, const Batch<T>&, std::vector<Index>&); \
  template Var<T> target_on(Tape<T>&, const Batch<T>&, Loss, RowBlock);
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

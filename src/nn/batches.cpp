#include "nn/batches.hpp"

#include <algorithm>
#include <numeric>

#include "data/noise.hpp"
#include "linalg/random.hpp"

namespace normalign {

template <class T>
Batches<T>::Batches(const Dataset<T>& data, Matrix<T> targets, Index batch_size, std::uint64_t seed)
    : data_(data),
      source_(data.inputs),
      targets_(std::move(targets)),
      seed_(seed),
      order_(static_cast<std::size_t>(data.inputs.rows())) {
  const Index n = data.inputs.rows();
  size_ = batch_size == 0 ? n : std::min(batch_size, n);
  std::iota(order_.begin(), order_.end(), Index{0});
  labels_.resize(data.labels.empty() ? 0 : static_cast<std::size_t>(size_));
  if (size_ == n) return;
  inputs_ = Matrix<T>(size_, data.inputs.cols());
  batch_targets_ = Matrix<T>(targets_.empty() ? 0 : size_, targets_.cols());
}

template <class T>
Batch<T> Batches<T>::all() const {
  return {.inputs = data_.inputs, .labels = data_.labels, .targets = targets_};
}

template <class T>
void Batches<T>::draw_noise(Index epoch, double sigma) {
  noisy_.resize(data_.inputs.rows(), data_.inputs.cols());
  add_noise(ConstView<T>(data_.inputs), sigma, 0,
            RandomRows(seed_, Stream::input_noise, static_cast<std::uint32_t>(epoch)), noisy_.view());
  source_ = noisy_;
}

template <class T>
void Batches<T>::pass(Index epoch, const std::function<void(const Batch<T>&)>& step) {
  const Index n = data_.inputs.rows();
  if (size_ == n) {
    Batch<T> whole = all();
    whole.inputs = source_;
    return step(whole);
  }
  // From the identity each time, so that an epoch's order depends on its number alone.
  std::iota(order_.begin(), order_.end(), Index{0});
  shuffle(order_, RandomIntegers(seed_, Stream::shuffle, static_cast<std::uint32_t>(epoch)));
  for (Index first = 0; first < n; first += size_) {
    const Index count = std::min(size_, n - first);
    const auto samples =
        std::span<const Index>(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) {
      const Index from = samples[static_cast<std::size_t>(i)];
      std::ranges::copy(source_.row(from), inputs_.row(i).begin());
      if (!labels_.empty()) labels_[static_cast<std::size_t>(i)] = data_.labels[static_cast<std::size_t>(from)];
      if (!targets_.empty()) std::ranges::copy(targets_.row(from), batch_targets_.row(i).begin());
    }
    step({.inputs = inputs_.view().row_block(0, count),
          .labels = std::span<const std::int32_t>(labels_).first(labels_.empty() ? 0 : static_cast<std::size_t>(count)),
          .targets = targets_.empty() ? ConstView<T>() : batch_targets_.view().row_block(0, count),
          .samples = samples});
  }
}

template class Batches<float>;
template class Batches<double>;

}  // namespace normalign

#include "data/noise.hpp"

#include <algorithm>

namespace normalign {

template <class T>
void add_noise(ConstView<T> inputs, double sigma, Index first_column, const RandomRows& random, MatrixView<T> out) {
  const T scale = static_cast<T>(sigma);
  for (Index i = 0; i < inputs.rows(); ++i) {
    const std::span<T> row = out.row(i);
    const std::span<T> noise = row.subspan(static_cast<std::size_t>(first_column));
    random.normal(static_cast<std::uint32_t>(i), noise);
    for (T& value : noise) value *= scale;
    std::ranges::copy(inputs.row(i).first(static_cast<std::size_t>(first_column)), row.begin());
    for (Index j = first_column; j < inputs.cols(); ++j) out(i, j) += inputs(i, j);
  }
}

template void add_noise(ConstView<float>, double, Index, const RandomRows&, MatrixView<float>);
template void add_noise(ConstView<double>, double, Index, const RandomRows&, MatrixView<double>);

}  // namespace normalign

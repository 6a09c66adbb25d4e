#include "rfm/agop.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "linalg/blas.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {

template <class T>
Matrix<T> agop(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads) {
  if (static_cast<Index>(weights.size()) != x.rows() || std::ranges::any_of(weights, [](Index w) { return w < 0; }))
    throw InputError(text("agop: x is ", x.shape(), " but there are ", weights.size(),
                          " weights; there must be one per row, none negative"));
  const Index total = std::accumulate(weights.begin(), weights.end(), Index{0});
  if (total == 0) throw InputError("agop: the weights sum to 0; one must be positive");
  check_threads("agop", threads);

  std::vector<Index> rows;
  for (Index i = 0; i < x.rows(); ++i)
    if (weights[static_cast<std::size_t>(i)] > 0) rows.push_back(i);
  const auto count = static_cast<Index>(rows.size()), d = x.cols();
  Matrix<T> taken(count, d);
  for (Index i = 0; i < count; ++i) std::ranges::copy(x.row(rows[static_cast<std::size_t>(i)]), taken.row(i).begin());
  const MahalanobisPoints<T> points = machine.points(taken);
  const Index c = machine.outputs(), r = points.rank();

  const Index blocks = kernel_blocks(count), parts = std::min(blocks, most_sum_parts);
  std::vector<Matrix<T>> sums(static_cast<std::size_t>(parts));
  struct Scratch {
    Matrix<T> jacobians;
    typename KernelMachine<T>::JacobianScratch sums;
  };
  parallel_for_with<Scratch>(threads, parts, [&](Index part, Scratch& scratch) {
    Matrix<T>& jacobians = scratch.jacobians;
    Matrix<T> sum(r, r);
    const RowBlock mine = row_block(blocks, parts, part);
    for (Index block = mine.first; block < mine.first + mine.count; ++block) {
      const Index first = kernel_block(count, block).first;
      jacobians.resize(kernel_block(count, block).count, c * r);
      machine.factored_jacobians(points, first, jacobians, scratch.sums);
      for (Index i = 0; i < jacobians.rows(); ++i) {
        const Index row = rows[static_cast<std::size_t>(first + i)];
        const T share = std::sqrt(static_cast<T>(weights[static_cast<std::size_t>(row)]) / static_cast<T>(total));
        for (T& value : jacobians.row(i)) value *= share;
      }
      // ((rows c) x r)ᵀ, (rows c) x r
      syrk<T>(ConstView<T>(jacobians.data(), jacobians.rows() * c, r), sum, T(1), T(1));
    }
    sums[static_cast<std::size_t>(part)] = std::move(sum);
  });
  Matrix<T> sum(r, r), half(d, r), result(d, d);
  for (const Matrix<T>& part : sums)
    for (std::size_t i = 0; i < sum.span().size(); ++i) sum.span()[i] += part.span()[i];
  // F sum Fᵀ: d x r, r x r; d x r, (d x r)ᵀ
  gemm<T>(machine.factor(), sum, half);
  gemm<T>(half, machine.factor(), result, {.b = true});
  return result;
}

template Matrix<float> agop(const KernelMachine<float>&, ConstView<float>, std::span<const Index>, int);
template Matrix<double> agop(const KernelMachine<double>&, ConstView<double>, std::span<const Index>, int);

}  // namespace normalign

#include "rfm/kernel_machine.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/number_text.hpp"
#include "linalg/blas.hpp"
#include "linalg/row_blocks.hpp"
#include "linalg/safetensors.hpp"

namespace normalign {
namespace {

// Columns of a product with centres scaled by coefficients that are made at a time.
constexpr Index scaled_cols = 512;

}  // namespace

template <class T>
KernelMachine<T>::KernelMachine(const Kernel& kernel, Matrix<T> centres, Matrix<T> metric, Matrix<T> coefficients)
    : kernel_(kernel),
      centres_(std::move(centres)),
      metric_(std::move(metric)),
      coefficients_(std::move(coefficients)) {
  check(kernel_);
  if (centres_.cols() != metric_.rows() || centres_.rows() != coefficients_.rows())
    throw InputError(text("KernelMachine: centres are ", centres_.shape(), ", metric is ", metric_.shape(),
                          ", coefficients are ", coefficients_.shape(),
                          "; metric must have centres.cols rows, coefficients centres.rows"));
  factor_ = mahalanobis_factor<T>(metric_);
  centre_points_ = points(centres_);
}

template <class T>
Matrix<T> KernelMachine<T>::outputs_at(ConstView<T> x, int threads, const StopPoll& stop) const {
  return kernel_product<T>(kernel_, points(x), centre_points_, coefficients_, threads, stop);
}

template <class T>
void KernelMachine<T>::factored_jacobians(const MahalanobisPoints<T>& points, Index first, MatrixView<T> out,
                                          JacobianScratch& scratch, const StopPoll& stop) const {
  const Index n = centre_points_.size(), c = outputs(), r = factor_.cols(), rows = out.rows();
  if (out.cols() != c * r || points.rank() != r || first < 0 || first + rows > points.size())
    throw InputError(text("factored_jacobians: out is ", out.shape(), " from point ", first, " of ", points.size(),
                          "; it must have ", c * r, " columns, and as many points as rows"));
  std::ranges::fill(out.span(), T(0));
  if (out.size() == 0) return;
  // -J_c = sum_i a_ic w_i (z - z_i) = z (sum_i w_i a_ic) - sum_i w_i (a_ic z_i). The second sum is one product for some
  // outputs at a time, with the centres scaled by these outputs' coefficients side by side.
  const Index at_a_time = std::clamp<Index>(scaled_cols / r, 1, c);
  auto& [values, slopes, scaled, part, sums] = scratch;
  sums.resize(rows, c);
  std::ranges::fill(sums.span(), T(0));
  for (Index col = 0; col < n; col += kernel_tile_cols) {
    const Index cols = std::min(kernel_tile_cols, n - col);
    values.resize(rows, cols);
    slopes.resize(rows, cols);
    points.squared_distances(first, centre_points_, col, values);
    kernel_values_and_slopes<T>(kernel_, values.span(), slopes.span());
    // rows x tile, tile x c
    gemm<T>(slopes, coefficients_.view().row_block(col, cols), sums, {}, T(1), T(1));
    for (Index output = 0; output < c; output += at_a_time) {
      stop.check();
      const Index these = std::min(at_a_time, c - output);
      scaled.resize(cols, these * r);
      for (Index i = 0; i < cols; ++i) {
        const T* const z = centre_points_.coordinates().row(col + i).data();
        const T* const a = &coefficients_(col + i, output);
        T* to = scaled.row(i).data();
        for (Index j = 0; j < these; ++j)
          for (Index k = 0; k < r; ++k) *to++ = a[j] * z[k];
      }
      part.resize(rows, these * r);
      // rows x tile, tile x (these r)
      gemm<T>(slopes, scaled, part);
      for (Index i = 0; i < rows; ++i) {
        const T* const from = part.row(i).data();
        T* const to = &out(i, output * r);
#pragma omp simd
        for (Index k = 0; k < these * r; ++k) to[k] += from[k];
      }
    }
  }
  for (Index i = 0; i < rows; ++i) {
    const std::span<const T> z = points.coordinates().row(first + i);
    for (Index j = 0; j < c; ++j) {
      T* const row = &out(i, j * r);
      for (Index k = 0; k < r; ++k) row[k] -= z[static_cast<std::size_t>(k)] * sums(i, j);
    }
  }
}

template <class T>
Matrix<T> KernelMachine<T>::jacobian(ConstView<T> x) const {
  if (x.rows() != 1) throw InputError(text("KernelMachine::jacobian: x is ", x.shape(), "; it must be one row"));
  Matrix<T> factored(1, outputs() * factor_.cols()), result(outputs(), inputs());
  JacobianScratch scratch;
  factored_jacobians(points(x), 0, factored, scratch);
  // c x r, (d x r)ᵀ
  gemm<T>(ConstView<T>(factored.data(), outputs(), factor_.cols()), factor_, result, {.b = true});
  return result;
}

template <class T>
void KernelMachine<T>::visit_jacobians(ConstView<T> x, const JacobianVisit& visit, int threads,
                                       const StopPoll& stop) const {
  check_threads("visit_jacobians", threads);
  const MahalanobisPoints<T> at = points(x);
  const Index m = at.size(), c = outputs(), r = factor_.cols();
  struct Scratch {
    Matrix<T> factored, jacobian;
    JacobianScratch sums;
  };
  parallel_for_with<Scratch>(threads, kernel_blocks(m), [&](Index block, Scratch& scratch) {
    const auto [first, rows] = kernel_block(m, block);
    auto& [factored, jacobian, sums] = scratch;
    factored.resize(rows, c * r);
    jacobian.resize(c, inputs());
    factored_jacobians(at, first, factored, sums, stop);
    for (Index i = 0; i < rows; ++i) {
      stop.check();
      // c x r, (d x r)ᵀ
      gemm<T>(ConstView<T>(factored.row(i).data(), c, r), factor_, jacobian, {.b = true});
      visit(first + i, jacobian);
    }
  });
}

template <class T>
void KernelMachine<T>::pull_back(ConstView<T> x, const Cotangents& cotangents, MatrixView<T> gradients,
                                 int threads) const {
  if (gradients.shape() != x.shape())
    throw InputError(text("pull_back: gradients are ", gradients.shape(), " but x is ", x.shape()));
  check_threads("pull_back", threads);
  const MahalanobisPoints<T> at = points(x);
  const Index m = at.size(), n = centre_points_.size(), c = outputs(), r = factor_.cols();
  struct Scratch {
    std::vector<T> slopes;  // of the whole block, tile after tile
    Matrix<T> values, seeds, weights, pulled;
  };
  parallel_for_with<Scratch>(threads, kernel_blocks(m), [&](Index block, Scratch& scratch) {
    const Index first = kernel_block(m, block).first, rows = kernel_block(m, block).count;
    Matrix<T>&values = scratch.values, &seeds = scratch.seeds, &weights = scratch.weights, &pulled = scratch.pulled;
    std::vector<T>& slopes = scratch.slopes;
    slopes.resize(static_cast<std::size_t>(rows * n));
    const auto slope_tile = [&](Index col, Index cols) {
      return MatrixView<T>(slopes.data() + rows * col, rows, cols);
    };
    seeds.resize(rows, c);
    std::ranges::fill(seeds.span(), T(0));
    for (Index col = 0; col < n; col += kernel_tile_cols) {
      values.resize(rows, std::min(kernel_tile_cols, n - col));
      at.squared_distances(first, centre_points_, col, values);
      kernel_values_and_slopes<T>(kernel_, values.span(), slope_tile(col, values.cols()).span());
      // rows x tile, tile x c
      gemm<T>(values, coefficients_.view().row_block(col, values.cols()), seeds, {}, T(1), T(1));
    }
    cotangents(first, seeds);
    // What is left in `pulled` is sum_i w_i (z_i - z), with weights w = slopes times the coefficients' pull.
    pulled.resize(rows, r);
    std::ranges::fill(pulled.span(), T(0));
    std::array<T, kernel_block_rows> sums{};
    for (Index col = 0; col < n; col += kernel_tile_cols) {
      weights.resize(rows, std::min(kernel_tile_cols, n - col));
      // rows x c, (tile x c)ᵀ
      gemm<T>(seeds, coefficients_.view().row_block(col, weights.cols()), weights, {.b = true});
      for (Index i = 0; i < rows; ++i) {
        T* const weight = weights.row(i).data();
        const T* const slope = slope_tile(col, weights.cols()).row(i).data();
        T sum = 0;
#pragma omp simd reduction(+ : sum)
        for (Index j = 0; j < weights.cols(); ++j) {
          weight[j] *= slope[j];
          sum += weight[j];
        }
        sums[static_cast<std::size_t>(i)] += sum;
      }
      // rows x tile, tile x r
      gemm<T>(weights, centre_points_.coordinates().row_block(col, weights.cols()), pulled, {}, T(1), T(1));
    }
    for (Index i = 0; i < rows; ++i) {
      const std::span<const T> z = at.coordinates().row(first + i);
      for (Index k = 0; k < r; ++k) pulled(i, k) -= z[static_cast<std::size_t>(k)] * sums[static_cast<std::size_t>(i)];
    }
    // rows x r, (d x r)ᵀ
    gemm<T>(pulled, factor_, gradients.row_block(first, rows), {.b = true});
  });
}

template <class T>
TensorFile tensor_file(const KernelMachine<T>& machine) {
  TensorFile file;
  file.metadata = {{"kernel", name_of(machine.kernel().shape)},
                   {"bandwidth", number_text(machine.kernel().bandwidth)},
                   {"exponent", number_text(machine.kernel().exponent)}};
  file.tensors["centres"] = {.values = machine.centres()};
  file.tensors["metric"] = {.values = machine.metric()};
  file.tensors["coefficients"] = {.values = machine.coefficients()};
  return file;
}

template <class T>
KernelMachine<T> kernel_machine_from(const TensorFile& file) {
  const auto metadata = [&](const char* key) -> const std::string& {
    const auto at = file.metadata.find(key);
    if (at == file.metadata.end()) throw InputError(text("metadata ", key, ": found none, expected one"));
    return at->second;
  };
  const auto number = [&](const char* key) {
    const std::optional<double> value = number_in(metadata(key));
    if (!value)
      throw InputError(text("metadata ", key, ": found '", one_line(metadata(key)), "', expected a finite number"));
    return *value;
  };
  const auto tensor = [&](const char* name) {
    const auto at = file.tensors.find(name);
    if (at == file.tensors.end()) throw InputError(text("tensor ", name, ": found none, expected one"));
    Matrix<T> values = values_as<T>(at->second);
    for (const T value : values.span())
      if (!std::isfinite(value)) throw InputError(text("tensor ", name, ": found ", value, ", expected finite values"));
    return values;
  };
  return {{.shape = kernel_shape(metadata("kernel")), .bandwidth = number("bandwidth"), .exponent = number("exponent")},
          tensor("centres"),
          tensor("metric"),
          tensor("coefficients")};
}

template class KernelMachine<float>;
template class KernelMachine<double>;
template TensorFile tensor_file(const KernelMachine<float>&);
template TensorFile tensor_file(const KernelMachine<double>&);
template KernelMachine<float> kernel_machine_from(const TensorFile&);
template KernelMachine<double> kernel_machine_from(const TensorFile&);

}  // namespace normalign

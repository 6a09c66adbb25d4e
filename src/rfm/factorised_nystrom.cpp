#include "rfm/factorised_nystrom.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/infinity.hpp"
#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/random.hpp"

namespace normalign {
namespace {

// Columns of a sparse product that are summed in registers.
constexpr Index product_cols = 16;

// The points of these numbers.
template <class T>
MahalanobisPoints<T> points_at(const MahalanobisPoints<T>& points, std::span<const Index> numbers) {
  Matrix<T> coordinates(static_cast<Index>(numbers.size()), points.rank());
  for (Index i = 0; i < coordinates.rows(); ++i)
    std::ranges::copy(points.coordinates().row(numbers[static_cast<std::size_t>(i)]), coordinates.row(i).begin());
  return MahalanobisPoints<T>(std::move(coordinates));
}

// Of the points that it has seen, the nearest.
template <class T>
class NearestPoints {
 public:
  void clear(Index most) {
    most_ = static_cast<std::size_t>(most);
    limit_ = static_cast<T>(infinity);
    found_.clear();
  }

  // Points first, first + 1, ... at these distances.
  void see(std::span<const T> distances, Index first) {
    for (std::size_t j = 0; j < distances.size(); ++j) {
      if (found_.size() >= most_ && !(distances[j] < limit_)) continue;
      found_.emplace_back(distances[j], static_cast<std::int32_t>(first) + static_cast<std::int32_t>(j));
      if (found_.size() > 4 * most_) drop_far_ones();
    }
  }

  // Their distances and numbers, by ascending number.
  std::span<const std::pair<T, std::int32_t>> by_number() {
    drop_far_ones();
    std::ranges::sort(found_, {}, [](const auto& entry) { return entry.second; });
    return found_;
  }

 private:
  void drop_far_ones() {
    if (found_.size() <= most_) return;
    std::ranges::nth_element(found_, found_.begin() + static_cast<std::ptrdiff_t>(most_));
    limit_ = found_[most_].first;
    found_.resize(most_);
  }

  std::size_t most_ = 0;
  T limit_ = 0;  // points from this distance on are none of the nearest
  std::vector<std::pair<T, std::int32_t>> found_;
};

// The last row of C⁻¹, S = C Cᵀ, to `row`; false where S (n x n, lower triangle, overwritten) is not positive definite.
bool last_row_of_inverse_factor(MatrixView<float> s, std::span<float> row) {
  if (!cholesky<float>(s)) return false;
  const auto n = static_cast<Index>(row.size());
  std::ranges::fill(row, 0.0f);
  row.back() = 1 / s(n - 1, n - 1);
  // xᵀC = eᵀ/C_nn from the back: what x_i leaves on the columns before it.
  for (Index i = n - 1; i >= 0; --i) {
    const float value = i == n - 1 ? row.back() : row[static_cast<std::size_t>(i)] / s(i, i);
    row[static_cast<std::size_t>(i)] = value;
    for (Index j = 0; j < i; ++j) row[static_cast<std::size_t>(j)] -= value * s(i, j);
  }
  return true;
}

}  // namespace

template <class T>
FactorisedNystrom::FactorisedNystrom(const Kernel& kernel, const MahalanobisPoints<T>& points, double regularisation,
                                     const FactorisedNystromOptions& options)
    : threads_(options.threads) {
  check(kernel);
  check_threads("FactorisedNystrom", threads_);
  if (options.landmarks < 0 || options.neighbours < 0 || !(regularisation >= 0))
    throw InputError(text("FactorisedNystrom: landmarks, neighbours and regularisation are ", options.landmarks, ", ",
                          options.neighbours, " and ", regularisation, "; none may be negative"));
  const ThreadLimit limit(threads_);
  const Index n = points.size(), k = std::min(options.landmarks, n);
  order_ = permutation(n, RandomIntegers(options.seed, Stream::landmarks));
  const std::span<const Index> order(order_);
  const MahalanobisPoints<T> landmarks = points_at(points, order.first(static_cast<std::size_t>(k)));
  const MahalanobisPoints<T> rest = points_at(points, order.subspan(static_cast<std::size_t>(k)));

  Matrix<T> values(k, k);
  kernel_matrix<T>(kernel, landmarks, values, threads_, options.stop);
  for (double shift = regularisation;; shift = std::max(10 * shift, 1e-6)) {
    factor_ = converted<float>(values.view());
    for (Index i = 0; i < k; ++i) factor_(i, i) += static_cast<float>(shift);
    if (cholesky<float>(factor_, options.stop)) break;
    if (shift > static_cast<double>(2 * k)) throw RunError("FactorisedNystrom: the kernel matrix is not finite");
  }
  // Wᵀ = L⁻¹ K_12
  values.resize(k, n - k);
  kernel_matrix<T>(kernel, landmarks, rest, values, threads_, options.stop);
  Matrix<float> transposed_weights = converted<float>(values.view());
  values = {};
  triangular_solve<float>(factor_, transposed_weights);
  options.stop.check();
  weights_ = normalign::transposed(transposed_weights.view());

  inverse_ = inverse_factor(kernel, rest, regularisation, options);
  inverse_transposed_ = transposed(inverse_);
}

template <class T>
FactorisedNystrom::SparseRows FactorisedNystrom::inverse_factor(const Kernel& kernel, const MahalanobisPoints<T>& rest,
                                                                double regularisation,
                                                                const FactorisedNystromOptions& options) const {
  const Index n = rest.size(), k = landmarks(), neighbours = options.neighbours;
  SparseRows result;
  result.first.resize(static_cast<std::size_t>(n) + 1);
  for (Index i = 0; i < n; ++i)
    result.first[static_cast<std::size_t>(i) + 1] =
        result.first[static_cast<std::size_t>(i)] + static_cast<std::size_t>(std::min(i, neighbours) + 1);
  result.columns.resize(result.first.back());
  result.values.resize(result.first.back());

  struct Scratch {
    std::array<NearestPoints<T>, kernel_block_rows> nearest;
    Matrix<T> tile;
    Matrix<float> weights, s;
  };
  parallel_for_with<Scratch>(threads_, kernel_blocks(n), [&](Index block, Scratch& scratch) {
    auto& [nearest, tile, weights, s] = scratch;
    const auto [first, rows] = kernel_block(n, block);
    for (NearestPoints<T>& points : nearest) points.clear(neighbours);
    for (Index col = 0; col < first + rows; col += kernel_tile_cols) {
      options.stop.check();
      tile.resize(rows, std::min(kernel_tile_cols, first + rows - col));
      rest.squared_distances(first, rest, col, tile);
      for (Index i = 0; i < rows; ++i) {
        const Index before = std::clamp<Index>(first + i - col, 0, tile.cols());
        nearest[static_cast<std::size_t>(i)].see(std::as_const(tile).row(i).first(static_cast<std::size_t>(before)),
                                                 col);
      }
    }
    for (Index i = first; i < first + rows; ++i) {
      options.stop.check();
      const std::size_t at = result.first[static_cast<std::size_t>(i)];
      const std::span columns(&result.columns[at], result.first[static_cast<std::size_t>(i) + 1] - at);
      std::ranges::transform(nearest[static_cast<std::size_t>(i - first)].by_number(), columns.begin(),
                             [](const auto& entry) { return entry.second; });
      columns.back() = static_cast<std::int32_t>(i);
      // S at these points.
      const auto count = static_cast<Index>(columns.size());
      Matrix<T> coordinates(count, rest.rank());
      weights.resize(count, k);
      for (Index j = 0; j < count; ++j) {
        std::ranges::copy(rest.coordinates().row(columns[static_cast<std::size_t>(j)]), coordinates.row(j).begin());
        std::ranges::copy(weights_.row(columns[static_cast<std::size_t>(j)]), weights.row(j).begin());
      }
      tile.resize(count, count);
      kernel_matrix<T>(kernel, MahalanobisPoints<T>(std::move(coordinates)), tile);
      s.resize(count, count);
      std::ranges::transform(tile.span(), s.span().begin(), [](T value) { return static_cast<float>(value); });
      // count x k, (count x k)ᵀ
      gemm<float>(weights, weights, s, {.b = true}, -1, 1);
      for (Index j = 0; j < count; ++j) s(j, j) += static_cast<float>(regularisation);
      const float own = s(count - 1, count - 1);
      const std::span<float> row(&result.values[at], columns.size());
      if (!last_row_of_inverse_factor(s, row)) {
        std::ranges::fill(row, 0.0f);
        row.back() = 1 / std::sqrt(std::max(own, std::numeric_limits<float>::epsilon()));
      }
    }
  });
  return result;
}

FactorisedNystrom::SparseRows FactorisedNystrom::transposed(const SparseRows& matrix) {
  const std::size_t rows = matrix.first.size() - 1;
  SparseRows result{.first = std::vector<std::size_t>(rows + 1),
                    .columns = std::vector<std::int32_t>(matrix.columns.size()),
                    .values = std::vector<float>(matrix.values.size())};
  for (const std::int32_t column : matrix.columns) ++result.first[static_cast<std::size_t>(column) + 1];
  std::partial_sum(result.first.begin(), result.first.end(), result.first.begin());
  std::vector<std::size_t> next(result.first.begin(), result.first.end() - 1);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t at = matrix.first[i]; at < matrix.first[i + 1]; ++at) {
      const std::size_t to = next[static_cast<std::size_t>(matrix.columns[at])]++;
      result.columns[to] = static_cast<std::int32_t>(i);
      result.values[to] = matrix.values[at];
    }
  return result;
}

void FactorisedNystrom::multiply(const SparseRows& matrix, ConstView<float> x, MatrixView<float> out, int threads) {
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, kernel_blocks(out.rows()), failures, [&](Index block) {
    const auto [first, rows] = kernel_block(out.rows(), block);
    for (Index i = first; i < first + rows; ++i)
      for (Index col = 0; col < x.cols(); col += product_cols) {
        std::array<float, product_cols> sum{};
        for (std::size_t at = matrix.first[static_cast<std::size_t>(i)];
             at < matrix.first[static_cast<std::size_t>(i) + 1]; ++at) {
          const float* const from = &x(matrix.columns[at], col);
          for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += matrix.values[at] * from[j];
        }
        std::ranges::copy(sum, &out(i, col));
      }
  });
}

void FactorisedNystrom::solve(ConstView<double> r, MatrixView<double> z) {
  const auto n = static_cast<Index>(order_.size());
  if (r.rows() != n || z.shape() != r.shape())
    throw InputError(text("FactorisedNystrom: r is ", r.shape(), " and z is ", z.shape(), "; both must have ", n,
                          " rows and the same columns"));
  const ThreadLimit limit(threads_);
  // With columns of zeros to a multiple of `product_cols`.
  const Index k = landmarks(), c = r.cols(), padded = (c + product_cols - 1) / product_cols * product_cols;
  ordered_.resize(n, padded);
  product_.resize(n - k, padded);
  for (Index i = 0; i < n; ++i) {
    const std::span<float> row = ordered_.row(i);
    std::ranges::fill(row.subspan(static_cast<std::size_t>(c)), 0.0f);
    std::ranges::transform(r.row(order_[static_cast<std::size_t>(i)]), row.begin(),
                           [](double value) { return static_cast<float>(value); });
  }
  const MatrixView<float> first = ordered_.view().row_block(0, k), second = ordered_.view().row_block(k, n - k);
  triangular_solve<float>(factor_, first);
  // (n - k) x k, k x c
  gemm<float>(weights_, first, second, {}, -1, 1);
  multiply(inverse_, second, product_, threads_);
  multiply(inverse_transposed_, product_, second, threads_);
  // ((n - k) x k)ᵀ, (n - k) x c
  gemm<float>(weights_, second, first, {.a = true}, -1, 1);
  triangular_solve<float>(factor_, first, true);
  for (Index i = 0; i < n; ++i)
    std::ranges::copy(std::as_const(ordered_).row(i).first(static_cast<std::size_t>(c)),
                      z.row(order_[static_cast<std::size_t>(i)]).begin());
}

template FactorisedNystrom::FactorisedNystrom(const Kernel&, const MahalanobisPoints<float>&, double,
                                              const FactorisedNystromOptions&);
template FactorisedNystrom::FactorisedNystrom(const Kernel&, const MahalanobisPoints<double>&, double,
                                              const FactorisedNystromOptions&);

}  // namespace normalign

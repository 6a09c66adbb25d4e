#include "rfm/agop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "linalg/blas.hpp"
#include "linalg/reduce.hpp"
#include "linalg/row_blocks.hpp"

namespace normalign {
namespace {

// Points whose Jacobians are there at a time in the sum over points: the more, the seldomer the centres are scaled.
constexpr Index point_rows = 256;
// Centres whose slopes are held side by side in the sum over pairs.
constexpr Index panel_cols = 256;

template <class T>
void add_to(Matrix<T>& sum, const Matrix<T>& part) {
  for (std::size_t i = 0; i < sum.span().size(); ++i) sum.span()[i] += part.span()[i];
}

// Both sums below are those of J_pᵀJ_p times the shares of the points p, in the coordinates z: r x r.

// From the Jacobians of some points at a time: 2 m n c r + m c r² flops for m points, n centres and c outputs.
template <class T>
Matrix<T> sum_over_points(const KernelMachine<T>& machine, const MahalanobisPoints<T>& points,
                          const std::vector<T>& shares, int threads, const StopPoll& stop) {
  const Index count = points.size(), c = machine.outputs(), r = points.rank();
  const Index parts = std::clamp<Index>(2 * count / point_rows, 1, most_sum_parts);
  std::vector<Matrix<T>> sums(static_cast<std::size_t>(parts));
  struct Scratch {
    Matrix<T> jacobians;
    typename KernelMachine<T>::JacobianScratch sums;
  };
  parallel_for_with<Scratch>(threads, parts, [&](Index part, Scratch& scratch) {
    Matrix<T>& jacobians = scratch.jacobians;
    Matrix<T> sum(r, r);
    const RowBlock mine = row_block(count, parts, part);
    for (Index first = mine.first; first < mine.first + mine.count; first += point_rows) {
      jacobians.resize(std::min(point_rows, mine.first + mine.count - first), c * r);
      machine.factored_jacobians(points, first, jacobians, scratch.sums, stop);
      for (Index i = 0; i < jacobians.rows(); ++i) {
        const T root = std::sqrt(shares[static_cast<std::size_t>(first + i)]);
        for (T& value : jacobians.row(i)) value *= root;
      }
      // ((rows c) x r)ᵀ, (rows c) x r
      syrk<T>(ConstView<T>(jacobians.data(), jacobians.rows() * c, r), sum, T(1), T(1));
    }
    sums[static_cast<std::size_t>(part)] = std::move(sum);
  });
  Matrix<T> sum(r, r);
  for (const Matrix<T>& part : sums) add_to(sum, part);
  return sum;
}

// With slopes w_pi and coefficients a_i, -J_p = s_p z_pᵀ - sum_i w_pi a_i z_iᵀ, where s_p = sum_i w_pi a_i. Multiplied
// out, the outputs are in nothing but the products a_iᵀa_j and s_pᵀa_i:
//   J_pᵀJ_p = |s_p|² z_p z_pᵀ - sum_i w_pi s_pᵀa_i (z_p z_iᵀ + z_i z_pᵀ) + sum_ij w_pi w_pj a_iᵀa_j z_i z_jᵀ,
// and the sum over p is in the last term one product of the slopes with themselves: m n² + n² c + 4 m n c flops, the
// less where there are many outputs. A pair that is near has a steep slope, and what its terms have in common cancels:
// where that would cost more than half of the digits there is no result.
template <class T>
class SumOverPairs {
 public:
  SumOverPairs(const KernelMachine<T>& machine, const MahalanobisPoints<T>& points, const std::vector<T>& shares)
      : machine_(machine), shares_(shares) {
    // The differences alone count: about the mean the coordinates are short, and cancel the less.
    Matrix<T> z(points.coordinates()), centres(machine.points(machine.centres()).coordinates());
    for (Index k = 0; k < z.cols(); ++k) {
      T mean = 0;
      for (Index i = 0; i < centres.rows(); ++i) mean += centres(i, k) / static_cast<T>(centres.rows());
      for (Index i = 0; i < centres.rows(); ++i) centres(i, k) -= mean;
      for (Index i = 0; i < z.rows(); ++i) z(i, k) -= mean;
    }
    points_ = MahalanobisPoints<T>(std::move(z));
    centres_ = MahalanobisPoints<T>(std::move(centres));
    T longest = 0;
    for (const auto* side : {&points_, &centres_})
      for (Index i = 0; i < side->size(); ++i) {
        const std::span<const T> row = side->coordinates().row(i);
        longest = std::max(longest, static_cast<T>(dot(row, row)));
      }
    nearest_ = 16 * std::sqrt(std::numeric_limits<T>::epsilon()) * longest;
    for (Index j = 0; j < panels(); ++j) slopes_.emplace_back(points_.size(), panel(j).count);
  }

  // The sum, or nothing where too much cancels.
  std::optional<Matrix<T>> operator()(int threads, const StopPoll& stop) {
    const Index blocks = kernel_blocks(points_.size()), r = points_.rank();
    std::vector<Matrix<T>> parts(static_cast<std::size_t>(blocks));
    std::vector<char> cancels(static_cast<std::size_t>(blocks));
    parallel_for_with<Scratch>(threads, blocks, [&](Index block, Scratch& scratch) {
      stop.check();
      const RowBlock rows = kernel_block(points_.size(), block);
      cancels[static_cast<std::size_t>(block)] = !find_slopes(rows, scratch);
      parts[static_cast<std::size_t>(block)] = first_terms(rows, scratch);
    });
    if (std::ranges::find(cancels, 1) != cancels.end()) return std::nullopt;

    std::vector<std::pair<Index, Index>> pairs;
    for (Index i = 0; i < panels(); ++i)
      for (Index j = 0; j <= i; ++j) pairs.emplace_back(i, j);
    parts.resize(static_cast<std::size_t>(blocks) + pairs.size());
    parallel_for_with<Scratch>(threads, static_cast<Index>(pairs.size()), [&](Index number, Scratch& scratch) {
      stop.check();
      const auto [left, right] = pairs[static_cast<std::size_t>(number)];
      parts[static_cast<std::size_t>(blocks + number)] = last_term(left, right, scratch);
    });
    Matrix<T> half(r, r), sum(r, r);
    for (const Matrix<T>& part : parts) add_to(half, part);
    for (Index i = 0; i < r; ++i)
      for (Index j = 0; j < r; ++j) sum(i, j) = half(i, j) + half(j, i);
    return sum;
  }

 private:
  struct Scratch {
    Matrix<T> values, products, s, pulled;
  };

  // Panel j: the centres whose slopes are side by side in slopes_[j].
  Index panels() const { return (centres_.size() + panel_cols - 1) / panel_cols; }
  RowBlock panel(Index j) const {
    return {.first = j * panel_cols, .count = std::min(panel_cols, centres_.size() - j * panel_cols)};
  }
  Matrix<T>& slopes(Index j) { return slopes_[static_cast<std::size_t>(j)]; }
  ConstView<T> coefficients(RowBlock centres) const {
    return machine_.coefficients().view().row_block(centres.first, centres.count);
  }
  ConstView<T> coordinates(RowBlock centres) const {
    return centres_.coordinates().row_block(centres.first, centres.count);
  }

  // The slopes w_p of some points, and scratch.s, their s_p; false where a pair is so near that too much cancels.
  bool find_slopes(RowBlock rows, Scratch& scratch) {
    auto& [values, products, s, pulled] = scratch;
    bool exact = true;
    s.resize(rows.count, machine_.outputs());
    std::ranges::fill(s.span(), T(0));
    for (Index j = 0; j < panels(); ++j) {
      const RowBlock cols = panel(j);
      values.resize(rows.count, cols.count);
      points_.squared_distances(rows.first, centres_, cols.first, values);
      for (const T squared : values.span())
        if (squared < nearest_ && squared >= T(least_distance * least_distance)) exact = false;
      const MatrixView<T> w = slopes(j).view().row_block(rows.first, rows.count);
      kernel_values_and_slopes<T>(machine_.kernel(), values.span(), w.span());
      // rows x panel, panel x c
      gemm<T>(w, coefficients(cols), s, {}, T(1), T(1));
    }
    return exact;
  }

  // Half of the first two terms, summed over the points whose slopes are there: added to its transpose it is the whole.
  // The slopes are scaled for `last_term` by the roots of the shares.
  Matrix<T> first_terms(RowBlock rows, Scratch& scratch) {
    auto& [values, products, s, pulled] = scratch;
    const Index r = points_.rank();
    pulled.resize(rows.count, r);
    std::ranges::fill(pulled.span(), T(0));
    for (Index j = 0; j < panels(); ++j) {
      const RowBlock cols = panel(j);
      const MatrixView<T> w = slopes(j).view().row_block(rows.first, rows.count);
      products.resize(rows.count, cols.count);
      // rows x c, (panel x c)ᵀ
      gemm<T>(s, coefficients(cols), products, {.b = true});
      for (std::size_t i = 0; i < w.span().size(); ++i) products.span()[i] *= w.span()[i];
      // rows x panel, panel x r
      gemm<T>(products, coordinates(cols), pulled, {}, T(1), T(1));
    }
    // pulled <- |s_p|² z_p / 2 - sum_i w_pi s_pᵀa_i z_i, times the share
    for (Index i = 0; i < rows.count; ++i) {
      const T share = shares_[static_cast<std::size_t>(rows.first + i)], root = std::sqrt(share);
      const std::span<const T> z = points_.coordinates().row(rows.first + i), s_p = std::as_const(s).row(i);
      const T half = static_cast<T>(dot(s_p, s_p) / 2);
      for (Index k = 0; k < r; ++k) pulled(i, k) = share * (half * z[static_cast<std::size_t>(k)] - pulled(i, k));
      for (Matrix<T>& w : slopes_)
        for (T& value : w.row(rows.first + i)) value *= root;
    }
    Matrix<T> sum(r, r);
    // (rows x r)ᵀ, rows x r
    gemm<T>(pulled, points_.coordinates().row_block(rows.first, rows.count), sum, {.a = true});
    return sum;
  }

  // The last term's pairs of a centre of the panel `left` and one of `right`, the same half of it.
  Matrix<T> last_term(Index left, Index right, Scratch& scratch) {
    auto& [weights, products, s, pulled] = scratch;
    const RowBlock rows = panel(left), cols = panel(right);
    weights.resize(rows.count, cols.count);
    products.resize(rows.count, cols.count);
    pulled.resize(rows.count, points_.rank());
    // (m x left)ᵀ, m x right; left x c, (right x c)ᵀ
    gemm<T>(slopes(left), slopes(right), weights, {.a = true});
    gemm<T>(coefficients(rows), coefficients(cols), products, {.b = true});
    const T share = left == right ? T(0.5) : T(1);
    for (std::size_t i = 0; i < weights.span().size(); ++i) weights.span()[i] *= share * products.span()[i];
    Matrix<T> sum(points_.rank(), points_.rank());
    // left x right, right x r; (left x r)ᵀ, left x r
    gemm<T>(weights, coordinates(cols), pulled);
    gemm<T>(coordinates(rows), pulled, sum, {.a = true});
    return sum;
  }

  const KernelMachine<T>& machine_;
  const std::vector<T>& shares_;
  MahalanobisPoints<T> points_, centres_;  // m and n
  T nearest_ = 0;                          // pairs with a squared distance below cancel too much
  std::vector<Matrix<T>> slopes_;          // one for each panel, m x panel
};

// The mean Jacobian of the points with their shares s_p, in the coordinates z: c x r. With slopes w_pi and coefficients
// a_i it is sum_i a_i v_iᵀ, where v_i = sum_p s_p w_pi (z_i - z_p).
template <class T>
Matrix<T> mean_jacobian(const KernelMachine<T>& machine, const MahalanobisPoints<T>& points,
                        const std::vector<T>& shares, int threads, const StopPoll& stop) {
  const MahalanobisPoints<T> centres = machine.points(machine.centres());
  const Index n = centres.size(), r = centres.rank(), blocks = kernel_blocks(n);
  std::vector<Matrix<T>> parts(static_cast<std::size_t>(blocks));
  struct Scratch {
    Matrix<T> values, slopes, v;
  };
  parallel_for_with<Scratch>(threads, blocks, [&](Index block, Scratch& scratch) {
    auto& [values, slopes, v] = scratch;
    const RowBlock rows = kernel_block(n, block);
    v.resize(rows.count, r);
    std::ranges::fill(v.span(), T(0));
    std::vector<T> sums(static_cast<std::size_t>(rows.count));
    for (Index col = 0; col < points.size(); col += kernel_tile_cols) {
      stop.check();
      const Index cols = std::min(kernel_tile_cols, points.size() - col);
      values.resize(rows.count, cols);
      slopes.resize(rows.count, cols);
      centres.squared_distances(rows.first, points, col, values);
      kernel_values_and_slopes<T>(machine.kernel(), values.span(), slopes.span());
      for (Index i = 0; i < rows.count; ++i)
        for (Index p = 0; p < cols; ++p) {
          slopes(i, p) *= shares[static_cast<std::size_t>(col + p)];
          sums[static_cast<std::size_t>(i)] += slopes(i, p);
        }
      // block x tile, tile x r
      gemm<T>(slopes, points.coordinates().row_block(col, cols), v, {}, T(-1), T(1));
    }
    for (Index i = 0; i < rows.count; ++i) {
      const std::span<const T> z = centres.coordinates().row(rows.first + i);
      for (Index k = 0; k < r; ++k) v(i, k) += sums[static_cast<std::size_t>(i)] * z[static_cast<std::size_t>(k)];
    }
    Matrix<T> part(machine.outputs(), r);
    // (block x c)ᵀ, block x r
    gemm<T>(machine.coefficients().view().row_block(rows.first, rows.count), v, part, {.a = true});
    parts[static_cast<std::size_t>(block)] = std::move(part);
  });
  Matrix<T> sum(machine.outputs(), r);
  for (const Matrix<T>& part : parts) add_to(sum, part);
  return sum;
}

template <class T>
T trace(const Matrix<T>& m) {
  T sum = 0;
  for (Index i = 0; i < m.rows(); ++i) sum += m(i, i);
  return sum;
}

// The sum of the outer products less that of their mean, in the coordinates z: r x r.
template <class T>
void subtract_mean(Matrix<T>& sum, const Matrix<T>& mean) {
  const T before = trace(sum);
  // (c x r)ᵀ, c x r
  syrk<T>(mean, sum, T(-1), T(1));
  // What is left of equal Jacobians is rounding, and a metric made of it would be noise.
  if (!(trace(sum) > std::sqrt(std::numeric_limits<T>::epsilon()) * before)) std::ranges::fill(sum.span(), T(0));
}

template <class T>
Matrix<T> outer_products(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads,
                         const StopPoll& stop, bool centred) {
  if (static_cast<Index>(weights.size()) != x.rows() || std::ranges::any_of(weights, [](Index w) { return w < 0; }))
    throw InputError(text("agop: x is ", x.shape(), " but there are ", weights.size(),
                          " weights; there must be one per row, none negative"));
  const Index total = std::accumulate(weights.begin(), weights.end(), Index{0});
  if (total == 0) throw InputError("agop: the weights sum to 0; one must be positive");
  check_threads("agop", threads);

  std::vector<Index> rows;
  std::vector<T> shares;
  for (Index i = 0; i < x.rows(); ++i)
    if (const Index weight = weights[static_cast<std::size_t>(i)]; weight > 0) {
      rows.push_back(i);
      shares.push_back(static_cast<T>(weight) / static_cast<T>(total));
    }
  const auto count = static_cast<Index>(rows.size()), d = x.cols();
  Matrix<T> taken(count, d);
  for (Index i = 0; i < count; ++i) std::ranges::copy(x.row(rows[static_cast<std::size_t>(i)]), taken.row(i).begin());
  const Index n = machine.centres().rows(), c = machine.outputs(), r = machine.factor().cols();

  // Pairs are summed in blocks and in order too, so this choice, which the shapes make, leaves bits at any number of
  // threads alike.
  const MahalanobisPoints<T> points = machine.points(taken);
  std::optional<Matrix<T>> sum;
  if (n < c * r) sum = SumOverPairs<T>(machine, points, shares)(threads, stop);
  if (!sum) sum = sum_over_points<T>(machine, points, shares, threads, stop);
  if (centred) subtract_mean(*sum, mean_jacobian<T>(machine, points, shares, threads, stop));
  stop.check();
  Matrix<T> half(d, r), result(d, d);
  // F sum Fᵀ: d x r, r x r; d x r, (d x r)ᵀ
  gemm<T>(machine.factor(), *sum, half);
  gemm<T>(half, machine.factor(), result, {.b = true});
  return result;
}

}  // namespace

template <class T>
Matrix<T> agop(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads,
               const StopPoll& stop) {
  return outer_products(machine, x, weights, threads, stop, false);
}

template <class T>
Matrix<T> centred_agop(const KernelMachine<T>& machine, ConstView<T> x, std::span<const Index> weights, int threads,
                       const StopPoll& stop) {
  return outer_products(machine, x, weights, threads, stop, true);
}

template Matrix<float> agop(const KernelMachine<float>&, ConstView<float>, std::span<const Index>, int,
                            const StopPoll&);
template Matrix<double> agop(const KernelMachine<double>&, ConstView<double>, std::span<const Index>, int,
                             const StopPoll&);
template Matrix<float> centred_agop(const KernelMachine<float>&, ConstView<float>, std::span<const Index>, int,
                                    const StopPoll&);
template Matrix<double> centred_agop(const KernelMachine<double>&, ConstView<double>, std::span<const Index>, int,
                                     const StopPoll&);

}  // namespace normalign

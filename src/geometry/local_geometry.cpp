#include "geometry/local_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/grad.hpp"
#include "linalg/lapack.hpp"
#include "linalg/reduce.hpp"
#include "nn/row_blocks.hpp"

namespace normalign {
namespace {

// Every measure with its name, once.
constexpr std::pair<const char*, std::optional<double> LocalGeometry::*> all_measures[] = {
    {"centroid_alignment", &LocalGeometry::centroid_alignment},
    {"class_alignment", &LocalGeometry::class_alignment},
    {"normal_alignment", &LocalGeometry::normal_alignment},
    {"centred_normal_alignment", &LocalGeometry::centred_normal_alignment},
    {"effective_rank", &LocalGeometry::effective_rank},
    {"explained_variance", &LocalGeometry::explained_variance},
    {"jacobian_norm", &LocalGeometry::jacobian_norm},
    {"offset_norm", &LocalGeometry::offset_norm}};

std::optional<double> cosine(std::span<const double> a, std::span<const double> b) {
  const double lengths = std::sqrt(dot(a, a)) * std::sqrt(dot(b, b));
  if (!(lengths > 1e-8)) return std::nullopt;
  return dot(a, b) / lengths;
}

std::vector<double> column_sums(ConstView<double> a) {
  std::vector<double> sums(static_cast<std::size_t>(a.cols()));
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) sums[static_cast<std::size_t>(j)] += a(i, j);
  return sums;
}

std::optional<double> first_right_alignment(const Svd<double>& decomposition, std::span<const double> x) {
  if (decomposition.values.empty() || decomposition.values.front() == 0) return std::nullopt;
  const auto found = cosine(decomposition.right.row(0), x);
  return found ? std::optional(std::abs(*found)) : std::nullopt;
}

// Blocks of so many samples: their Jacobians are in memory together.
constexpr Index samples_per_block = 16;

}  // namespace

std::vector<std::pair<const char*, std::optional<double>>> measures(const LocalGeometry& geometry) {
  std::vector<std::pair<const char*, std::optional<double>>> result;
  for (const auto& [name, member] : all_measures) result.emplace_back(name, geometry.*member);
  return result;
}

LocalGeometry local_geometry(ConstView<double> jacobian, ConstView<double> output, ConstView<double> x,
                             std::int32_t label) {
  const Index k = jacobian.rows(), d = jacobian.cols();
  if (k < 1 || output.shape() != Shape{1, k} || x.shape() != Shape{1, d})
    throw InputError(text("local_geometry: jacobian is ", jacobian.shape(), ", output ", output.shape(), " and x ",
                          x.shape(), "; they must be k x d, 1 x k and 1 x d"));
  if (label < 0 || label >= std::max<Index>(k, 2))
    throw InputError(text("local_geometry: label is ", label, "; it must be from 0 to ", std::max<Index>(k, 2) - 1));
  LocalGeometry result;
  const std::vector<double> centroid = column_sums(jacobian);
  result.centroid_alignment = cosine(centroid, x.span());

  double squared_offset = 0;
  for (Index i = 0; i < k; ++i) {
    const double b = output(0, i) - dot<double>(jacobian.row(i), x.span());
    squared_offset += b * b;
  }
  result.offset_norm = squared_offset;
  const double squared_norm = dot(jacobian.span(), jacobian.span());
  result.jacobian_norm = std::sqrt(squared_norm);

  const Svd<double> decomposition = svd(jacobian);
  result.normal_alignment = first_right_alignment(decomposition, x.span());
  if (squared_norm > 0) {
    const double sum = total<double>(decomposition.values);
    result.effective_rank = sum * sum / squared_norm;
    result.explained_variance = decomposition.values.front() * decomposition.values.front() / squared_norm;
  }
  if (k == 1) {
    if (result.centroid_alignment) result.class_alignment = (label == 1 ? 1 : -1) * *result.centroid_alignment;
    result.centred_normal_alignment = result.normal_alignment;
    return result;
  }
  Matrix<double> centred(jacobian);
  for (Index i = 0; i < k; ++i)
    for (Index j = 0; j < d; ++j) centred(i, j) -= centroid[static_cast<std::size_t>(j)] / static_cast<double>(k);
  // Rounding leaves a little of what should be zero, and its direction means nothing.
  if (dot<double>(centred.span(), centred.span()) <= 1e-24 * squared_norm) return result;
  result.class_alignment = cosine(centred.row(label), x.span());
  result.centred_normal_alignment = first_right_alignment(svd(ConstView<double>(centred)), x.span());
  return result;
}

template <class T>
LocalGeometry mean_local_geometry(const Mlp<T>& mlp, const Batch<T>& data, int threads) {
  const Index n = data.inputs.rows(), d = data.inputs.cols();
  if (n < 1 || static_cast<Index>(data.labels.size()) != n)
    throw InputError(text("mean_local_geometry: inputs are ", data.inputs.shape(), " and there are ",
                          data.labels.size(), " labels; there must be a row and one label per row"));
  if (threads < 1) throw InputError(text("mean_local_geometry: threads is ", threads, "; it must be at least 1"));
  const Index blocks = (n + samples_per_block - 1) / samples_per_block;
  std::vector<LocalGeometry> found(static_cast<std::size_t>(n));
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index block) {
    const RowBlock rows = row_block(n, blocks, block);
    Tape<T> tape;
    auto net = mlp.on(tape);
    const Var<T> x = tape.borrowed_variable(data.inputs.row_block(rows.first, rows.count));
    const Var<T> f = net(x);
    const std::vector<Var<T>> gradients = jacobian(f, x);
    const Index k = f.cols();
    Matrix<double> j(k, d), output(1, k), point(1, d);
    for (Index row = 0; row < rows.count; ++row) {
      const auto sample = static_cast<std::size_t>(rows.first + row);
      std::ranges::copy(data.inputs.row(rows.first + row), point.span().begin());
      std::ranges::copy(f.value().row(row), output.span().begin());
      for (Index i = 0; i < k; ++i)
        std::ranges::copy(gradients[static_cast<std::size_t>(i)].value().row(row), j.row(i).begin());
      found[sample] = local_geometry(j, output, point, data.labels[sample]);
    }
  });
  LocalGeometry mean;
  for (const auto& [name, member] : all_measures) {
    double sum = 0;
    Index defined = 0;
    for (const LocalGeometry& geometry : found)
      if (geometry.*member) {
        sum += *(geometry.*member);
        ++defined;
      }
    if (defined > 0) mean.*member = sum / static_cast<double>(defined);
  }
  return mean;
}

double chance_alignment(Index d) { return std::sqrt(2 / (std::numbers::pi * static_cast<double>(d))); }

template LocalGeometry mean_local_geometry(const Mlp<float>&, const Batch<float>&, int);
template LocalGeometry mean_local_geometry(const Mlp<double>&, const Batch<double>&, int);

}  // namespace normalign

#include "geometry/local_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "autodiff/grad.hpp"
#include "linalg/blas.hpp"
#include "linalg/lapack.hpp"
#include "linalg/norm.hpp"
#include "linalg/reduce.hpp"
#include "linalg/row_blocks.hpp"
#include "nn/batch.hpp"
#include "nn/mlp.hpp"

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
    {"offset_norm", &LocalGeometry::offset_norm},
    {"centroid_norm", &LocalGeometry::centroid_norm}};

// The cosine of two vectors by their inner product and lengths; from rounding it may be just beyond 1.
std::optional<double> cosine(double inner_product, double length_a, double length_b) {
  if (!(length_a * length_b > 1e-8)) return std::nullopt;
  return inner_product / (length_a * length_b);
}

Matrix<double> column_sums(ConstView<double> a) {
  Matrix<double> sums(1, a.cols());
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) sums(0, j) += a(i, j);
  return sums;
}

// a with the mean row subtracted from every row.
Matrix<double> centred(Matrix<double> a) {
  const Matrix<double> sums = column_sums(a);
  for (Index i = 0; i < a.rows(); ++i)
    for (Index j = 0; j < a.cols(); ++j) a(i, j) -= sums(0, j) / static_cast<double>(a.rows());
  return a;
}

// |cos(v, x)| with v the first right singular vector of a matrix A, by A's decomposition (or that of any L with A Aᵀ =
// L Lᵀ) and the products A x, k x 1: v = Aᵀ u / s with u the first left one.
std::optional<double> first_right_alignment(const Svd<double>& decomposition, ConstView<double> products,
                                            double length) {
  const double s = decomposition.values.front();
  if (s == 0) return std::nullopt;
  double along = 0;
  for (Index i = 0; i < products.rows(); ++i) along += decomposition.left(i, 0) * products(i, 0);
  return cosine(std::abs(along / s), 1, length);
}

// Values largest first; those of J = 0 leave nothing defined.
SingularGeometry of_singular_values(std::vector<double> values, std::optional<double> normal_alignment) {
  if (values.empty() || !(values.front() > 0)) return {};
  // By a power of two, which changes no ratio: the squares of very large or small values are no doubles.
  const int exponent = std::ilogb(values.front());
  for (double& value : values) value = std::scalbn(value, -exponent);
  const double squared_norm = dot<double>(values, values);
  return {.normal_alignment = normal_alignment,
          .effective_rank = std::pow(total<double>(values), 2) / squared_norm,
          .explained_variance = std::pow(values.front(), 2) / squared_norm};
}

// Blocks of so many samples: their Jacobians are in memory together. Larger ones make larger products, but the memory
// that each block then asks the system for costs more than that saves.
constexpr Index samples_per_block = 16;

}  // namespace

std::vector<std::pair<const char*, std::optional<double>>> measures(const LocalGeometry& geometry) {
  std::vector<std::pair<const char*, std::optional<double>>> result;
  for (const auto& [name, member] : all_measures) result.emplace_back(name, geometry.*member);
  return result;
}

LocalGeometry local_geometry(ConstView<double> jacobian, ConstView<double> output, ConstView<double> x,
                             std::optional<std::int32_t> label) {
  const Index k = jacobian.rows(), d = jacobian.cols();
  if (k < 1 || output.shape() != Shape{1, k} || x.shape() != Shape{1, d})
    throw InputError(text("local_geometry: jacobian is ", jacobian.shape(), ", output ", output.shape(), " and x ",
                          x.shape(), "; they must be k x d, 1 x k and 1 x d"));
  if (label && (*label < 0 || *label >= std::max<Index>(k, 2)))
    throw InputError(text("local_geometry: label is ", *label, "; it must be from 0 to ", std::max<Index>(k, 2) - 1));
  // All measures depend on J through its rows' inner products with x and with each other; so from here on a k x k
  // factor stands for J.
  Matrix<double> products(k, 1);
  gemv<double>(jacobian, x, products);
  const Matrix<double> factor = triangular_factor(jacobian);
  const double length = euclidean_length(x.span());

  LocalGeometry result;
  double squared_offset = 0;
  for (Index i = 0; i < k; ++i) squared_offset += std::pow(output(0, i) - products(i, 0), 2);
  result.offset_norm = squared_offset;
  const double jacobian_norm = euclidean_length(factor.span());
  result.jacobian_norm = jacobian_norm;
  const double centroid_norm = euclidean_length(column_sums(factor).span());
  result.centroid_norm = centroid_norm;
  result.centroid_alignment = cosine(total(std::as_const(products).span()), centroid_norm, length);

  const Svd<double> decomposition = svd<double>(factor);
  const SingularGeometry singular =
      of_singular_values(decomposition.values, first_right_alignment(decomposition, products, length));
  result.normal_alignment = singular.normal_alignment;
  result.effective_rank = singular.effective_rank;
  result.explained_variance = singular.explained_variance;
  if (k == 1) {
    if (label && result.centroid_alignment) result.class_alignment = (label == 1 ? 1 : -1) * *result.centroid_alignment;
    result.centred_normal_alignment = result.normal_alignment;
    return result;
  }
  const Matrix<double> centred_factor = centred(factor), centred_products = centred(products);
  // Rounding leaves a little of what should be zero, and its direction means nothing.
  if (euclidean_length(centred_factor.span()) <= 1e-12 * jacobian_norm) return result;
  if (label)
    result.class_alignment = cosine(centred_products(*label, 0), euclidean_length(centred_factor.row(*label)), length);
  result.centred_normal_alignment = first_right_alignment(svd<double>(centred_factor), centred_products, length);
  return result;
}

SingularGeometry singular_geometry(ConstView<double> jacobian, ConstView<double> x) {
  const Index k = jacobian.rows(), d = jacobian.cols();
  if (k < 1 || d < 1 || x.shape() != Shape{1, d})
    throw InputError(text("singular_geometry: jacobian is ", jacobian.shape(), " and x ", x.shape(),
                          "; they must be k x d and 1 x d"));
  const Index r = std::min(k, d);
  Matrix<double> products(r, r);
  if (k <= d)
    gemm<double>(jacobian, jacobian, products, {.b = true});  // k x d, (k x d)ᵀ
  else
    syrk<double>(jacobian, products);  // (k x d)ᵀ, k x d
  // The vector is the first left singular vector u of J, of which Jᵀ u / s is the right one, or that itself.
  auto [values, vector] = leading_eigen(products);
  std::ranges::reverse(values);
  for (double& value : values) value = std::sqrt(std::max(value, 0.0));
  double along = 0;
  if (k <= d) {
    Matrix<double> outputs(k, 1);
    gemv<double>(jacobian, x, outputs);
    along = values.front() > 0 ? dot<double>(vector, outputs.span()) / values.front() : 0;
  } else {
    along = dot<double>(vector, x.span());
  }
  return of_singular_values(values, cosine(std::abs(along), 1, euclidean_length(x.span())));
}

template <class T>
void visit_jacobians(const Mlp<T>& mlp, ConstView<T> inputs,
                     const std::function<void(Index, ConstView<double>, ConstView<double>)>& visit, int threads,
                     const std::function<bool()>& stop) {
  const Index n = inputs.rows(), d = inputs.cols();
  if (n < 1) throw InputError(text("visit_jacobians: inputs are ", inputs.shape(), "; there must be a row"));
  check_threads("visit_jacobians", threads);
  const Index blocks = (n + samples_per_block - 1) / samples_per_block;
  const StopPoll poll("visit_jacobians", stop);
  std::vector<std::exception_ptr> failures;
  parallel_for(threads, blocks, failures, [&](Index block) {
    poll.check();
    const RowBlock rows = row_block(n, blocks, block);
    Tape<T> tape;
    auto net = mlp.on(tape);
    const Var<T> x = tape.borrowed_variable(inputs.row_block(rows.first, rows.count));
    const Var<T> f = net(x);
    const std::vector<Var<T>> gradients = jacobian(f, x);
    const Index k = f.cols();
    Matrix<double> j(k, d), output(1, k);
    for (Index row = 0; row < rows.count; ++row) {
      std::ranges::copy(f.value().row(row), output.data());
      for (Index i = 0; i < k; ++i)
        std::ranges::copy(gradients[static_cast<std::size_t>(i)].value().row(row), j.row(i).begin());
      poll.check();
      visit(rows.first + row, j, output);
    }
  });
}

template <class T>
std::vector<LocalGeometry> local_geometries(const Mlp<T>& mlp, const Batch<T>& data, int threads,
                                            const std::function<bool()>& stop) {
  const Index n = data.inputs.rows();
  const bool has_labels = !data.labels.empty();
  if (n < 1 || (has_labels && static_cast<Index>(data.labels.size()) != n))
    throw InputError(text("local_geometries: inputs are ", data.inputs.shape(), " and there are ", data.labels.size(),
                          " labels; there must be a row, and one label per row or none"));
  check_threads("local_geometries", threads);
  const StopPoll poll("local_geometries", stop);
  std::vector<LocalGeometry> result(static_cast<std::size_t>(n));
  visit_jacobians<T>(
      mlp, data.inputs,
      [&](Index i, ConstView<double> jacobian, ConstView<double> output) {
        const auto sample = static_cast<std::size_t>(i);
        result[sample] = local_geometry(jacobian, output, converted<double>(data.inputs.row_block(i, 1)),
                                        has_labels ? std::optional(data.labels[sample]) : std::nullopt);
      },
      threads, poll.inner());
  return result;
}

LocalGeometry mean(std::span<const LocalGeometry> geometries) {
  LocalGeometry result;
  for (const auto& [name, member] : all_measures) {
    double sum = 0;
    Index defined = 0;
    for (const LocalGeometry& geometry : geometries)
      if (geometry.*member) {
        sum += *(geometry.*member);
        ++defined;
      }
    if (defined > 0) result.*member = sum / static_cast<double>(defined);
  }
  return result;
}

template <class T>
LocalGeometry mean_local_geometry(const Mlp<T>& mlp, const Batch<T>& data, int threads,
                                  const std::function<bool()>& stop) {
  return mean(local_geometries(mlp, data, threads, stop));
}

double chance_alignment(Index d) { return std::sqrt(2 / (std::numbers::pi * static_cast<double>(d))); }

template void visit_jacobians(const Mlp<float>&, ConstView<float>,
                              const std::function<void(Index, ConstView<double>, ConstView<double>)>&, int,
                              const std::function<bool()>&);
template void visit_jacobians(const Mlp<double>&, ConstView<double>,
                              const std::function<void(Index, ConstView<double>, ConstView<double>)>&, int,
                              const std::function<bool()>&);
template std::vector<LocalGeometry> local_geometries(const Mlp<float>&, const Batch<float>&, int,
                                                     const std::function<bool()>&);
template std::vector<LocalGeometry> local_geometries(const Mlp<double>&, const Batch<double>&, int,
                                                     const std::function<bool()>&);
template LocalGeometry mean_local_geometry(const Mlp<float>&, const Batch<float>&, int, const std::function<bool()>&);
template LocalGeometry mean_local_geometry(const Mlp<double>&, const Batch<double>&, int, const std::function<bool()>&);

}  // namespace normalign

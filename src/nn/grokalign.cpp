#include "nn/grokalign.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "linalg/random.hpp"
#include "nn/sample_share.hpp"

namespace normalign {

void check(const GrokAlignOptions& options) {
  if (!(std::isfinite(options.lambda) && options.lambda >= 0))
    throw InputError(text("grokalign: lambda is ", options.lambda, "; it must be finite and not negative"));
  if (options.projections < 1)
    throw InputError(text("grokalign: projections is ", options.projections, "; it must be at least 1"));
  if (options.level && !(std::isfinite(*options.level) && *options.level >= 0))
    throw InputError(text("grokalign: level is ", *options.level, "; it must be finite and not negative"));
  check_share("grokalign", options.share);
}

Index direction_count(const GrokAlignOptions& options, Index outputs) {
  return options.norm == JacobianNorm::exact || outputs == 1 ? outputs : options.projections;
}

template <class T>
void fill_directions(const GrokAlignOptions& options, Index which, MatrixView<T> v, std::span<const Index> samples,
                     std::uint64_t seed, std::uint32_t step) {
  if (static_cast<Index>(samples.size()) != v.rows())
    throw InputError(text("fill_directions: v is ", v.shape(), " but there are ", samples.size(), " samples"));
  if (which < 0 || which >= direction_count(options, v.cols()))
    throw InputError(text("fill_directions: which is ", which, "; there are ", direction_count(options, v.cols())));
  if (options.norm == JacobianNorm::exact || v.cols() == 1) {
    std::ranges::fill(v.span(), T{0});
    for (Index i = 0; i < v.rows(); ++i) v(i, which) = 1;
    return;
  }
  const RandomRows random(seed, Stream::projection, step);
  const Index first_group = which * ((v.cols() + 3) / 4);
  for (Index i = 0; i < v.rows(); ++i) {
    const std::span<T> row = v.row(i);
    random.normal(static_cast<std::uint32_t>(samples[static_cast<std::size_t>(i)]), row,
                  static_cast<std::uint32_t>(first_group));
    double squares = 0;
    for (T value : row) squares += static_cast<double>(value) * static_cast<double>(value);
    const T scale = static_cast<T>(1 / std::sqrt(squares));
    for (T& value : row) value *= scale;
  }
}

template <class T>
Var<T> jacobian_norms(const Var<T>& x, const Var<T>& f, std::span<const Var<T>> directions) {
  if (directions.empty()) throw InputError("jacobian_norms: there are no directions; there must be at least one");
  constexpr double floor = 1e-8;
  Var<T> squares;  // n x 1
  for (const Var<T>& v : directions) {
    Var<T> share = row_square_sum(grad(f, x, {.seed = v, .create_graph = true}));  // row i: |v_iᵀ J_i|^2
    squares = squares ? std::move(squares) + std::move(share) : std::move(share);
  }
  const double weight = static_cast<double>(f.cols()) / static_cast<double>(directions.size());
  return sqrt(clamp_min(weight * std::move(squares), floor));
}

template <class T>
GrokAlign<T>::GrokAlign(GrokAlignOptions options) : options_(options) {
  check(options_);
}

template <class T>
std::vector<PenaltyTerm> GrokAlign<T>::terms() const {
  std::vector<PenaltyTerm> result;
  if (options_.lambda > 0 && options_.jacobian) result.push_back({"jacobian_norm", options_.lambda});
  if (options_.lambda > 0 && options_.offset) result.push_back({"offset_norm", options_.lambda});
  return result;
}

template <class T>
void GrokAlign<T>::record(const PenaltyBlock<T>& block, std::span<Var<T>> shares) const {
  const double n = static_cast<double>(block.batch_rows);
  if (options_.jacobian) shares.front() = sum(norms(block)) / n;
  if (options_.offset && !block.net.has_no_offset())
    shares.back() = sum(square(block.net.offset(block.x, block.f))) / n;
}

// |J_i|_F of every row, m x 1.
template <class T>
Var<T> GrokAlign<T>::norms(const PenaltyBlock<T>& block) const {
  const auto count = static_cast<std::size_t>(direction_count(options_, block.f.cols()));
  auto& [directions, vars] = block.memory;
  directions.resize(count);
  vars.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    directions[i].resize(block.f.rows(), block.f.cols());
    fill_directions(options_, static_cast<Index>(i), directions[i].view(), block.samples, block.seed, block.step);
    vars[i] = block.tape.borrowed_constant(directions[i]);
  }
  return jacobian_norms(block.x, block.f, std::span<const Var<T>>(vars));
}

template <class T>
double GrokAlign<T>::value(std::span<const double> terms, std::span<double> slopes) const {
  if (!holds_level()) return Penalty<T>::value(terms, slopes);
  const double above = terms.front() - *options_.level;
  slopes.front() *= above > 0 ? 1 : above < 0 ? -1 : 0;
  return options_.lambda * (std::abs(above) + (options_.offset ? terms.back() : 0));
}

#define NORMALIGN_INSTANTIATE(T)                                                                                      \
  template void fill_directions(const GrokAlignOptions&, Index, MatrixView<T>, std::span<const Index>, std::uint64_t, \
                                std::uint32_t);                                                                       \
  template Var<T> jacobian_norms(const Var<T>&, const Var<T>&, std::span<const Var<T>>);                              \
  template class GrokAlign<T>;
NORMALIGN_INSTANTIATE(float)
NORMALIGN_INSTANTIATE(double)
#undef NORMALIGN_INSTANTIATE

}  // namespace normalign

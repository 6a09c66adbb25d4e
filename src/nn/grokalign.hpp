// The GrokAlign penalty: lambda * (mean_i |J_i|_F + mean_i |b_i|^2), with J_i the Jacobian of the network at sample i
// and b_i = f(x_i) - J_i x_i (arXiv:2605.08464; the Jacobian term alone is arXiv:2506.12284).
#pragma once

#include <optional>

#include "nn/penalty.hpp"

namespace normalign {

/// How |J_i|_F is found.
enum class JacobianNorm {
  projection,  ///< estimated from random output directions v: sqrt(k |vᵀJ_i|^2), one backward sweep each
  exact        ///< from all k rows of J_i, k backward sweeps
};

/// Which penalty, and how strong.
struct GrokAlignOptions {
  /// Weight of the penalty; 0 turns it off.
  double lambda = 0;
  JacobianNorm norm = JacobianNorm::projection;
  /// Random directions per sample of the projection: their squares are averaged before the root.
  int projections = 1;
  /// Whether mean |J_i|_F is penalised.
  bool jacobian = true;
  /// Whether mean |b_i|^2 is penalised.
  bool offset = true;
  /// If set, the Jacobian term is |level - mean_i |J_i|_F|, which holds the norm at a level.
  std::optional<double> level{};
  /// s in (0, 1]: each step estimates the penalty on a share s of the batch's samples, or, where that would be fewer
  /// than `least_rows_drawn` rows, on the whole batch in a share s of the steps with weight 1 / s (see draw_share).
  /// Without a level the penalty and its gradient are estimated without bias. With one they are where whole batches are
  /// drawn; of a mean over drawn rows |level - mean| is at least, in expectation, that of the mean over all (Jensen's
  /// inequality), and the two differ where the level lies within the spread of the estimate. 1: the whole penalty.
  double share = 1;
};

/// Throws InputError on a weight or a level that is negative or not finite, on fewer than one projection, or on a share
/// that is not in (0, 1].
void check(const GrokAlignOptions& options);

/// The number of output directions that the options ask for at k outputs: k for `exact` or k = 1 (one is exact then),
/// else `projections`.
Index direction_count(const GrokAlignOptions& options, Index outputs);

/// Fills direction `which` of `options`, v being n x k: for `exact` every row is the unit vector of output `which`;
/// else rows are uniform on the unit sphere, normals of Stream::projection at row = samples[i] scaled to length 1,
/// where direction 0, 1, ... of one sample follow each other. Throws InputError unless there is one sample per row
/// and a direction of that number.
template <class T>
void fill_directions(const GrokAlignOptions& options, Index which, MatrixView<T> v, std::span<const Index> samples,
                     std::uint64_t seed, std::uint32_t step);

/// |J_i|_F of every sample, n x 1, from m >= 1 directions v, each n x k with unit rows: sqrt(max(q_i, 1e-8)), q_i the
/// mean over v of k |v_iᵀ J_i|^2. One random v estimates the norm; the k unit vectors give it exactly. The floor
/// stands inside the root, so J = 0 has a finite gradient. x is n x d and f(x) n x k; differentiable.
/// Throws InputError when there are no directions.
template <class T>
Var<T> jacobian_norms(const Var<T>& x, const Var<T>& f, std::span<const Var<T>> directions);

/// The penalty of a training step. Its terms are "jacobian_norm", mean_i |J_i|_F as estimated, and "offset_norm",
/// mean_i |b_i|^2, without those that the options turn off; under a share of the samples as that estimates them.
template <class T>
class GrokAlign : public Penalty<T> {
 public:
  /// Throws InputError on options that `check` refuses.
  explicit GrokAlign(GrokAlignOptions options);
  std::vector<PenaltyTerm> terms() const override;
  void record(const PenaltyBlock<T>& block, std::span<Var<T>> shares) const override;
  double share() const override { return options_.share; }
  bool is_linear() const override { return !holds_level(); }
  double value(std::span<const double> terms, std::span<double> slopes) const override;

 private:
  bool holds_level() const { return options_.jacobian && options_.level; }
  Var<T> norms(const PenaltyBlock<T>& block) const;

  GrokAlignOptions options_;
};

}  // namespace normalign

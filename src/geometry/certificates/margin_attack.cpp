#include "geometry/certificates/margin_attack.hpp"

#include <algorithm>
#include <numeric>

#include "linalg/blas.hpp"
#include "robustness/apgd.hpp"

namespace normalign::detail {
namespace {

// As many targets as AutoAttack takes.
constexpr std::size_t most_targets = 9;

// Margins at points, and the slope of one at each.
class MarginSlopes {
 public:
  explicit MarginSlopes(const PiecewiseAffineNetwork& network) : network_(network) {}

  // The margins at m points, m x k.
  Matrix<double> forward(ConstView<double> points) {
    slopes_.clear();
    Matrix<double> z(points);
    for (const auto& [weight, bias, slope] : network_.layers()) {
      Matrix<double> t(z.rows(), weight.rows());
      // m x n = (m x d) (n x d)ᵀ
      gemm<double>(z, weight, t, {.b = true});
      add_bias(t, bias);
      Matrix<double> own(t);
      for (double& value : own.span()) value = value > 0 ? 1 : slope;
      activate(t, slope);
      slopes_.push_back(std::move(own));
      z = std::move(t);
    }
    return z;
  }

  // The slope at point i of margin outputs[i], at the points of the last forward pass: m x d.
  Matrix<double> backward(std::span<const Index> outputs) const {
    const Matrix<double>& last = network_.layers().back().weight;
    Matrix<double> g(static_cast<Index>(outputs.size()), last.cols());
    for (std::size_t i = 0; i < outputs.size(); ++i)
      std::ranges::copy(last.row(outputs[i]), g.row(static_cast<Index>(i)).begin());
    for (std::size_t l = network_.layers().size() - 1; l-- > 0;) {
      const Matrix<double>& weight = network_.layers()[l].weight;
      for (std::size_t i = 0; i < g.span().size(); ++i) g.span()[i] *= slopes_[l].span()[i];
      Matrix<double> next(g.rows(), weight.cols());
      // m x d = (m x n) (n x d)
      gemm<double>(g, weight, next);
      g = std::move(next);
    }
    return g;
  }

 private:
  const PiecewiseAffineNetwork& network_;
  std::vector<Matrix<double>> slopes_;  // of each layer's units at the points
};

// The margins whose zero would be the nearest, were the network affine.
std::vector<Index> likely_targets(MarginSlopes& slopes, const PiecewiseAffineNetwork& margins, Norm norm) {
  const Index k = margins.outputs();
  std::vector<Index> targets(static_cast<std::size_t>(k));
  std::iota(targets.begin(), targets.end(), 0);
  const Matrix<double> f = slopes.forward(Matrix<double>(k, margins.inputs())), g = slopes.backward(targets);
  const auto distance = [&](Index j) { return -f(j, j) / dual_length(g.row(j), norm); };
  std::ranges::sort(targets, {}, distance);
  targets.resize(std::min(targets.size(), most_targets));
  return targets;
}

}  // namespace

std::optional<Matrix<double>> adversarial_step(const PiecewiseAffineNetwork& margins, Norm norm, double radius,
                                               int starts, int steps, const std::function<bool()>& is_late) {
  MarginSlopes slopes(margins);
  const std::vector<Index> targets = likely_targets(slopes, margins, norm);
  std::optional<Matrix<double>> found;
  const auto model = [&](std::span<const Index> rows, ConstView<double> points, const PointLosses<double>& out) {
    const Matrix<double> f = slopes.forward(points);
    std::vector<Index> outputs;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      outputs.push_back(targets[static_cast<std::size_t>(rows[i])]);
      out.losses[i] = f(static_cast<Index>(i), outputs.back());
      if (!found && std::ranges::max(f.row(static_cast<Index>(i))) >= 0)
        found = Matrix<double>(points.row_block(static_cast<Index>(i), 1));
    }
    std::ranges::copy(slopes.backward(outputs).span(), out.gradients.data());
    // One step is all that is asked for.
    if (found || is_late()) std::ranges::fill(out.is_fooled, std::uint8_t{1});
  };
  apgd<double>(Matrix<double>(static_cast<Index>(targets.size()), margins.inputs()),
               {.norm = norm, .radius = radius, .steps = steps, .restarts = starts, .random_start = false}, model);
  return found;
}

}  // namespace normalign::detail

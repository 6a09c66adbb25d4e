// Theorem 1 of arXiv:2605.08464 at one point, by numbers: where gradient descent ends, and who is most robust.
#include <algorithm>
#include <cmath>
#include <vector>

#include "autodiff/grad.hpp"
#include "nn/losses.hpp"
#include "nn/mlp.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

double norm(const M& a) { return std::sqrt(inner_product(a, a)); }

// The top singular value and right singular vector of J by power iteration on JᵀJ, and the Frobenius norm of what they
// leave over: the root of the sum of the other squared singular values, so a bound on the second.
struct TopDirection {
  double value = 0;
  M v{};  // 1 x d
  double rest = 0;
};

TopDirection top_direction(const M& J) {
  TopDirection top{.v = M(J.view().row_block(0, 1))};
  for (int iteration = 0; iteration < 300; ++iteration) {
    top.v = naive_product(naive_product(top.v, J, {.b = true}), J);
    const double scale = 1 / norm(top.v);
    for (double& value : top.v.span()) value *= scale;
  }
  const M u = naive_product(top.v, J, {.b = true});
  top.value = norm(u);
  top.rest = norm(naive_product(u, top.v, {.a = true}, -1.0, &J, 1.0));
  return top;
}

M column_sums(const M& J) {
  M ones(1, J.rows());
  std::ranges::fill(ones.span(), 1.0);
  return naive_product(ones, J);
}

// A point of length 1.2: at much longer ones the loss and its gradient all but vanish, and descent takes its time.
M point(Index d, std::uint64_t seed) {
  M x = random_matrix({1, d}, seed);
  const double scale = 1.2 / norm(x);
  for (double& value : x.span()) value *= scale;
  return x;
}

// An affine classifier, projected gradient descent on the cross entropy at one point under |J|^2 + |b|^2 <= alpha.
struct Descent {
  Index d, k;
  double alpha;
  std::uint64_t seed;
  M x = point(d, 100 + seed);
  std::vector<std::int32_t> label{static_cast<std::int32_t>(seed) % static_cast<std::int32_t>(k)};
  Mlp<double> classifier{{.widths = {d, k}, .init_scale = 2, .seed = seed}};

  const M& J() const { return classifier.layers()[0].weight; }
  double size() const { return std::hypot(norm(J()), norm(classifier.layers()[0].bias)); }

  void project() {
    const double scale = std::min(1.0, std::sqrt(alpha) / size());
    for (const auto& parameter : classifier.parameters())
      for (double& value : parameter.span()) value *= scale;
  }

  // The loss before the last step.
  double run(int steps) {
    Tape<double> tape;
    double before = 0;
    for (int step = 0; step < steps; ++step) {
      tape.clear();
      auto net = classifier.on(tape);
      const auto loss = cross_entropy(net(tape.constant(x)), tape.labels(label));
      const auto g = grad(loss, net.parameters());
      for (std::size_t p = 0; p < g.size(); ++p)
        for (std::size_t i = 0; i < g[p].value().span().size(); ++i)
          classifier.parameters()[p].span()[i] -= 0.5 * g[p].value().span()[i];
      project();
      before = loss.item();
    }
    return before;
  }
};

// min_j (J_y - J_j) x / |J_y - J_j|: how far x is from the nearest boundary of the map z -> J z; negative where it
// calls x something else than y.
double boundary_distance(const M& J, const M& x, Index y) {
  double nearest = INFINITY;
  for (Index j = 0; j < J.rows(); ++j) {
    if (j == y) continue;
    M difference(1, J.cols());
    for (Index c = 0; c < J.cols(); ++c) difference(0, c) = J(y, c) - J(j, c);
    nearest = std::min(nearest, inner_product(difference, x) / norm(difference));
  }
  return nearest;
}

}  // namespace

TEST_CASE("theorem 1: projected gradient descent on one point ends normal aligned, from any start") {
  for (Index d : {2, 5, 12})
    for (Index k : {2, 3, 10})
      for (double alpha : {0.5, 4.0})
        for (std::uint64_t seed : {1u, 2u, 3u}) {
          CAPTURE(d, k, alpha, seed);
          Descent descent{.d = d, .k = k, .alpha = alpha, .seed = seed};
          descent.project();
          const double size = norm(descent.x);
          const TopDirection start = top_direction(descent.J());
          REQUIRE(start.rest / start.value > 0.05);  // not aligned yet

          const double loss = descent.run(2000);
          const TopDirection end = top_direction(descent.J());
          CHECK(end.rest / end.value <= 1e-3);
          CHECK(std::abs(inner_product(end.v, descent.x)) / size > 0.999);
          CHECK(norm(column_sums(descent.J())) <= 1e-3 * end.value);
          // The minimum in closed form: the whole budget on c (x, 1)ᵀ with c along e_y - 1/k.
          CHECK_THAT(descent.size(), WithinRel(std::sqrt(alpha), 1e-12));
          const double classes = static_cast<double>(k);
          const double margin = std::sqrt(alpha) * std::hypot(size, 1) / std::sqrt(1 - 1 / classes);
          CHECK_THAT(loss, WithinRel(std::log1p((classes - 1) * std::exp(-margin)), 1e-5));
        }
}

TEST_CASE("theorem 1: no boundary of a map that classifies x is farther from it than |x|, and random maps fall short") {
  for (Index d : {3, 8})
    for (Index k : {2, 4}) {
      const M x = random_matrix({1, d}, 7, -2, 2);
      double mean = 0;
      for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const M J = random_matrix({k, d}, 1000 + seed);
        const M z = naive_product(x, J, {.b = true});
        const Index y = std::ranges::max_element(z.span()) - z.span().begin();
        const double found = boundary_distance(J, x, y);
        REQUIRE(found >= 0);
        REQUIRE(found < (1 - 1e-6) * norm(x));
        mean += found / 200;
      }
      CAPTURE(d, k);
      CHECK(mean < 0.6 * norm(x));
    }
}

TEST_CASE("theorem 1: the bound |x| is reached when, and only when, every J_y - J_j is parallel to x") {
  const Index d = 6, y = 1;
  const M x = random_matrix({1, d}, 7, -2, 2), c{{-0.5, 2.0, 1.5, -3.0}};
  const M aligned = naive_product(c, x, {.a = true});
  CHECK_THAT(boundary_distance(aligned, x, y), WithinRel(norm(x), 1e-14));

  // One map added to all rows is no part of any difference: the rank may be two.
  M shifted = aligned;
  const M common = random_matrix({1, d}, 8);
  for (Index j = 0; j < 4; ++j)
    for (Index i = 0; i < d; ++i) shifted(j, i) += common(0, i);
  CHECK(top_direction(shifted).rest > 0.1);
  CHECK_THAT(boundary_distance(shifted, x, y), WithinRel(norm(x), 1e-13));

  // A part of one row that is orthogonal to x turns its boundary, by as much as geometry says.
  M across = random_matrix({1, d}, 9);
  const double along = inner_product(across, x) / inner_product(x, x);
  for (Index i = 0; i < d; ++i) across(0, i) -= along * x(0, i);
  for (Index j : {0, 2, 3})
    for (double tilt : {0.01, 1.0}) {
      CAPTURE(j, tilt);
      M tilted = aligned;
      for (Index i = 0; i < d; ++i) tilted(j, i) += tilt * across(0, i);
      const double slope = (c(0, y) - c(0, j)) * norm(x);
      const double expected = norm(x) * slope / std::hypot(slope, tilt * norm(across));
      CHECK(expected < norm(x) * (1 - 1e-7));
      CHECK_THAT(boundary_distance(tilted, x, y), WithinRel(expected, 1e-12));
    }
}

}  // namespace normalign::tests

// Attacks against certificates: what is proved to be safe is never fooled, and little beyond it an attack succeeds.
#include <cmath>
#include <vector>

#include "geometry/certificates/certificate.hpp"
#include "nn/attack.hpp"
#include "support/catch.hpp"
#include "support/distances.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

// A small network of that number: shapes, activations, scales and depths in turn.
Mlp<double> small_network(std::uint64_t number) {
  const std::vector<std::vector<Index>> widths{{2, 6, 3}, {3, 5, 5, 2}, {4, 8, 5}, {2, 4, 4, 4, 4}, {3, 10, 1}};
  const Activation activations[] = {Activation::relu, Activation::leaky_relu, Activation::abs};
  return Mlp<double>({.widths = widths[number % widths.size()],
                      .activation = activations[number % 3],
                      .slope = 0.2,
                      .bias = number % 4 != 3,
                      .init_scale = std::vector{0.5, 1.0, 2.0, 4.0}[number / 2 % 4],
                      .seed = number});
}

std::vector<std::int32_t> classes_of(const M& f) {
  std::vector<std::int32_t> classes;
  for (Index i = 0; i < f.rows(); ++i)
    classes.push_back(f.cols() == 1 ? f(i, 0) > 0
                                    : static_cast<std::int32_t>(std::ranges::max_element(f.row(i)) - f.row(i).begin()));
  return classes;
}

// By how much an output other than the label's is the larger one at x (1 x d); of a single output, in its sign.
double advantage_over(std::int32_t label, const M& f) {
  if (f.cols() == 1) return label == 1 ? -f(0, 0) : f(0, 0);
  double largest = -infinity;
  for (Index j = 0; j < f.cols(); ++j)
    if (j != label) largest = std::max(largest, f(0, j));
  return largest - f(0, label);
}

// How many points attacks were tried on beyond their upper bounds, and how many of them they fooled.
struct Successes {
  int tried = 0;
  int apgd = 0;
  int pgd = 0;
};

void attack_point(const Mlp<double>& mlp, const PiecewiseAffineNetwork& network, const M& x, Norm norm,
                  const Certificate& certificate, Successes& successes) {
  const std::vector<std::int32_t> label = classes_of(network(x));
  const auto fooled_at = [&](AttackKind kind, double radius, int restarts) -> std::optional<M> {
    auto found = class_attacks<double>(mlp, Batch<double>{.inputs = x, .labels = label}, std::span(&radius, 1),
                                       {.kind = kind, .norm = norm, .steps = 50, .restarts = restarts, .seed = 3}, 1);
    if (!found.front().is_fooled[0]) return std::nullopt;
    CHECK(advantage_over(label[0], network(found.front().points)) >= -1e-12);  // a tie is no longer the label
    return std::move(found.front().points);
  };
  const double safe = certificate.lower < infinity ? certificate.lower * (1 - 1e-9) : 100;
  for (const AttackKind kind : {AttackKind::apgd, AttackKind::pgd}) CHECK_FALSE(fooled_at(kind, safe, 1));
  if (certificate.upper == infinity || certificate.upper < 1e-6) return;
  ++successes.tried;
  for (const AttackKind kind : {AttackKind::apgd, AttackKind::pgd})
    if (const auto point = fooled_at(kind, 1.05 * certificate.upper, 5)) {
      ++(kind == AttackKind::apgd ? successes.apgd : successes.pgd);
      CHECK(distance(x, *point, norm) >= certificate.lower * (1 - 1e-9));
    }
}

}  // namespace

TEST_CASE("no attack beats a certificate, exact or not, and a little beyond it most succeed") {
  constexpr std::uint64_t networks = 150;
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    Successes successes;
    for (std::uint64_t number = 0; number < networks; ++number) {
      CAPTURE(name_of(norm), number);
      const Mlp<double> mlp = small_network(number);
      const PiecewiseAffineNetwork network = piecewise_affine(mlp);
      const M x = random_matrix({2, network.inputs()}, 1000 + number, -2, 2);
      // Every third search is given up early.
      const auto found = certificates(network, x, {.norm = norm, .parts = number % 3 == 2 ? 3 : 500});
      for (Index i = 0; i < 2; ++i)
        attack_point(mlp, network, M(x.view().row_block(i, 1)), norm, found[static_cast<std::size_t>(i)], successes);
    }
    CAPTURE(name_of(norm), successes.tried, successes.apgd, successes.pgd);
    CHECK(successes.tried > 200);
    // Of 263 points in l2 256 were fooled, 193 by PGD; of 261 in linf 236 and 178. The others hide in local maxima.
    CHECK(successes.apgd >= (norm == Norm::l2 ? 0.94 : 0.87) * successes.tried);
    CHECK(successes.apgd >= 1.2 * successes.pgd);
  }
}

}  // namespace normalign::tests

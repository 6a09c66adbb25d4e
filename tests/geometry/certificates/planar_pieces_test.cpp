#include "geometry/certificates/planar_pieces.hpp"

#include "geometry/certificates/certificate.hpp"
#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

bool never() { return false; }

// Where a step on the way to `far`, at which margin j is positive, has it first; the margins are those of the step.
Matrix<double> crossing(const PiecewiseAffineNetwork& margins, Matrix<double> far, Index j) {
  double low = 0, high = 1;
  const auto at = [&](double share) {
    Matrix<double> step(far);
    for (double& value : step.span()) value *= share;
    return step;
  };
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = 0.5 * (low + high);
    (margins(at(middle))(0, j) >= 0 ? high : low) = middle;
  }
  return at(high);
}

TEST_CASE("no adversarial step is shorter than the nearest piece of its output") {
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (const Index inputs : {1, 2})
      for (std::uint64_t seed = 0; seed < 8; ++seed) {
        const double grain = seed % 3 == 0 ? 0.125 : 0;
        const PiecewiseAffineNetwork network = random_network({inputs, 12, 9, 7, 4}, seed, {0, -1, 0.1}, grain);
        const Matrix<double> x = random_matrix({1, inputs}, seed);
        const CentredMargins margins(network, nullptr, x);
        const double radius = 3;
        const auto pieces = planar_pieces(margins, norm, radius, 100'000, never);
        REQUIRE(pieces);
        std::vector<double> nearest(static_cast<std::size_t>(margins.network().outputs()), infinity);
        for (const PlanarPiece& piece : *pieces) {
          double& least = nearest[static_cast<std::size_t>(piece.output)];
          least = std::min(least, piece.distance);
        }
        const Matrix<double> steps = random_matrix({300, inputs}, seed + 50, -radius, radius);
        const Matrix<double> values = margins.network()(steps);
        for (Index i = 0; i < steps.rows(); ++i)
          for (Index j = 0; j < values.cols(); ++j) {
            if (values(i, j) < 0) continue;
            const Matrix<double> step = crossing(margins.network(), Matrix<double>(steps.view().row_block(i, 1)), j);
            const double length = norm_length(step.span(), norm);
            CAPTURE(name_of(norm), inputs, seed, i, j);
            if (length <= radius) CHECK(nearest[static_cast<std::size_t>(j)] <= length * (1 + 1e-15));
          }
      }
}

TEST_CASE("the nearest piece is as near as the boundary, also where walls and boundaries meet in corners") {
  int compared = 0;
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
      // Multiples of a half, so that lines meet in points.
      const PiecewiseAffineNetwork network = random_network({2, 6, 5, 3}, seed, {0, -1}, 0.5);
      const Matrix<double> x(1, 2, {0.25 * static_cast<double>(seed % 5), 0.5});
      const Certificate found = certificates(network, x, {.norm = norm}).front();
      if (!found.exact || found.upper == 0 || found.upper == infinity) continue;
      const CentredMargins margins(network, nullptr, x);
      const auto pieces = planar_pieces(margins, norm, 2 * found.upper, 100'000, never);
      REQUIRE(pieces);
      REQUIRE(!pieces->empty());
      ++compared;
      CAPTURE(name_of(norm), seed);
      CHECK_THAT(pieces->front().distance, WithinRel(found.upper, 1e-9));
      CHECK(pieces->front().distance <= found.upper);
    }
  CHECK(compared > 40);
}

TEST_CASE("pieces of awkward networks are no further than the exact distance, and not much nearer", "[slow]") {
  Index all = 0, close = 0;
  for (const AwkwardNetwork& awkward : awkward_networks("pieces of awkward networks"))
    for (const auto& point : awkward.points)
      for (const Norm norm : {Norm::l2, Norm::linf}) {
        const auto& known = point.at(name_of(norm));
        if (known.is_null() || known.get<double>() == 0) continue;
        const auto expected = known.get<double>();
        const Matrix<double> x = row_of(point.at("x"));
        const CentredMargins margins(awkward.network, nullptr, x);
        const auto pieces = planar_pieces(margins, norm, 1.5 * expected, 100'000, never);
        CAPTURE(awkward.name, point.at("x").dump(), name_of(norm), expected);
        if (!pieces) continue;
        ++all;
        REQUIRE(!pieces->empty());
        CHECK(pieces->front().distance <= expected * (1 + 1e-15));
        close += pieces->front().distance >= expected * (1 - 1e-9);
      }
  if (all == 0) return;
  CHECK(all > 600);
  INFO(close << " of " << all);
  CHECK(100 * close >= 90 * all);
}

TEST_CASE("a spike between walls that the partition takes for one is in a piece") {
  // The margin is -1 but for 1 < x < 1 + 2 w, where it climbs to 1/2 and falls again.
  const double w = std::ldexp(1.0, -43), height = 1.5 / w;
  const PiecewiseAffineNetwork network(
      {{Matrix<double>(3, 2, {1, 0, 1, 0, 1, 0}), Matrix<double>(1, 3, {-1, -1 - w, -1 - 2 * w}), 0},
       {Matrix<double>(1, 3, {height, -2 * height, height}), Matrix<double>(1, 1, {-1}), 1}});
  REQUIRE(network(Matrix<double>(1, 2, {1 + w, 0}))(0, 0) == 0.5);
  const CentredMargins margins(network, nullptr, Matrix<double>(1, 2));
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    const auto pieces = planar_pieces(margins, norm, 2, 1000, never);
    REQUIRE(pieces);
    REQUIRE(!pieces->empty());
    CHECK(pieces->front().distance <= 1 + 2 * w / 3);
  }
}

TEST_CASE("the distance is found in the plane where parts would be too many") {
  // In ten inputs, of which the first layer sees two combinations, the plane is theirs.
  const PiecewiseAffineNetwork planar = random_network({2, 40, 40, 40, 3}, 8);
  std::vector<PiecewiseAffineLayer> layers = planar.layers();
  layers.insert(layers.begin(), {random_matrix({2, 10}, 7), Matrix<double>(1, 2), 1});
  const PiecewiseAffineNetwork wide(std::move(layers));
  const Matrix<double> x = random_matrix({2, 2}, 11), in_wide = random_matrix({2, 10}, 12, -0.3, 0.3);
  for (const auto& found : {certificates(planar, x, {.norm = Norm::l2}), certificates(planar, x, {.norm = Norm::linf}),
                            certificates(wide, in_wide, {.norm = Norm::l2})})
    for (const Certificate& one : found) {
      CHECK(one.exact);
      CHECK(one.parts > 300);
      CHECK(one.parts < 5000);
    }
}

TEST_CASE("a plane with too many regions, or no time for it, has no pieces") {
  const CentredMargins margins(random_network({2, 12, 3}, 1), nullptr, Matrix<double>(1, 2));
  CHECK(planar_pieces(margins, Norm::l2, 1, 1000, never));
  CHECK(!planar_pieces(margins, Norm::l2, 1, 3, never));
  CHECK(!planar_pieces(margins, Norm::l2, 1, 1000, [] { return true; }));
}

TEST_CASE("planar pieces: what is_late throws passes through, where the partition or its values are given up, too") {
  const PiecewiseAffineNetwork network = random_network({2, 30, 30, 2}, 1);
  const Matrix<double> x(1, 2);
  const detail::CentredMargins margins(network, nullptr, x);
  const auto pieces = [&](Index most) {
    return detail::planar_pieces(margins, Norm::l2, 1, most, []() -> bool { throw CallersError("the caller's"); });
  };
  CHECK(message_of<CallersError>([&] { pieces(1'000'000); }) == "the caller's");
  CHECK(message_of<CallersError>([&] { pieces(2); }) == "the caller's");
  CHECK_FALSE(detail::planar_pieces(margins, Norm::l2, 1, 1'000'000, [] { return true; }));
}

}  // namespace
}  // namespace normalign::tests

#include "geometry/certificates/part_bounds.hpp"

#include "support/catch.hpp"
#include "support/geometry_reference.hpp"
#include "support/matrices.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

using M = Matrix<double>;

// A network with its middle and the signs that it has at a point near by, some of them left open.
struct Scene {
  Scene(std::uint64_t seed, const std::vector<double>& slopes, double share_given, Norm n)
      : norm(n),
        network(random_network({3, 8, 7, 3}, seed, slopes)),
        x(random_matrix({1, 3}, seed)),
        margins(network, nullptr, x),
        target(near(0.4 * radius, seed + 100)) {
    const M open = random_matrix({1, 15}, seed + 1, 0, 1);
    const ActivationCode code = network.codes(at(target)).front();
    for (std::size_t u = 0; u < code.size(); ++u)
      signs.push_back(open(0, static_cast<Index>(u)) > share_given ? UnitSign::any
                      : code[u]                                    ? UnitSign::on
                                                                   : UnitSign::off);
  }
  // A step from x.
  M near(double reach, std::uint64_t seed) const { return random_matrix({1, 3}, seed, -reach, reach); }
  M at(const M& step) const {
    M z = step;
    for (Index i = 0; i < 3; ++i) z(0, i) += x(0, i);
    return z;
  }
  // Output by output, less that of the class of x.
  double margin(const M& step, Index j) const {
    const M at_x = network(x), f = network(at(step));
    const Index winner = std::ranges::max_element(at_x.span()) - at_x.span().begin();
    return f(0, j < winner ? j : j + 1) - f(0, winner);
  }
  bool has_signs(const M& step) const {
    const ActivationCode code = network.codes(at(step)).front();
    for (std::size_t u = 0; u < code.size(); ++u)
      if (signs[u] != UnitSign::any && (signs[u] == UnitSign::on) != (code[u] == 1)) return false;
    return true;
  }

  static constexpr double radius = 0.8;
  Norm norm;
  PiecewiseAffineNetwork network;
  M x;
  CentredMargins margins;
  M target;  // a step
  std::vector<UnitSign> signs;
};

double least_value(const HalfSpaces& set, const M& z) {
  double least = INFINITY;
  for (Index row = 0; row < set.slopes.rows(); ++row)
    least = std::min(least, dot(set.slopes.row(row), std::as_const(z).span()) + set.offsets(0, row));
  return least;
}

TEST_CASE("every point of a part satisfies the half-spaces of its bounds") {
  Index inside = 0, outside = 0;
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      CAPTURE(seed, norm == Norm::l2);
      const std::vector<std::vector<double>> slopes{{0}, {0.1, -1}, {-1, 0}, {1.7}};
      const Scene scene(seed, slopes[seed % 4], 0.4, norm);
      Cap cap{.radius = Scene::radius};
      std::vector<double> direction{0.6, 0, -0.8};
      if (norm == Norm::l2 && seed % 2 == 1) cap = {.radius = Scene::radius, .least = 0.2, .direction = direction};
      PartBounds bounds(scene.margins, norm);
      for (Index j = 0; j < 2; ++j) {
        const bool is_there = bounds.compute(scene.signs, cap, j);
        for (std::uint64_t sample = 0; sample < 300; ++sample) {
          const M z = scene.near(Scene::radius, 1000 * seed + sample);
          double along = 0;
          for (Index i = 0; i < 3; ++i) along += direction[static_cast<std::size_t>(i)] * z(0, i);
          if (!scene.has_signs(z) || scene.margin(z, j) < 1e-14 || norm_length(z.span(), norm) > cap.radius ||
              along < cap.least) {
            outside += is_there && least_value(bounds.half_spaces(), z) < 0;
            continue;
          }
          ++inside;
          REQUIRE(is_there);
          CHECK(least_value(bounds.half_spaces(), z) >= 0);  // without a tolerance
        }
      }
    }
  CHECK(inside > 250);
  CHECK(outside > 500);  // the half-spaces do cut something off
}

TEST_CASE("without bent units the half-spaces are the part itself") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const Scene scene(seed, {0, 0.2}, 1, Norm::l2);
    PartBounds bounds(scene.margins, Norm::l2);
    for (Index j = 0; j < 2; ++j) {
      if (!bounds.compute(scene.signs, {.radius = 0.8}, j)) continue;
      CHECK(bounds.loosest_unit(scene.target) == -1);
      CHECK(bounds.half_spaces().slopes.rows() == 16);
      for (std::uint64_t sample = 0; sample < 300; ++sample) {
        const M z = scene.near(0.4, sample);
        const bool is_part = scene.has_signs(z) && scene.margin(z, j) >= 0;
        CHECK((least_value(bounds.half_spaces(), z) >= 0) == is_part);
      }
      const HalfSpaces set = bounds.half_spaces();
      CHECK_THAT(dot(set.slopes.row(15), std::as_const(scene.target).span()) + set.offsets(0, 15),
                 WithinAbs(scene.margin(scene.target, j), 1e-12));
    }
  }
}

TEST_CASE("the loosest unit is the one whose bend the output's bound overlooks") {
  // |x1| - 10 |x2| with abs units: the first is bounded from above, far off at 0; the second from below.
  const PiecewiseAffineNetwork network({{M{{1, 0}, {0, 1}}, M{{0, 0}}, -1}, {M{{1, -10}}, M{{-0.5}}, 1}});
  const M x(1, 2), beside{{0.9, 0.9}};
  const CentredMargins margins(network, nullptr, x);
  PartBounds bounds(margins, Norm::linf);
  const std::vector<UnitSign> signs(2, UnitSign::any);
  REQUIRE(bounds.compute(signs, {.radius = 1}, 0));
  // |x1| <= 1 and |x2| >= some line through 0, which is right at 0.
  CHECK(bounds.loosest_unit(x) == 0);
  CHECK(bounds.loosest_unit(beside) == 1);
  const std::vector<UnitSign> first_given{UnitSign::on, UnitSign::any};
  REQUIRE(bounds.compute(first_given, {.radius = 1}, 0));
  CHECK(bounds.loosest_unit(x) == 1);
}

TEST_CASE("a ball whose outputs are proved to be negative has no step beyond, and small ones are proved") {
  for (const Norm norm : {Norm::l2, Norm::linf})
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Scene scene(seed, {0, -1, 0.1}, 0.5, norm);
      PartBounds bounds(scene.margins, norm);
      CHECK(bounds.are_negative(1e-9));
      double proved = 1e-9;
      while (proved < 100 && bounds.are_negative(1.2 * proved)) proved *= 1.2;
      const M steps = random_matrix({400, 3}, seed + 7, -2, 2);
      const M margins = scene.margins.network()(steps);
      for (Index i = 0; i < steps.rows(); ++i) {
        CAPTURE(name_of(norm), seed, proved);
        if (norm_length(steps.row(i), norm) <= proved) CHECK(std::ranges::max(margins.row(i)) < 0);
      }
    }
}

TEST_CASE("a part out of reach is found to be empty") {
  const PiecewiseAffineNetwork network({{M{{1}, {-1}}, M{{-2, -3}}, 0}, {M{{1, 1}}, M{{-1}}, 1}});
  const CentredMargins margins(network, nullptr, M(1, 1));
  PartBounds bounds(margins, Norm::linf);
  const std::vector<UnitSign> open(2, UnitSign::any), on{UnitSign::on, UnitSign::any};
  CHECK_FALSE(bounds.compute(open, {.radius = 2.9}, 0));
  CHECK(bounds.compute(open, {.radius = 3.1}, 0));
  CHECK_FALSE(bounds.compute(on, {.radius = 1.9}, 0));
}

}  // namespace
}  // namespace normalign::tests

#include "robustness/pgd.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/stopping.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// The gradient of a loss that is linear in each row: `slopes`, whatever the point.
template <class T>
LossGradient<T> linear_loss(const Matrix<T>& slopes) {
  return [&slopes](ConstView<T>, MatrixView<T> out) { std::ranges::copy(slopes.span(), out.span().begin()); };
}

// The gradient of -|p - c|^2 / 2 for each row: concave, its maximum at c.
LossGradient<double> bowl(const M& c) {
  return [&c](ConstView<double> p, MatrixView<double> out) {
    for (std::size_t i = 0; i < c.span().size(); ++i) out.span()[i] = c.span()[i] - p.span()[i];
  };
}

// |a - b| of two rows in that norm.
template <class T>
double distance(Norm norm, std::span<const T> a, std::span<const T> b) {
  double largest = 0, squares = 0;
  for (std::size_t j = 0; j < a.size(); ++j) {
    const double offset = static_cast<double>(a[j]) - static_cast<double>(b[j]);
    largest = std::max(largest, std::abs(offset));
    squares += offset * offset;
  }
  return norm == Norm::linf ? largest : std::sqrt(squares);
}

constexpr Norm both_norms[] = {Norm::linf, Norm::l2};

}  // namespace

// ---- where it ends

template <class T>
void check_linear_optimum() {
  const Matrix<T> x = random_matrix<T>({5, 7}, 1, -2, 2), w = random_matrix<T>({5, 7}, 2);
  const double radius = 0.5;
  for (bool random_start : {false, true})
    for (Norm norm : both_norms) {
      CAPTURE(random_start, norm == Norm::l2, sizeof(T));
      // In l2 a step of one radius halves what is left of the start, at least.
      const Matrix<T> found = pgd<T>(
          x, {.norm = norm, .radius = radius, .step = radius, .steps = 60, .random_start = random_start, .seed = 3},
          linear_loss(w));
      M best(x.rows(), x.cols());
      for (Index i = 0; i < x.rows(); ++i) {
        const double length = std::sqrt(inner_product(w.view().row_block(i, 1), w.view().row_block(i, 1)));
        for (Index j = 0; j < x.cols(); ++j) {
          const double slope = static_cast<double>(w(i, j));
          const double direction = norm == Norm::l2 ? slope / length : std::copysign(1, slope);
          best(i, j) = static_cast<double>(x(i, j)) + radius * direction;
        }
      }
      CHECK(relative_error(found, best) <= 4 * static_cast<double>(std::numeric_limits<T>::epsilon()));
    }
}

TEST_CASE("on a linear loss the optimal perturbation is reached: a corner of the cube, the slope's end of the ball") {
  check_linear_optimum<double>();
  check_linear_optimum<float>();
}

TEST_CASE("a concave quadratic is climbed to the point of the ball that is nearest to its maximum") {
  const M x = random_matrix({6, 4}, 1);
  const double radius = 0.5, step = 0.05;
  M c = random_matrix({6, 4}, 2);
  for (Index i = 0; i < 6; ++i)
    for (Index j = 0; j < 4; ++j) c(i, j) = x(i, j) + 3 * c(i, j) / 2;  // some within the cube, some far outside

  SECTION("l2") {
    const M found = pgd<double>(x, {.norm = Norm::l2, .radius = radius, .step = step, .steps = 400}, bowl(c));
    for (Index i = 0; i < 6; ++i) {
      const double far = distance<double>(Norm::l2, c.row(i), x.row(i));
      REQUIRE(far > radius);
      for (Index j = 0; j < 4; ++j)
        CHECK_THAT(found(i, j), WithinAbs(x(i, j) + (c(i, j) - x(i, j)) * radius / far, 1e-12));
    }
  }
  SECTION("linf: on the faces exactly, else within one step, which is how far steps of fixed length swing") {
    const M found = pgd<double>(x, {.radius = radius, .step = step, .steps = 400}, bowl(c));
    int faces = 0;
    for (Index i = 0; i < 6; ++i)
      for (Index j = 0; j < 4; ++j) {
        const bool outside = std::abs(c(i, j) - x(i, j)) > radius;
        faces += outside;
        const double nearest = std::clamp(c(i, j), x(i, j) - radius, x(i, j) + radius);
        CHECK_THAT(found(i, j), WithinAbs(nearest, outside ? 1e-15 : step));
      }
    CHECK((faces > 4 && faces < 20));
  }
}

TEST_CASE("one step is step * sign(gradient), or step along the normalised gradient, whatever the gradient's size") {
  const M x(1, 3);
  for (double scale : {1e-310, 1e-200, 1.0, 1e200}) {
    CAPTURE(scale);
    const M g{{3 * scale, 0, -4 * scale}};
    const PgdOptions options{.radius = 1, .step = 0.25, .steps = 1, .random_start = false};
    PgdOptions l2 = options;
    l2.norm = Norm::l2;
    CHECK(pgd<double>(x, options, linear_loss(g)) == M{{0.25, 0, -0.25}});
    CHECK(relative_error(pgd<double>(x, l2, linear_loss(g)), M{{0.15, 0, -0.2}}) <= 1e-12);
  }
}

TEST_CASE("the gradient is asked for once each step, at the points of the step before; the last point is returned") {
  const M x = random_matrix({3, 2}, 1), w = random_matrix({3, 2}, 2);
  for (Norm norm : both_norms) {
    PgdOptions options{.norm = norm, .radius = 0.3, .step = 0.1, .steps = 5, .seed = 4};
    std::vector<M> seen;
    const M last = pgd<double>(x, options, [&](ConstView<double> points, MatrixView<double> out) {
      seen.emplace_back(points);
      linear_loss(w)(points, out);
    });
    REQUIRE(seen.size() == 5);
    seen.push_back(last);
    for (int steps = 0; steps <= 5; ++steps) {
      options.steps = steps;
      CHECK(same_bits(pgd<double>(x, options, linear_loss(w)), seen[static_cast<std::size_t>(steps)]));
    }
  }
}

// ---- the ball and the range

template <class T>
void check_constraints() {
  const Matrix<T> x = random_matrix<T>({20, 9}, 1, 0, 1);
  for (Norm norm : both_norms)
    for (double radius : {1e-3, 0.3, 50.0})
      for (bool clamped : {false, true}) {
        CAPTURE(norm == Norm::l2, radius, clamped, sizeof(T));
        PgdOptions options{.norm = norm, .radius = radius, .step = radius / 3, .steps = 12, .seed = 8};
        if (clamped) options.clamp = InputRange{.low = 0, .high = 1};
        // One rounding of each value, and so sqrt(d) of them in l2.
        const double room = 3 * static_cast<double>(std::numeric_limits<T>::epsilon()) * (1 + radius);
        double farthest = 0;
        bool in_range = true;
        const auto look = [&](ConstView<T> points) {
          for (Index i = 0; i < points.rows(); ++i)
            farthest = std::max(farthest, distance<T>(norm, points.row(i), x.row(i)));
          for (T value : points.span()) in_range = in_range && value >= 0 && value <= 1;
        };
        std::uint64_t call = 0;
        look(pgd<T>(x, options, [&](ConstView<T> points, MatrixView<T> out) {
          look(points);
          const Matrix<T> g = random_matrix<T>(points.shape(), 100 + call++);
          std::ranges::copy(g.span(), out.span().begin());
        }));
        CHECK(farthest <= radius + room);
        CHECK(farthest >= (clamped ? 0 : 0.9 * radius));
        if (clamped || radius == 50.0) CHECK(in_range == clamped);
      }
}

TEST_CASE("every point stays in the ball, and in the range where there is one, up to one rounding") {
  check_constraints<double>();
  check_constraints<float>();
}

TEST_CASE("a clamp is kept in the type of the inputs") {
  const Matrix<float> x{{0.1f, -0.7f}}, up{{1, -1}};
  // 0.1f is above 0.1, yet an input that was clamped to [-0.7, 0.1] itself.
  const PgdOptions options{.radius = 2, .step = 2, .steps = 1, .clamp = InputRange{.low = -0.7, .high = 0.1}};
  CHECK(pgd<float>(x, options, linear_loss(up)) == x);
}

TEST_CASE("radius 0 returns the inputs bit by bit and asks for no gradient") {
  const M x{{-0.0, 1, 1e308}, {nan, infinity, 5e-324}};
  for (Norm norm : both_norms) {
    bool asked = false;
    const M found = pgd<double>(x, {.norm = norm, .radius = 0, .step = 0},
                                [&](ConstView<double>, MatrixView<double>) { asked = true; });
    CHECK(same_bits(found, x));
    CHECK_FALSE(asked);
  }
}

TEST_CASE("without steps and random start, or with zero gradients, the inputs come back") {
  const M x = random_matrix({4, 3}, 1), zero(4, 3);
  for (Norm norm : both_norms) {
    CHECK(pgd<double>(x, {.norm = norm, .steps = 0, .random_start = false}, linear_loss(zero)) == x);
    CHECK(pgd<double>(x, {.norm = norm, .random_start = false}, linear_loss(zero)) == x);
    // A random start stays where it is.
    const M start = pgd<double>(x, {.norm = norm, .steps = 0}, linear_loss(zero));
    CHECK(relative_error(pgd<double>(x, {.norm = norm}, linear_loss(zero)), start) <= 1e-14);
    CHECK(start != x);
  }
  CHECK(pgd<double>(M(0, 3), {}, linear_loss(M(0, 3))).shape() == Shape{0, 3});
}

// ---- random starts

TEST_CASE("a start is uniform in the cube or the ball") {
  constexpr Index n = 20'000;
  constexpr double radius = 2;
  for (Index d : {1, 2, 5})
    for (Norm norm : both_norms) {
      CAPTURE(d, norm == Norm::l2);
      const M x(n, d), none(n, d);
      const M start = pgd<double>(x, {.norm = norm, .radius = radius, .steps = 0, .seed = 5}, linear_loss(none));
      // Of volume v within radius (v / 2^d)^(1/d) of the centre, so (|offset| / radius)^d is uniform in (0, 1).
      double volume = 0, volume_squares = 0;
      std::vector<double> mean(static_cast<std::size_t>(d)), square = mean;
      double product = 0;
      for (Index i = 0; i < n; ++i) {
        const double share = std::pow(distance<double>(norm, start.row(i), x.row(i)) / radius, static_cast<double>(d));
        REQUIRE(share <= 1 + 1e-12);
        volume += share / n;
        volume_squares += share * share / n;
        for (Index j = 0; j < d; ++j) {
          mean[static_cast<std::size_t>(j)] += start(i, j) / n;
          square[static_cast<std::size_t>(j)] += start(i, j) * start(i, j) / n;
        }
        product += start(i, 0) * start(i, d - 1) / n;
      }
      // Five standard errors: of a uniform value .289, of its square .298, over the root of n.
      CHECK_THAT(volume, WithinAbs(0.5, 5 * 0.289 / std::sqrt(n)));
      CHECK_THAT(volume_squares, WithinAbs(1.0 / 3, 5 * 0.299 / std::sqrt(n)));
      const double variance = radius * radius / (norm == Norm::l2 ? static_cast<double>(d + 2) : 3.0);
      for (std::size_t j = 0; j < mean.size(); ++j) {
        CHECK_THAT(mean[j], WithinAbs(0, 5 * std::sqrt(variance / n)));
        CHECK_THAT(square[j], WithinAbs(variance, 5 * radius * radius / std::sqrt(n)));
      }
      if (d > 1) CHECK_THAT(product, WithinAbs(0, 5 * variance / std::sqrt(n)));
    }
}

TEST_CASE("seed, draw and sample number decide a row's attack, and nothing else does") {
  const M x = random_matrix({6, 3}, 1), c = random_matrix({6, 3}, 2);
  for (Norm norm : both_norms) {
    const PgdOptions options{.norm = norm, .radius = 0.4, .step = 0.1, .steps = 3, .seed = 7, .draw = 2};
    const M whole = pgd<double>(x, options, bowl(c));
    CHECK(same_bits(pgd<double>(x, options, bowl(c)), whole));
    PgdOptions other_seed = options, other_draw = options;
    other_seed.seed = 8;
    other_draw.draw = 3;
    CHECK(pgd<double>(x, other_seed, bowl(c)) != whole);
    CHECK(pgd<double>(x, other_draw, bowl(c)) != whole);

    const std::vector<Index> numbers{0, 1, 2, 3, 4, 5};
    CHECK(same_bits(pgd<double>(x, options, bowl(c), numbers), whole));
    for (Index first : {0, 2, 5}) {  // row blocks that know their sample numbers
      const Index count = std::min<Index>(2, 6 - first);
      const M part(c.view().row_block(first, count));
      const auto own = std::span(numbers).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const M found = pgd<double>(x.view().row_block(first, count), options, bowl(part), own);
      CHECK(same_bits(found, whole.view().row_block(first, count)));
      if (first > 0)
        CHECK(pgd<double>(x.view().row_block(first, count), options, bowl(part)) !=
              M(whole.view().row_block(first, count)));
    }
  }
}

TEST_CASE("without random start the seed does not matter") {
  const M x = random_matrix({4, 3}, 1), c = random_matrix({4, 3}, 2);
  CHECK(pgd<double>(x, {.random_start = false, .seed = 1}, bowl(c)) ==
        pgd<double>(x, {.random_start = false, .seed = 2}, bowl(c)));
}

// ---- refusals

TEST_CASE("options that make no attack are refused") {
  const auto refusal = [](const PgdOptions& options) {
    const M x(1, 1);
    return message_of([&] { pgd<double>(x, options, linear_loss(x)); });
  };
  CHECK(refusal({}) == "nothing was thrown");
  CHECK(refusal({.radius = -0.5}) == "pgd: radius is -0.5; it must be finite and not negative");
  CHECK(refusal({.radius = infinity}) == "pgd: radius is inf; it must be finite and not negative");
  CHECK(refusal({.radius = nan}) == "pgd: radius is nan; it must be finite and not negative");
  CHECK(refusal({.step = -1}) == "pgd: step is -1; it must be finite and not negative");
  CHECK(contains(refusal({.step = nan}), "pgd: step is nan"));
  CHECK(refusal({.steps = -1}) == "pgd: steps is -1; it must not be negative");
  CHECK(refusal({.clamp = InputRange{.low = 1, .high = 0}}) ==
        "pgd: clamp is 1 to 0; its low end must not be above its high end");
  CHECK(contains(refusal({.clamp = InputRange{.low = nan, .high = 1}}), "pgd: clamp is nan to 1"));
  CHECK(contains(refusal({.radius = -1, .steps = 0}), "radius"));  // unused, and still a mistake
}

TEST_CASE("inputs outside the range, and sample numbers that do not fit, are refused") {
  const M x{{0.5, 0.5}, {0.5, 1.25}}, with_nan{{nan, 0}};
  const PgdOptions options{.clamp = InputRange{}};
  CHECK(message_of([&] { pgd<double>(x, options, linear_loss(x)); }) ==
        "pgd: row 1 of the inputs holds 1.25; clamp is 0 to 1 and the inputs must lie in it");
  CHECK(contains(message_of([&] { pgd<double>(with_nan, options, linear_loss(with_nan)); }), "row 0"));
  const std::vector<Index> three{0, 1, 2};
  CHECK(message_of([&] { pgd<double>(x, {}, linear_loss(x), three); }) ==
        "pgd: inputs are 2x2 but there are 3 sample numbers; there must be one per row");
}

TEST_CASE("a gradient that is not finite ends the attack and names the sample and the step") {
  const M x(2, 2);
  const std::vector<Index> numbers{40, 17};
  for (double bad : {nan, infinity, -infinity})
    for (Norm norm : both_norms) {
      int call = 0;
      const auto gradient = [&](ConstView<double>, MatrixView<double> out) {
        std::ranges::fill(out.span(), 1.0);
        if (call++ == 2) out(1, 1) = bad;
      };
      CHECK(message_of<RunError>([&] { pgd<double>(x, {.norm = norm}, gradient, numbers); }) ==
            text("pgd: the gradient at sample 17 holds ", bad, " in step 2"));
    }
}

TEST_CASE("what the gradient throws passes through") {
  const M x(2, 2);
  const auto failing = [](ConstView<double>, MatrixView<double>) { throw std::domain_error("mine"); };
  CHECK_THROWS_AS(pgd<double>(x, {}, failing), std::domain_error);
}

TEST_CASE("pgd ends when stopped, between two steps") {
  const Matrix<double> inputs(3, 2);
  check_stops("pgd", [&](const std::function<bool()>& stop) {
    pgd<double>(inputs, {.steps = 1'000'000'000, .stop = stop},
                [](ConstView<double>, MatrixView<double> out) { std::ranges::fill(out.span(), 1.0); });
  });
}

}  // namespace normalign::tests

#include "nn/grokalign.hpp"

#include <cmath>

#include "autodiff/check/gradcheck.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "linalg/random.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;

constexpr GrokAlignOptions exact{.norm = JacobianNorm::exact};

M directions(const GrokAlignOptions& options, Index which, const std::vector<Index>& samples, Index k,
             std::uint64_t seed = 1, std::uint32_t step = 0) {
  M v(static_cast<Index>(samples.size()), k);
  fill_directions<double>(options, which, v, samples, seed, step);
  return v;
}

std::vector<Index> first_samples(Index n) {
  std::vector<Index> result;
  for (Index i = 0; i < n; ++i) result.push_back(i);
  return result;
}

// ---- options ----

TEST_CASE("options of GrokAlign that mean nothing are refused, by name") {
  const auto refusal = [](const GrokAlignOptions& options) { return message_of([&] { check(options); }); };
  CHECK(refusal({.lambda = -1}) == "grokalign: lambda is -1; it must be finite and not negative");
  CHECK(contains(refusal({.lambda = INFINITY}), "lambda is inf"));
  CHECK(contains(refusal({.lambda = NAN}), "lambda is nan"));
  CHECK(refusal({.projections = 0}) == "grokalign: projections is 0; it must be at least 1");
  CHECK(refusal({.level = -2}) == "grokalign: level is -2; it must be finite and not negative");
  CHECK(contains(refusal({.level = NAN}), "level is nan"));
  CHECK(refusal({.share = 0}) == "grokalign: share is 0; it must be above 0 and at most 1");
  CHECK(contains(refusal({.share = 1.01}), "share is 1.01"));
  CHECK(contains(refusal({.share = NAN}), "share is nan"));
  CHECK(refusal({.lambda = 0.1, .projections = 3, .level = 0, .share = 0.1}) == "nothing was thrown");
}

TEST_CASE("the exact norm takes every output, a projection what was asked for, and one output is exact by itself") {
  CHECK(direction_count(exact, 5) == 5);
  CHECK(direction_count({.projections = 3}, 5) == 3);
  CHECK(direction_count({}, 5) == 1);
  CHECK(direction_count({.projections = 3}, 1) == 1);
  CHECK(direction_count(exact, 1) == 1);
}

// ---- directions ----

TEST_CASE("exact directions are the unit vectors") {
  for (Index which = 0; which < 3; ++which) {
    const M v = directions(exact, which, {4, 9}, 3);
    for (Index i = 0; i < 2; ++i)
      for (Index j = 0; j < 3; ++j) CHECK(v(i, j) == (j == which));
  }
  CHECK(same_bits(directions({.projections = 3}, 0, {4, 9}, 1), M{{1}, {1}}));
}

TEST_CASE("random directions are the stream's normals at the sample's number, scaled to length one") {
  const std::vector<Index> samples{7, 0, 100000, 3};
  for (Index k : {2, 3, 4, 5, 61})
    for (Index which : {0, 1, 2}) {
      CAPTURE(k, which);
      const M v = directions({.projections = 3}, which, samples, k, 42, 17);
      const RandomRows random(42, Stream::projection, 17);
      for (Index i = 0; i < 4; ++i) {
        // Direction m starts at a group of its own, so that no two share a number.
        std::vector<double> row(static_cast<std::size_t>(4 * ((k + 3) / 4) * 3));
        random.normal(static_cast<std::uint32_t>(samples[static_cast<std::size_t>(i)]), std::span<double>(row));
        const auto at = row.begin() + which * 4 * ((k + 3) / 4);
        double squares = 0;
        for (Index j = 0; j < k; ++j) squares += at[j] * at[j];
        for (Index j = 0; j < k; ++j) REQUIRE_THAT(v(i, j), WithinAbs(at[j] / std::sqrt(squares), 1e-15));
      }
    }
}

TEST_CASE("a direction depends on seed, step, sample and number, not on the row it is in") {
  const GrokAlignOptions options{.projections = 2};
  const M all = directions(options, 0, {5, 6, 7, 8}, 3);
  const M later = directions(options, 0, {7, 8}, 3);
  CHECK(same_bits(all.view().row_block(2, 2), later));
  CHECK_FALSE(same_bits(directions(options, 1, {5, 6, 7, 8}, 3), all));
  CHECK_FALSE(same_bits(directions(options, 0, {5, 6, 7, 8}, 3, 2), all));
  CHECK_FALSE(same_bits(directions(options, 0, {5, 6, 7, 8}, 3, 1, 1), all));
  CHECK_FALSE(same_bits(all.view().row_block(0, 1), all.view().row_block(1, 1)));
}

TEST_CASE("random directions are uniform on the sphere: mean 0, second moment 1 / k") {
  const Index n = 20000;
  for (Index k : {2, 3, 10}) {
    CAPTURE(k);
    const M v = directions({}, 0, first_samples(n), k);
    const double dimension = static_cast<double>(k), rows = static_cast<double>(n);
    for (Index a = 0; a < k; ++a) {
      double mean = 0;
      for (Index i = 0; i < n; ++i) mean += v(i, a) / rows;
      CHECK(std::abs(mean) < 5 / std::sqrt(dimension * rows));
      for (Index b = 0; b <= a; ++b) {
        double moment = 0;
        for (Index i = 0; i < n; ++i) moment += v(i, a) * v(i, b) / rows;
        CHECK(std::abs(moment - (a == b) / dimension) < 5 / (dimension * std::sqrt(rows)) * std::sqrt(2.0));
      }
    }
    for (Index i = 0; i < n; ++i) {
      double squares = 0;
      for (double value : v.row(i)) squares += value * value;
      REQUIRE_THAT(squares, WithinRel(1.0, tolerance<double>()));
    }
  }
}

TEST_CASE("there must be one sample per row, and a direction of that number") {
  M v(3, 2);
  const std::vector<Index> samples{1, 2};
  CHECK(message_of([&] { fill_directions<double>({}, 0, v, samples, 0, 0); }) ==
        "fill_directions: v is 3x2 but there are 2 samples");
  M wide(2, 3), narrow(2, 1);
  CHECK(message_of([&] { fill_directions<double>({.projections = 2}, 2, wide, samples, 0, 0); }) ==
        "fill_directions: which is 2; there are 2");
  CHECK(contains(message_of([&] { fill_directions<double>(exact, 3, wide, samples, 0, 0); }), "which is 3"));
  CHECK(contains(message_of([&] { fill_directions<double>(exact, -1, wide, samples, 0, 0); }), "which is -1"));
  CHECK(contains(message_of([&] { fill_directions<double>({.projections = 2}, 1, narrow, samples, 0, 0); }),
                 "there are 1"));
}

// ---- the norm ----

struct Network {
  Mlp<double> mlp;
  Tape<double> tape;
  MlpOnTape<double> net = mlp.on(tape);
  V x, f;
  explicit Network(const MlpOptions& options, Index n = 6)
      : mlp(options), x(tape.variable(random_matrix({n, options.widths.front()}, 5, -2, 2))), f(net(x)) {}

  std::vector<V> direction_vars(const GrokAlignOptions& options) {
    const Index k = f.cols();
    std::vector<V> result;
    for (Index m = 0; m < direction_count(options, k); ++m)
      result.push_back(tape.constant(directions(options, m, first_samples(f.rows()), k)));
    return result;
  }
  V norms(const GrokAlignOptions& options) {
    const std::vector<V> v = direction_vars(options);
    return jacobian_norms(x, f, std::span<const V>(v));
  }
};

TEST_CASE("from the unit vectors the norm is the Frobenius norm of each sample's Jacobian") {
  for (Activation a : {Activation::relu, Activation::quadratic, Activation::tanh, Activation::silu}) {
    CAPTURE(name(a));
    Network n({.widths = {4, 9, 7, 3}, .activation = a, .seed = 2});
    M expected(6, 1);
    for (const V& row : jacobian(n.f, n.x))
      for (Index i = 0; i < 6; ++i)
        for (double value : row.value().row(i)) expected(i, 0) += value * value;
    for (double& value : expected.span()) value = std::sqrt(value);
    CHECK(relative_error(n.norms(exact).value(), expected) <= tolerance<double>(1));
  }
}

TEST_CASE("with one output a projection is the exact norm") {
  Network n({.widths = {4, 9, 1}, .activation = Activation::tanh, .seed = 2});
  CHECK(same_bits(n.norms({.projections = 4}).value(), n.norms(exact).value()));
}

TEST_CASE("the squares of m directions are averaged before the root, k times") {
  Network n({.widths = {4, 9, 3}, .activation = Activation::tanh, .seed = 2});
  const std::vector<V> v = n.direction_vars({.projections = 3});
  const std::vector<V> rows = jacobian(n.f, n.x);
  M expected(6, 1);
  for (const V& direction : v)
    for (Index i = 0; i < 6; ++i)
      for (Index c = 0; c < 4; ++c) {
        double product = 0;
        for (Index j = 0; j < 3; ++j)
          product += direction.value()(i, j) * rows[static_cast<std::size_t>(j)].value()(i, c);
        expected(i, 0) += product * product;
      }
  for (double& value : expected.span()) value = std::sqrt(3 * value / 3.0);
  CHECK(relative_error(jacobian_norms(n.x, n.f, std::span<const V>(v)).value(), expected) <= tolerance<double>(1));
}

TEST_CASE("the mean of many projections' squares comes to the exact square") {
  Network n({.widths = {4, 9, 3}, .activation = Activation::tanh, .seed = 2});
  const M found(n.norms({.projections = 4000}).value()), expected(n.norms(exact).value());
  // k |v^T J|^2 lies between 0 and k |J|^2, so its standard deviation is at most k/2 |J|^2; five standard
  // errors.
  for (Index i = 0; i < 6; ++i)
    CHECK_THAT(found(i, 0) * found(i, 0), WithinRel(expected(i, 0) * expected(i, 0), 5 * 1.5 / std::sqrt(4000.0)));
}

TEST_CASE("a Jacobian of zero has the floor as its norm and a gradient of zero, not NaN") {
  for (Activation a : {Activation::relu, Activation::quadratic, Activation::tanh}) {
    CAPTURE(name(a));
    Mlp<double> mlp({.widths = {4, 5, 3}, .activation = a});
    for (double& value : mlp.parameters()[0].span()) value = 0;
    Tape<double> tape;
    MlpOnTape<double> net = mlp.on(tape);
    const std::vector<V> parameters(net.parameters().begin(), net.parameters().end());
    const V x = tape.variable(random_matrix({6, 4}, 5));
    const V f = net(x), v = tape.constant(directions({}, 0, first_samples(6), 3));
    const V norms = jacobian_norms(x, f, std::span<const V>(&v, 1));
    for (double value : norms.value().span()) CHECK_THAT(value, WithinRel(1e-4, 1e-12));
    for (const V& g : grad(sum(norms), parameters)) CHECK(all_zero(g.value()));
  }
}

TEST_CASE("the norm's gradient in the weights agrees with differences, to the second order") {
  for (const bool projected : {true, false}) {
    CAPTURE(projected);
    const DifferentiableFunction norm = [&](Tape<double>& tape, std::span<const V> in) {
      const V f = linear(tanh(linear(in[0], in[1], in[2])), in[3]);
      std::vector<V> v;
      const GrokAlignOptions options = projected ? GrokAlignOptions{.projections = 2} : exact;
      for (Index m = 0; m < direction_count(options, 3); ++m)
        v.push_back(tape.constant(directions(options, m, {0, 1}, 3)));
      return mean(jacobian_norms(in[0], f, std::span<const V>(v)));
    };
    const auto report = gradcheck(
        norm, {random_matrix({2, 3}, 1), random_matrix({4, 3}, 2), random_matrix({1, 4}, 3), random_matrix({3, 4}, 4)},
        {.name = "mean |J|_F", .order = 2});
    INFO(report.failure);
    CHECK(report.passed);
  }
}

TEST_CASE("a norm without directions is refused") {
  Network n({.widths = {4, 3}});
  CHECK(message_of([&] { jacobian_norms(n.x, n.f, std::span<const V>()); }) ==
        "jacobian_norms: there are no directions; there must be at least one");
}

// ---- the penalty ----

TEST_CASE("GrokAlign's terms are those that it penalises, and of weight 0 it has none") {
  const auto names = [](const GrokAlignOptions& options) {
    std::vector<std::string> result;
    for (const PenaltyTerm& term : GrokAlign<double>(options).terms()) {
      CHECK(term.weight == options.lambda);
      result.push_back(term.name);
    }
    return result;
  };
  using Names = std::vector<std::string>;
  CHECK(names({.lambda = 0.3}) == Names{"jacobian_norm", "offset_norm"});
  CHECK(names({.lambda = 0.3, .jacobian = false}) == Names{"offset_norm"});
  CHECK(names({.lambda = 0.3, .offset = false, .level = 2}) == Names{"jacobian_norm"});
  CHECK(names({.lambda = 0.3, .jacobian = false, .offset = false}).empty());
  CHECK(names({}).empty());
  CHECK(message_of([] { GrokAlign<double>({.lambda = -1}); }) ==
        "grokalign: lambda is -1; it must be finite and not negative");
}

TEST_CASE("the loss has a slope in the norm that is the same everywhere, or turns at the level") {
  const double terms[] = {3, 0.5};
  double slopes[] = {0.1, 0.1};
  const GrokAlign<double> shrinking({.lambda = 0.1}), holding({.lambda = 0.1, .level = 4});
  CHECK(shrinking.is_linear());
  CHECK_THAT(shrinking.value(terms, slopes), WithinRel(0.35, 1e-15));
  CHECK(slopes[0] == 0.1);
  CHECK_FALSE(holding.is_linear());
  CHECK_THAT(holding.value(terms, slopes), WithinRel(0.15, 1e-15));
  CHECK(slopes[0] == -0.1);
  CHECK(slopes[1] == 0.1);
}

}  // namespace
}  // namespace normalign::tests

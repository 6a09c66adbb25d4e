// The checker is checked: rules that are wrong on purpose must be caught, at the order at which they are
// wrong.
#include "autodiff/check/gradcheck.hpp"

#include <cmath>
#include <limits>

#include "autodiff/graph.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/shape_rules.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using R = Recorded<double>;
using Inputs = std::span<const V>;

template <double (*f)(double)>
void each(const Call<double>& call) {
  std::ranges::transform(call.x[0].span(), call.y.data(), f);
}

constexpr Primitive<double> planted(const char* name, void (*value)(const Call<double>&), Rule<double> pullback,
                                    Rule<double> pushforward) {
  return {.name = name,
          .arity = 1,
          .shape = same_shape,
          .value = value,
          .pullback = {pullback},
          .pushforward = {pushforward},
          .reads = {Reads::x0 | Reads::output}};
}

double same(double x) { return x; }
double twice(double x) { return 2 * x; }
double squared(double x) { return x * x; }
double cubed(double x) { return x * x * x; }
double exponential(double x) { return std::exp(x); }

// The value without its derivative: what a rule does that captures a raw matrix.
constexpr Primitive<double> detach_op = planted("detach", each<same>, nullptr, nullptr);
V detach(V x) { return apply(detach_op, {&x}); }

V right_exp_rule(V g, const R& r) { return g * r.y(); }
V wrong_exp_rule(V g, const R& r) { return 1.0005 * (g * r.y()); }
V right_cube_rule(V g, const R& r) { return g * (3 * square(r.x())); }
V detached_cube_rule(V g, const R& r) { return g * (3 * square(detach(r.x()))); }

constexpr Primitive<double> right_op = planted("right", each<exponential>, right_exp_rule, right_exp_rule);
constexpr Primitive<double> off_op = planted("off", each<exponential>, wrong_exp_rule, wrong_exp_rule);
constexpr Primitive<double> off_forward_op = planted("off_forward", each<exponential>, right_exp_rule, wrong_exp_rule);
constexpr Primitive<double> no_forward_op = planted("no_forward", each<exponential>, right_exp_rule, nullptr);
constexpr Primitive<double> no_rule_op = planted("no_rule", each<exponential>, nullptr, nullptr);
constexpr Primitive<double> detached_op = planted("detached", each<cubed>, detached_cube_rule, right_cube_rule);

// 2 x with a slope that is off by 0.1 %: hidden in the rule of another operation, it spoils the next order
// only.
V off_slope_rule(V g, const R&) { return 2.002 * g; }
constexpr Primitive<double> off_twice_op = planted("off_twice", each<twice>, off_slope_rule, off_slope_rule);
V off_twice(V x) { return apply(off_twice_op, {&x}); }

V second_order_rule(V g, const R& r) { return g * off_twice(r.x()); }
constexpr Primitive<double> off_at_second_op =
    planted("off_at_second", each<squared>, second_order_rule, second_order_rule);
V off_at_second(V x) { return apply(off_at_second_op, {&x}); }

V third_order_rule(V g, const R& r) { return g * (3 * off_at_second(r.x())); }
constexpr Primitive<double> off_at_third_op = planted("off_at_third", each<cubed>, third_order_rule, third_order_rule);

// a b without a rule for b.
constexpr Primitive<double> half_op = {.name = "half",
                                       .arity = 2,
                                       .shape = equal_shapes,
                                       .value =
                                           [](const Call<double>& call) {
                                             for (Index i = 0; i < call.y.size(); ++i)
                                               call.y.data()[i] = call.x[0].data()[i] * call.x[1].data()[i];
                                           },
                                       .pullback = {[](V g, const R& r) { return g * r.x(1); }},
                                       .pushforward = {[](V t, const R& r) { return t * r.x(1); }},
                                       .reads = {Reads::x1}};

DifferentiableFunction unary(const Primitive<double>& primitive) {
  return [&primitive](Tape<double>&, Inputs x) {
    V operand = x[0];
    return apply(primitive, {&operand});
  };
}

GradcheckReport check(const Primitive<double>& primitive, int order) {
  return gradcheck(unary(primitive), {random_matrix({2, 3}, 11, 0.5, 1.5)},
                   {.name = primitive.name, .order = order, .seed = 17});
}

TEST_CASE("gradcheck passes a right rule at every order") {
  for (int order : {1, 2, 3}) {
    const auto report = check(right_op, order);
    INFO(report.failure);
    CHECK(report.passed);
    CHECK(report.failure.empty());
    for (int m = 0; m < 3; ++m) {
      CAPTURE(order, m);
      CHECK((report.error[static_cast<std::size_t>(m)] > 0) == (m < order));
      CHECK(report.error[static_cast<std::size_t>(m)] <= difference_tolerance);
      CHECK(report.forward_error[static_cast<std::size_t>(m)] <= tolerance<double>(3));
    }
  }
}

TEST_CASE("gradcheck catches each planted mistake at the order at which it is wrong") {
  const struct {
    const Primitive<double>& primitive;
    int order;
    double error;  // relative, about
  } mistakes[] = {{off_op, 1, 5e-4},
                  {no_rule_op, 1, 1},
                  {detached_op, 2, 0.5},
                  {off_at_second_op, 2, 5e-4},
                  {off_at_third_op, 3, 1e-4}};
  for (const auto& mistake : mistakes) {
    CAPTURE(mistake.primitive.name);
    for (int order = 1; order < mistake.order; ++order) CHECK(check(mistake.primitive, order).passed);
    for (int order = mistake.order; order <= 3; ++order) {
      const auto report = check(mistake.primitive, order);
      INFO(report.failure);
      CHECK_FALSE(report.passed);
      CHECK(report.failure.starts_with(
          text(mistake.primitive.name, ": order ", mistake.order, ", input 0 (2x3), entry (")));
      for (const char* part :
           {"reverse mode gives ", "central differences ", "absolute error ", "relative ", ", step 1e-05", ", seed 17"})
        CHECK(contains(report.failure, part));
      const double found = report.error[static_cast<std::size_t>(mistake.order - 1)];
      CHECK(found >= mistake.error / 10);
      CHECK(found <= mistake.error * 10);
    }
  }
}

TEST_CASE("gradcheck catches a pushforward that disagrees with a right pullback") {
  for (const auto* primitive : {&off_forward_op, &no_forward_op}) {
    const auto report = check(*primitive, 3);
    INFO(report.failure);
    CHECK_FALSE(report.passed);
    CHECK(
        report.failure.starts_with(text(primitive->name, ": order 1, input 0 (2x3), contracted: forward mode gives ")));
    CHECK(contains(report.failure, "but reverse mode "));
    CHECK(contains(report.failure, ", seed 17"));
    CHECK(report.error[0] <= difference_tolerance);
    CHECK(report.forward_error[0] > 1e-5);
  }
}

TEST_CASE("gradcheck names the input whose rule is missing") {
  const auto report = gradcheck(
      [](Tape<double>&, Inputs x) {
        V a = x[0], b = x[1];
        return apply(half_op, {&a, &b});
      },
      {random_matrix({2, 2}, 1), random_matrix({2, 2}, 2)}, {.name = "half"});
  CHECK_FALSE(report.passed);
  CHECK(report.failure.starts_with("half: order 1, input 1 (2x2), entry (0, 0)"));
}

TEST_CASE("gradcheck passes right functions of several inputs, at every order") {
  const auto report = gradcheck(
      [](Tape<double>& tape, Inputs x) {
        const std::int32_t labels[] = {0, 2, 1};
        return sum(cross_entropy_rows(linear(tanh(linear(x[0], x[1], x[2])), x[3]), tape.labels(labels)));
      },
      {random_matrix({3, 2}, 1), random_matrix({4, 2}, 2), random_matrix({1, 4}, 3), random_matrix({3, 4}, 4)},
      {.order = 3});
  INFO(report.failure);
  CHECK(report.passed);
}

TEST_CASE("gradcheck refuses a probe whose step crosses a kink") {
  const struct {
    const char* name;
    V (*f)(V);
    double kink;
  } kinked[] = {{"relu", [](V x) { return relu(x); }, 0},
                {"leaky_relu", [](V x) { return leaky_relu(x, 0.1); }, 0},
                {"abs", [](V x) { return abs(x); }, 0},
                {"sign", [](V x) { return sign(x); }, 0},
                {"clamp_min", [](V x) { return clamp_min(x, 0.25); }, 0.25},
                {"relu inside", [](V x) { return relu(exp(x) - 1); }, 0}};
  for (const auto& row : kinked) {
    const auto at = [&](double x) {
      return gradcheck([&](Tape<double>&, Inputs inputs) { return row.f(inputs[0]); }, {Matrix<double>{{1, x}}},
                       {.name = row.name, .order = 2, .seed = 3});
    };
    for (double near : {-5e-6, 0.0, 5e-6}) {
      CAPTURE(row.name, near);
      const auto report = at(row.kink + near);
      INFO(report.failure);
      CHECK_FALSE(report.passed);
      CHECK(report.failure.starts_with(text(row.name, ": order 1, input 0 (1x2), entry (0, 1) = ")));
      CHECK(contains(report.failure, "refused"));
      CHECK(contains(report.failure, "crosses a kink"));
      CHECK(contains(report.failure, "seed 3"));
    }
    CHECK(at(row.kink + 0.1).passed);
    CHECK(at(row.kink - 0.1).passed);
  }
}

TEST_CASE("gradcheck fails on values that are not finite") {
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), -1.0}) {
    const auto report = gradcheck([](Tape<double>&, Inputs x) { return log(x[0]); }, {Matrix<double>{{1, bad}}});
    INFO(report.failure);
    CHECK_FALSE(report.passed);
    CHECK(contains(report.failure, "nan"));
    CHECK_FALSE(report.error[0] <= difference_tolerance);
  }
}

TEST_CASE("gradcheck's tolerances are those asked for") {
  const std::vector<Matrix<double>> inputs{random_matrix({2, 3}, 11, 0.5, 1.5)};
  CHECK(gradcheck(unary(off_op), inputs, {.tolerance = {1e-3, 1e-6, 1e-6}}).passed);
  CHECK_FALSE(gradcheck(unary(off_at_second_op), inputs, {.order = 2, .tolerance = {1e-3, 1e-6, 1e-6}}).passed);
  CHECK_FALSE(gradcheck(unary(right_op), inputs, {.tolerance = {0, 0, 0}}).passed);
}

TEST_CASE("gradcheck refuses orders that it cannot check, and no inputs") {
  for (int order : {-1, 0, 4})
    CHECK(message_of([&] { check(right_op, order); }) == text("gradcheck: order is ", order, "; it must be 1, 2 or 3"));
  CHECK(message_of([] { gradcheck(unary(right_op), {}); }) ==
        "gradcheck: there are no inputs; there must be at least one");
}

TEST_CASE("gradcheck passes on what the function throws") {
  const auto broken = [](Tape<double>&, Inputs x) { return x[0] + x[1]; };
  CHECK_THROWS_AS(gradcheck(broken, {Matrix<double>(2, 3), Matrix<double>(3, 2)}), InputError);
}

TEST_CASE("after a function has thrown its tape reports no kinks any more") {
  Var<double> kept;
  const auto broken = [&](Tape<double>& tape, Inputs x) {
    const WithoutRecording<double> scope(tape);
    kept = tape.constant(Matrix<double>{{1, -2}});
    return x[0] + tape.constant(Matrix<double>(5, 5));
  };
  CHECK_THROWS_AS(gradcheck(broken, {Matrix<double>(2, 3)}), InputError);
  CHECK(detail::Graph<double>::of("test", kept).watch == nullptr);
  CHECK(relu(kept).value()(0, 1) == 0);  // it lives on, and would write to a place that is gone
}

}  // namespace
}  // namespace normalign::tests

// What the table of operations (op_table_test.cpp) cannot say: extreme values, NaN, errors.
#include "autodiff/ops_elementwise.hpp"

#include <cmath>
#include <limits>
#include <numbers>
#include <set>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

// An operation's value, first and second derivative at one point.
template <class T>
struct Jet {
  T value, first, second;
};

template <class T, class F>
Jet<T> jet(F f, double at) {
  Tape<T> tape;
  const Var<T> x = tape.variable(Matrix<T>{{static_cast<T>(at)}});
  const Var<T> y = f(x);
  const Var<T> first = grad(y, x, {.create_graph = true});
  return {y.item(), first.item(), grad(first, x).item()};
}

template <class T, class F>
void check_jet(F f, double at, Jet<double> expected) {
  const Jet<T> found = jet<T>(f, at);
  CAPTURE(at, found.value, found.first, found.second);
  const double bound = tolerance<T>(2);
  CHECK_THAT(static_cast<double>(found.value), WithinRel(expected.value, bound) || WithinAbs(expected.value, bound));
  CHECK_THAT(static_cast<double>(found.first), WithinAbs(expected.first, bound));
  CHECK_THAT(static_cast<double>(found.second), WithinAbs(expected.second, bound));
}

template <class T>
void check_saturation() {
  const auto softplus_of = [](Var<T> x) { return softplus(x); };
  const auto sigmoid_of = [](Var<T> x) { return sigmoid(x); };
  const auto silu_of = [](Var<T> x) { return silu(x); };
  const auto tanh_of = [](Var<T> x) { return tanh(x); };
  const auto mass_of = [](Var<T> x) { return normal_cdf(x); };
  const auto gelu_of = [](Var<T> x) { return gelu(x); };
  const auto gelu_tanh_of = [](Var<T> x) { return gelu_tanh(x); };
  for (double x : {100.0, 1000.0}) {
    check_jet<T>(softplus_of, x, {x, 1, 0});
    check_jet<T>(softplus_of, -x, {0, 0, 0});
    check_jet<T>(sigmoid_of, x, {1, 0, 0});
    check_jet<T>(sigmoid_of, -x, {0, 0, 0});
    check_jet<T>(silu_of, x, {x, 1, 0});
    check_jet<T>(silu_of, -x, {0, 0, 0});
    check_jet<T>(tanh_of, x, {1, 0, 0});
    check_jet<T>(tanh_of, -x, {-1, 0, 0});
    check_jet<T>(mass_of, x, {1, 0, 0});
    check_jet<T>(mass_of, -x, {0, 0, 0});
    for (const auto of : {+gelu_of, +gelu_tanh_of}) {
      check_jet<T>(of, x, {x, 1, 0});
      check_jet<T>(of, -x, {0, 0, 0});
    }
  }
  check_jet<T>(softplus_of, 0, {std::log(2), 0.5, 0.25});
  check_jet<T>(sigmoid_of, 0, {0.5, 0.25, 0});
  check_jet<T>(silu_of, 0, {0, 0.5, 0.5});
  check_jet<T>(tanh_of, 0, {0, 1, 0});
  const double density = 1 / std::sqrt(2 * std::numbers::pi);  // of the standard normal distribution at 0
  check_jet<T>(mass_of, 0, {0.5, density, 0});
  check_jet<T>(gelu_of, 0, {0, 0.5, 2 * density});
  check_jet<T>(gelu_tanh_of, 0, {0, 0.5, 2 * density});
}

TEST_CASE("saturated activations and their derivatives stay finite, in double and in float") {
  check_saturation<double>();
  check_saturation<float>();
}

TEST_CASE("softplus keeps its small values where e^-x is below the rounding of 1") {
  const Jet<double> far = jet<double>([](Var<double> x) { return softplus(x); }, -40);
  CHECK_THAT(far.value, WithinRel(std::exp(-40), tolerance<double>()));
  CHECK_THAT(far.first, WithinRel(std::exp(-40), tolerance<double>()));
}

// The standard normal distribution's mass below x <= 0 in long double: Laplace's continued fraction of the tail, and
// near 0 the series of the middle.
long double normal_mass(long double x) {
  const long double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<long double>);
  if (x < -4) {
    long double fraction = -x;
    for (int n = 200; n > 0; --n) fraction = -x + n / fraction;
    return density / fraction;
  }
  long double term = x, sum = x;
  for (int n = 1; n < 200; ++n) sum += term *= x * x / (2 * n + 1);
  return 0.5L + density * sum;
}

// The numbers are lanes of one call, so that the vector versions of erfc are tested where they are used.
template <class T>
void check_tail(Var<T> (*f)(Var<T>), long double (*exact)(long double)) {
  Matrix<T> values(1, 4003);
  for (Index i = 0; i < values.cols(); ++i)
    values(0, i) = static_cast<T>((sizeof(T) == 8 ? -37.0 : -12.9) * static_cast<double>(i) / 4002);
  Tape<T> tape;
  const Var<T> result = f(tape.variable(values));
  const ConstView<T> found = result.value();
  long double worst = 0;
  for (Index i = 1; i < values.cols(); ++i) {
    const long double x = values(0, i), expected = exact(x);
    const long double error = std::abs(found(0, i) - expected) / std::abs(expected);
    worst = std::max(worst, error / ((1 + x * x) * std::numeric_limits<T>::epsilon()));
  }
  CAPTURE(worst, sizeof(T));
  CHECK(worst < 4);
}

TEST_CASE("the normal distribution's mass keeps its relative accuracy far below 0, and so does gelu") {
  const auto mass = [](long double x) { return normal_mass(x); };
  const auto product = [](long double x) { return x * normal_mass(x); };
  check_tail<double>(normal_cdf, mass);
  check_tail<float>(normal_cdf, mass);
  check_tail<double>(gelu, product);
  check_tail<float>(gelu, product);
  CHECK_THAT(static_cast<double>(normal_mass(-1)), WithinRel(0.15865525393145705, 1e-15));
}

TEST_CASE("gelu_tanh is its formula by tanh where that does not cancel, and sigmoid's below") {
  Tape<double> tape;
  const auto at = [&](double x) { return gelu_tanh(tape.variable(Matrix<double>{{x}})).item(); };
  CHECK_THAT(at(1), WithinRel(0.84119199060827, 1e-13));  // PyTorch's
  CHECK_THAT(at(-3), WithinRel(-0.0036373920817729943, 1e-12));
  const double u = std::sqrt(2 / std::numbers::pi) * (-7 - 0.044715 * 343);
  CHECK_THAT(at(-7), WithinRel(-7 * std::exp(2 * u), 1e-12));
  CHECK(at(-1e200) == 0);
  CHECK(at(1e200) == 1e200);
}

TEST_CASE("NaN passes through operations with kinks and their derivatives' masks") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Tape<double> tape;
  const Var<double> x = tape.variable(Matrix<double>{{nan, 1}}), one = tape.full({1, 2}, 1);
  for (const Var<double>& y : {relu(x), leaky_relu(x, 0.1), clamp_min(x, 0), abs(x), sign(x), gate(x, one),
                               gate(x, one, 0.5), gate_from(x, one, 0.5)}) {
    CHECK(std::isnan(y.value()(0, 0)));
    CHECK(y.value()(0, 1) == 1);
  }
}

TEST_CASE("masks choose at their bound as documented") {
  Tape<double> tape;
  const Var<double> g = tape.constant(Matrix<double>{{5, 5, 5, 5}});
  const Var<double> y = tape.constant(Matrix<double>{{-1, -0.0, 0, 1}});
  CHECK(same_bits(gate(g, y).value(), Matrix<double>{{0, 0, 0, 5}}));
  CHECK(same_bits(gate(g, y, 0.5).value(), Matrix<double>{{2.5, 2.5, 2.5, 5}}));
  CHECK(same_bits(gate_from(g, y, 0).value(), Matrix<double>{{0, 5, 5, 5}}));
  CHECK(same_bits(gate_from(g, y, 1).value(), Matrix<double>{{0, 0, 0, 5}}));
  CHECK(relative_error(sign(y).value(), Matrix<double>{{-1, 0, 0, 1}}) == 0);
  CHECK(same_bits(relu(y).value(), Matrix<double>{{0, 0, 0, 1}}));
}

TEST_CASE("sign has the same values in float as in double") {
  Tape<float> tape;
  CHECK(same_bits(sign(tape.constant(Matrix<float>{{-2, 0, 3}})).value(), Matrix<float>{{-1, 0, 1}}));
}

TEST_CASE("leaky_relu of slope 0 is relu, of slope 1 the identity") {
  const Matrix<double> values = random_matrix({3, 4}, 1);
  Tape<double> tape;
  const Var<double> x = tape.variable(values);
  CHECK(relative_error(leaky_relu(x, 0).value(), relu(x).value()) == 0);
  CHECK(same_bits(leaky_relu(x, 1).value(), values));
  CHECK(relative_error(grad(sum(leaky_relu(x, 0)), x).value(), grad(sum(relu(x)), x).value()) == 0);
}

TEST_CASE("leaky_relu refuses a negative slope") {
  Tape<double> tape;
  const Var<double> x = tape.variable(Matrix<double>{{1}});
  CHECK(message_of([&] { leaky_relu(x, -0.5); }) == "leaky_relu: slope is -0.5; it must not be negative");
  CHECK(contains(message_of([&] { leaky_relu(x, std::numeric_limits<double>::quiet_NaN()); }), "slope is nan"));
}

TEST_CASE("logarithm and square root outside their domain are IEEE's") {
  Tape<double> tape;
  const Var<double> x = tape.constant(Matrix<double>{{0, -1}});
  CHECK(log(x).value()(0, 0) == -infinity);
  CHECK(std::isnan(log(x).value()(0, 1)));
  CHECK(sqrt(x).value()(0, 0) == 0);
  CHECK(std::isnan(sqrt(x).value()(0, 1)));
}

// Equal, where a NaN equals a NaN.
template <class T>
bool same_values(ConstView<T> a, ConstView<T> b) {
  return std::ranges::equal(a.span(), b.span(), [](T x, T y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

template <class T>
void check_ieee_division() {
  const T infinity = std::numeric_limits<T>::infinity();
  const Matrix<T> values{{T{0}, T{1}, T(-3), T(0.1), T(1e-20), T(7e20), infinity, T(1e-38)}};
  Tape<T> tape;
  const Var<T> x = tape.variable(values);
  for (double number : {3.0, 49.0, -0.1, 1e30, 1e-30, 0.0, 1.0}) {
    CAPTURE(number);
    const T c = static_cast<T>(number);
    Matrix<T> over = values, under = values;
    for (T& value : over.span()) value = value / c;
    for (T& value : under.span()) value = c / value;
    CHECK(same_values<T>((x / number).value(), over));
    CHECK(same_values<T>((number / x).value(), under));
    CHECK(same_values<T>((x / tape.full({1, 1}, number)).value(), over));
    const Var<T> ones = tape.full(values.shape(), 1);
    CHECK(same_values<T>(grad(x / number, x, {.seed = ones}).value(), (ones / number).value()));
  }
}

TEST_CASE("quotients with numbers are IEEE's, and so are their derivatives") {
  check_ieee_division<double>();
  check_ieee_division<float>();
  Tape<double> tape;
  const Var<double> tiny = tape.variable(Matrix<double>{{1e-20}});
  CHECK(std::isfinite((tiny / 1e-310).item()));
  CHECK_THAT((tiny / 1e-310).item(), WithinRel(1e290, 1e-9));
  CHECK_THAT((1e-310 / tape.variable(Matrix<double>{{1e-320}})).item(), WithinRel(1e10, 1e-3));
  CHECK_THAT(grad(3 / tiny, tiny).item(), WithinRel(-3e40, tolerance<double>()));
}

TEST_CASE("a misfit names the operation, both shapes and the rule") {
  Tape<double> tape;
  const Var<double> a = tape.variable(Matrix<double>(3, 4)), b = tape.variable(Matrix<double>(2, 4));
  CHECK(message_of([&] { a + b; }) == "add: a is 3x4 but b is 2x4; each extent must be equal or 1");
  CHECK(message_of([&] { gate(a, b); }) == "gate: a is 3x4 but b is 2x4; they must be equal");
}

TEST_CASE("broadcasting with an extent of 0 gives nothing, and gradients of zero") {
  Tape<double> tape;
  const Var<double> row = tape.variable(Matrix<double>(1, 3)), none = tape.variable(Matrix<double>(0, 3));
  const Var<double> y = row * none;
  CHECK(y.shape() == Shape{0, 3});
  const auto g = grad(sum(y), std::vector{row, none});
  CHECK(g[0].shape() == Shape{1, 3});
  CHECK(all_zero(g[0].value()));
  CHECK(g[1].shape() == Shape{0, 3});
}

}  // namespace
}  // namespace normalign::tests

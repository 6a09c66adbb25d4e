#include "autodiff/check/nan_check.hpp"

#include <cmath>
#include <limits>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

using V = Var<double>;
using M = Matrix<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class F>
std::string found(F f) {
  return message_of<RunError>(f);
}

TEST_CASE("the first NaN of a forward pass names its operation, recorded or not") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 4, 9}, {16, -25, 36}}), c = tape.constant(x.value());
  const NanCheck<double> check(tape);
  CHECK(found([&] { sum(square(sqrt(x))); }) ==
        "sqrt: found nan at (1, 1) of the 2x3 result, node 2, expected a number; inputs 2x3");
  CHECK(found([&] { sum(square(sqrt(c))); }) ==
        "sqrt: found nan at (1, 1) of the 2x3 result, expected a number; inputs 2x3");
  CHECK(sqrt(square(x)).value()(1, 1) == 25);  // the tape is good
}

TEST_CASE("an infinity out of finite numbers is found, one that came in is not") {
  Tape<double> tape;
  const V x = tape.variable(M{{1, 0}}), mask = tape.constant(M{{0, -infinity}});
  const NanCheck<double> check(tape);
  CHECK(found([&] { log(x); }) == "log: found -inf at (0, 1) of the 1x2 result, node 2, expected a number; inputs 1x2");
  CHECK(softmax(x + mask).value()(0, 0) == 1);
  CHECK(
      found([&] { (x + mask) - mask; }) ==
      "subtract: found nan at (0, 1) of the 1x2 result, node 5, expected a number; inputs 1x2 with inf, 1x2 with inf");
}

TEST_CASE("where a leaf holds a NaN the first operation on it is named") {
  Tape<double> tape;
  const NanCheck<double> check(tape);
  const V w = tape.variable(M{{1, nan}}), x = tape.constant(M{{1, 2}, {3, 4}});
  CHECK(found([&] { linear(x, w); }) ==
        "matmul: found nan at (0, 0) of the 2x1 result, node 2, expected a number; inputs 2x2, 1x2 with nan");
}

TEST_CASE("a NaN of a sweep names the node whose rule it is part of, recorded or not") {
  Tape<double> tape;
  const V x = tape.variable(M{{0}}), t = tape.full({1, 1}, 1);
  const V y = sqrt(x);  // node 2
  const V f = sum(exp(y));
  const NanCheck<double> check(tape);
  CHECK(found([&] { grad(f, x); }) ==
        "divide: found inf at (0, 0) of the 1x1 result, expected a number; inputs 1x1, 1x1; in a rule of "
        "node 2, sqrt");
  const Index before = tape.nodes();
  const std::string recorded = found([&] { grad(f, x, {.create_graph = true}); });
  CHECK(recorded.starts_with("divide: found inf at (0, 0) of the 1x1 result, node "));
  CHECK(recorded.ends_with(", expected a number; inputs 1x1, 1x1; in a rule of node 2, sqrt"));
  CHECK(tape.nodes() > before);
  CHECK(contains(found([&] { jvp(f, x, t); }), "in a rule of node 2, sqrt"));
  // After the sweep nothing is said to be in a rule.
  CHECK_FALSE(contains(found([&] { log(0 * x); }), "in a rule"));
}

TEST_CASE("after its scope nothing is checked, and values and derivatives have the same bits within it") {
  Tape<double> tape;
  const V x = tape.variable(random_matrix({3, 4}, 1));
  const auto derivative = [&] { return grad(sum(square(softmax(x) * tanh(x + 1))), x); };
  const M expected(derivative().value());
  {
    const NanCheck<double> check(tape);
    CHECK(same_bits(derivative().value(), expected));
    CHECK_THROWS_AS(log(0 * x), RunError);
  }
  CHECK(std::isinf(log(0 * x).value()(0, 0)));
  Tape<float> narrow;
  const NanCheck<float> check(narrow);
  CHECK(found([&] {
          exp(narrow.full({1, 1}, 100));
        }) == "exp: found inf at (0, 0) of the 1x1 result, expected a number; inputs 1x1");
}

}  // namespace
}  // namespace normalign::tests

// An operation of one's own, without a change to the library: y = sin(x + m pi/2), whose derivative is itself with
// m + 1. Its rule is written with operations and so serves every order; gradcheck tells when a rule is wrong.
#include <cmath>
#include <cstdio>
#include <vector>

#include "autodiff/check/gradcheck.hpp"
#include "autodiff/ops.hpp"
#include "autodiff/shape_rules.hpp"

using namespace normalign;

void values(const Call<double>& call) {
  const double shift = call.attribute.first * std::acos(0);
  for (Index i = 0; i < call.y.size(); ++i) call.y.data()[i] = std::sin(call.x[0].data()[i] + shift);
}

// The pullback and the pushforward: what comes in, times the slope at the recorded input.
constexpr Primitive<double> elementwise(const char* name, Rule<double> times_slope) {
  return {.name = name,
          .arity = 1,
          .shape = same_shape,
          .value = values,
          .pullback = {times_slope},
          .pushforward = {times_slope},
          .reads = {Reads::x0}};  // the rule reads the input; values that no rule reads are freed early
}

Var<double> sine(Var<double> x, int m = 0) {
  static constexpr auto primitive = elementwise("sine", [](Var<double> derivative, const Recorded<double>& r) {
    return derivative * sine(r.x(), r.attribute().first + 1);
  });
  return apply(primitive, {&x}, {.first = m});
}

// Its rule forgets m: a gradient is right, a gradient of a gradient is not.
Var<double> wrong_sine(Var<double> x, int m = 0) {
  static constexpr auto primitive = elementwise("wrong_sine", [](Var<double> derivative, const Recorded<double>& r) {
    return derivative * wrong_sine(r.x(), 1);
  });
  return apply(primitive, {&x}, {.first = m});
}

int main() {
  const std::vector<Matrix<double>> inputs{{{0.3, -1.2}, {2, 0.7}}};  // one input, 2 x 2
  const auto right = gradcheck([](auto&, auto x) { return sine(x[0]); }, inputs, {.name = "sine", .order = 3});
  const auto wrong = gradcheck([](auto&, auto x) { return wrong_sine(x[0]); }, inputs, {.name = "wrong", .order = 3});
  std::printf("sine passed: %s\n", right.passed ? "yes" : "no");  // prints sine passed: yes
  std::printf("%s\n", wrong.failure.substr(0, wrong.failure.find(" (absolute")).c_str());
  // prints wrong: order 2, input 0 (2x2), entry (0, 0): reverse mode gives -0.27221 but central differences -0.188005
}

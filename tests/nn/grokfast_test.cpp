#include "nn/grokfast.hpp"

#include <cmath>

#include "support/catch.hpp"
#include "support/matrices.hpp"
#include "support/message_of.hpp"
#include "support/tolerances.hpp"

namespace normalign::tests {
namespace {

using M = Matrix<double>;

M filtered(GrokFast<double>& filter, M gradient, std::size_t parameter = 0) {
  const M values(gradient.rows(), gradient.cols());
  filter.apply(parameter, values, gradient);
  return gradient;
}

TEST_CASE("the average starts at the first gradient") {
  M w(2, 3);
  const MatrixView<double> views[] = {w};
  const M g = random_matrix({2, 3}, 1);
  for (double alpha : {0.0, 0.8, 1.0}) {
    GrokFast<double> filter({.alpha = alpha, .lambda = 0.5});
    filter.start(views);
    const M first = filtered(filter, g);
    for (std::size_t i = 0; i < 6; ++i) CHECK_THAT(first.span()[i], WithinRel(1.5 * g.span()[i], tolerance<double>()));
  }
}

TEST_CASE("after a jump from a to b the average is b + alpha^t (a - b), parameter by parameter") {
  M w(2, 3), other(1, 4);
  const MatrixView<double> views[] = {w, other};
  const M a = random_matrix({2, 3}, 1), b = random_matrix({2, 3}, 2), c = random_matrix({1, 4}, 3);
  GrokFast<double> filter({.alpha = 0.7, .lambda = 2});
  filter.start(views);
  filtered(filter, a, 0);
  for (int t = 1; t <= 40; ++t) {
    const M found = filtered(filter, b, 0), constant = filtered(filter, c, 1);
    for (std::size_t i = 0; i < 6; ++i) {
      const double average = b.span()[i] + std::pow(0.7, t) * (a.span()[i] - b.span()[i]);
      REQUIRE_THAT(found.span()[i], WithinAbs(b.span()[i] + 2 * average, tolerance<double>()));
    }
    for (std::size_t i = 0; i < 4; ++i)
      REQUIRE_THAT(constant.span()[i], WithinRel(3 * c.span()[i], tolerance<double>(1)));
  }
}

TEST_CASE("with lambda 0 the gradient is untouched; starting again forgets the average") {
  M w(2, 3);
  const MatrixView<double> views[] = {w};
  const M g = random_matrix({2, 3}, 1), h = random_matrix({2, 3}, 2);
  GrokFast<double> off({.lambda = 0}), on;
  off.start(views);
  on.start(views);
  filtered(off, g);
  CHECK(same_bits(filtered(off, h), h));
  const M first = filtered(on, g);
  CHECK_FALSE(same_bits(filtered(on, h), filtered(off, h)));
  on.start(views);
  CHECK(same_bits(filtered(on, g), first));
}

TEST_CASE("the defaults are the protocol's, and what makes no average is refused") {
  CHECK(GrokFastOptions{}.alpha == 0.8);
  CHECK(GrokFastOptions{}.lambda == 0.1);
  const auto refusal = [](const GrokFastOptions& options) { return message_of([&] { GrokFast<float>{options}; }); };
  CHECK(refusal({.alpha = 1.5}) == "GrokFast: alpha is 1.5; it must be between 0 and 1");
  CHECK(contains(refusal({.alpha = -0.1}), "alpha is -0.1"));
  CHECK(contains(refusal({.alpha = NAN}), "alpha is nan"));
  CHECK(refusal({.lambda = INFINITY}) == "GrokFast: lambda is inf; it must be finite");
}

}  // namespace
}  // namespace normalign::tests

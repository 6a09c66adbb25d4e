#include "geometry/integers.hpp"

#include <cmath>

#include "support/catch.hpp"

namespace normalign::tests {
namespace {

using namespace detail;

TEST_CASE("doubles become integers and a power of two, and nothing is lost") {
  const std::vector<double> values{0, 1, -3, 0.1, 0x1.8p-1070, -0x1.fffffffffffffp60};
  const DyadicVector found = dyadic(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(values[i]);
    CHECK(found.integers[i] == dyadic(values[i]).mantissa
                                   << (values[i] == 0 ? 0 : dyadic(values[i]).exponent - found.exponent));
    CHECK(std::ldexp(static_cast<double>(dyadic(values[i]).mantissa), dyadic(values[i]).exponent) == values[i]);
  }
}

TEST_CASE("sums and products of such numbers are not rounded") {
  const std::vector<double> a{0x1p60, 3}, b{0x1p-60, -5};
  const DyadicVector sum = sum_of(dyadic(a), dyadic(b)), product = product_of(dyadic(a), dyadic(b));
  // (2^60 + 2^-60) 2^60 = 2^120 + 1, the other 2^60 times -2.
  REQUIRE(sum.exponent == -60);
  CHECK(sum.integers[0] == (Integer(1) << 120) + 1);
  CHECK(sum.integers[1] == -2 * (Integer(1) << 60));
  REQUIRE(product.exponent == -60);
  CHECK(product.integers[0] == Integer(1) << 60);
  CHECK(product.integers[1] == -15 * (Integer(1) << 60));
}

TEST_CASE("a head is its number to 2^-52") {
  const Integer large = (Integer(1) << 300) / 7;
  for (const Integer& value : {Integer(5), Integer(-12345), large, Integer(-large)}) {
    const RoundedInteger found = head_of(value);
    const Integer back = Integer(static_cast<std::int64_t>(found.head)) << found.exponent;
    CHECK((abs(Integer(back - value)) << 52) < abs(value));
  }
}

}  // namespace
}  // namespace normalign::tests

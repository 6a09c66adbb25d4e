#include "linalg/norm.hpp"

#include <vector>

#include "base/error.hpp"
#include "base/infinity.hpp"
#include "support/catch.hpp"
#include "support/message_of.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("lengths and dual lengths") {
  const std::vector<double> a{3, 0, -4}, none;
  CHECK(norm_length(a, Norm::l2) == 5);
  CHECK(norm_length(a, Norm::linf) == 4);
  CHECK(dual_length(a, Norm::l2) == 5);
  CHECK(dual_length(a, Norm::linf) == 7);
  for (const Norm norm : {Norm::l2, Norm::linf}) {
    CHECK(norm_length(none, norm) == 0);
    CHECK(dual_length(none, norm) == 0);
  }
}

TEST_CASE("a Euclidean length neither overflows nor underflows") {
  for (const double scale : {1.0, 1e-320, 1e-200, 1e200, 3e307})
    CHECK_THAT(euclidean_length(std::vector<double>{3 * scale, 0, -4 * scale}), WithinRel(5 * scale, 1e-3));
  CHECK(euclidean_length(std::vector<double>{0, 0}) == 0);
  CHECK(euclidean_length({}) == 0);
  CHECK(euclidean_length(std::vector<double>{1, -infinity}) == infinity);
  CHECK(std::isnan(euclidean_length(std::vector<double>{1, std::nan("")})));
}

TEST_CASE("a norm's name reads back, others are refused") {
  for (const Norm norm : {Norm::l2, Norm::linf}) CHECK(norm_of("norm", name_of(norm)) == norm);
  CHECK(message_of<InputError>([] { norm_of("--norm", "l1"); }) == "--norm: found 'l1', expected one of l2, linf");
}

}  // namespace
}  // namespace normalign::tests

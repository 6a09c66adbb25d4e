#include "geometry/norm.hpp"

#include <vector>

#include "support/catch.hpp"

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

}  // namespace
}  // namespace normalign::tests

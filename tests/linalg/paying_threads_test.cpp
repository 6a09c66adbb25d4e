#include "linalg/paying_threads.hpp"

#include "base/infinity.hpp"
#include "support/catch.hpp"

namespace normalign::tests {
namespace {

TEST_CASE("each thread beyond the first has its share of the work") {
  CHECK(paying_threads(8, 0) == 1);
  CHECK(paying_threads(8, 0.9 * flops_per_thread) == 1);
  CHECK(paying_threads(8, 2.5 * flops_per_thread) == 3);
  CHECK(paying_threads(8, 1e12) == 8);
  CHECK(paying_threads(1, 1e12) == 1);
  CHECK(paying_threads(8, infinity) == 8);
}

}  // namespace
}  // namespace normalign::tests

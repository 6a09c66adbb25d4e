#include "linalg/thread_limit.hpp"

#include "support/catch.hpp"

namespace normalign::tests {

TEST_CASE("a limit of threads holds to the end of its scope, whatever is set inside") {
  const ThreadLimit outer(3);
  CHECK(omp_get_max_threads() == 3);
  {
    const ThreadLimit inner(1);
    CHECK(omp_get_max_threads() == 1);
    omp_set_num_threads(2);
  }
  CHECK(omp_get_max_threads() == 3);
}

}  // namespace normalign::tests
